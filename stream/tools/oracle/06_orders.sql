-- Step 6. Clean orders, returns and signups, and who they belong to.

-- A second purchase of the same customer with the same order_id is a duplicate: the first arrival
-- counts. (Guest orders have no customer; they are told apart by store and order_id.)
CREATE OR REPLACE TABLE placed_orders AS
SELECT * FROM usable_events
WHERE type = 'purchase'
QUALIFY row_number() OVER (PARTITION BY store, customer_id, order_id ORDER BY arrival) = 1;

-- A cancelled order is as if it had never been placed, whichever of the two arrived first.
CREATE OR REPLACE TABLE kept_orders AS
SELECT placed_orders.* FROM placed_orders
ANTI JOIN (SELECT * FROM usable_events WHERE type = 'cancellation') AS cancellations
    USING (store, customer_id, order_id);

CREATE OR REPLACE TABLE kept_returns AS
SELECT * FROM usable_events
WHERE type = 'return'
QUALIFY row_number() OVER (PARTITION BY store, customer_id, return_id ORDER BY arrival) = 1;

-- A buyer is a customer of a store, or the unknown person behind one guest order.
CREATE OR REPLACE TABLE buyers AS
SELECT row_number() OVER () AS buyer_id, *
FROM (
    SELECT DISTINCT store, customer_id, NULL AS guest_order_id FROM usable_events
    WHERE customer_id IS NOT NULL
    UNION ALL
    SELECT store, NULL, order_id FROM kept_orders WHERE customer_id IS NULL
);

CREATE OR REPLACE TABLE orders AS
SELECT
    buyer_id, buyers.customer_id IS NOT NULL AS is_customer, arrival, occurred_at_ms, bucket,
    local_day, currency, amount_minor_units, units,
    row_number() OVER in_order = 1 AS is_first_order,
    -- Back to the order before; NULL for the first.
    occurred_at_ms - lag(occurred_at_ms) OVER in_order AS gap_ms
FROM kept_orders
JOIN buyers
    ON buyers.store = kept_orders.store
    AND buyers.customer_id IS NOT DISTINCT FROM kept_orders.customer_id
    AND buyers.guest_order_id IS NOT DISTINCT FROM
        CASE WHEN kept_orders.customer_id IS NULL THEN kept_orders.order_id END
WINDOW in_order AS (PARTITION BY buyer_id ORDER BY occurred_at_ms, arrival);

CREATE OR REPLACE TABLE returns AS
SELECT buyer_id, bucket, local_day, currency, amount_minor_units, units
FROM kept_returns JOIN buyers USING (store, customer_id);

-- Of several signups of a customer the earliest counts.
CREATE OR REPLACE TABLE signups AS
SELECT buyer_id, bucket, local_day
FROM usable_events JOIN buyers USING (store, customer_id)
WHERE type = 'signup'
QUALIFY row_number() OVER (PARTITION BY buyer_id ORDER BY occurred_at_ms, arrival) = 1;
