-- Step 9. Counting, the plain way: every order, return and signup is put into every window it
-- falls in, and then counted per buyer, and then per segment.

CREATE OR REPLACE VIEW order_windows AS
SELECT
    orders.*, window_name, is_previous,
    bucket BETWEEN first_bucket AND last_bucket
        AND local_day BETWEEN first_day AND last_day AS is_in,
    bucket BETWEEN preceding_first_bucket AND preceding_last_bucket
        AND local_day BETWEEN preceding_first_day AND preceding_last_day AS is_in_preceding
FROM orders CROSS JOIN windows
WHERE is_in OR is_in_preceding;

CREATE OR REPLACE VIEW return_windows AS
SELECT returns.*, window_name, is_previous
FROM returns CROSS JOIN windows
WHERE bucket BETWEEN first_bucket AND last_bucket AND local_day BETWEEN first_day AND last_day;

-- Activated is who had ordered by the end of the window, be it before the signup.
CREATE OR REPLACE VIEW signup_windows AS
SELECT
    signups.*, window_name, is_previous,
    coalesce(
        first_orders.bucket <= last_bucket AND first_orders.local_day <= last_day, false
    ) AS is_activated
FROM signups
CROSS JOIN windows
LEFT JOIN (FROM orders WHERE is_first_order) AS first_orders USING (buyer_id)
WHERE signups.bucket BETWEEN first_bucket AND last_bucket
    AND signups.local_day BETWEEN first_day AND last_day;

-- What each buyer did in each window. A reorder is an order that has one before it.
CREATE OR REPLACE TABLE buyer_activity AS
SELECT
    buyer_id, window_name, is_previous,
    count(*) FILTER (is_in) AS orders,
    coalesce(sum(units) FILTER (is_in), 0) AS units_sold,
    count(gap_ms) FILTER (is_in) AS reorders,
    coalesce(sum(gap_ms) FILTER (is_in), 0) AS gap_ms,
    coalesce(bool_or(is_first_order) FILTER (is_in), false) AS is_new,
    bool_or(is_in_preceding) AS is_start
FROM order_windows
GROUP BY ALL;

CREATE OR REPLACE TABLE buyer_money AS
SELECT buyer_id, window_name, is_previous, currency, count(*) AS orders,
    sum(amount_minor_units) AS gross_minor_units, 0 AS refunded_minor_units
FROM order_windows WHERE is_in
GROUP BY ALL
UNION ALL
SELECT buyer_id, window_name, is_previous, currency, 0, 0, sum(amount_minor_units)
FROM return_windows
GROUP BY ALL;

-- prev_ windows are for the whole store only, hence the condition in each of these.
CREATE OR REPLACE TABLE order_counts AS
SELECT
    store, dimension, segment, window_name,
    sum(orders) AS orders,
    sum(units_sold) AS units_sold,
    sum(reorders) AS reorders,
    sum(gap_ms) AS gap_ms,
    count(*) FILTER (is_customer AND orders >= 1) AS active,
    count(*) FILTER (is_customer AND is_new) AS new_customers,
    count(*) FILTER (is_customer AND is_start) AS start,
    count(*) FILTER (is_customer AND is_start AND orders >= 1) AS retained,
    count(*) FILTER (is_customer AND orders >= 1 AND NOT is_new AND NOT is_start) AS reactivated,
    count(*) FILTER (is_customer AND is_start AND orders = 0) AS lost,
    count(*) FILTER (is_customer AND orders >= 2) AS repeat_customers
FROM buyer_activity JOIN buyer_segments USING (buyer_id)
WHERE dimension = 'all' OR NOT is_previous
GROUP BY ALL;

CREATE OR REPLACE TABLE return_counts AS
SELECT store, dimension, segment, window_name, sum(units) AS units_returned
FROM return_windows JOIN buyer_segments USING (buyer_id)
WHERE dimension = 'all' OR NOT is_previous
GROUP BY ALL;

CREATE OR REPLACE TABLE signup_counts AS
SELECT store, dimension, segment, window_name,
    count(*) AS signups, count(*) FILTER (is_activated) AS activated
FROM signup_windows JOIN buyer_segments USING (buyer_id)
WHERE dimension = 'all' OR NOT is_previous
GROUP BY ALL;

CREATE OR REPLACE TABLE money AS
SELECT
    store, dimension, segment, window_name, currency,
    sum(orders) AS orders,
    sum(gross_minor_units) AS gross_minor_units,
    sum(refunded_minor_units) AS refunded_minor_units
FROM buyer_money JOIN buyer_segments USING (buyer_id)
WHERE dimension = 'all' OR NOT is_previous
GROUP BY ALL;
