-- Step 12. Customers' lifecycles: every change of every customer's stage, and who is in which
-- stage as of now.

-- Each order with the time without another one that makes its customer late: a multiple of the
-- median of its own times between orders so far, from the third order on.
CREATE OR REPLACE TABLE rhythms AS
WITH numbered AS (
    SELECT
        buyer_id, occurred_at_ms, gap_ms,
        row_number() OVER so_far AS order_number,
        lead(occurred_at_ms) OVER in_order AS next_ms,
        -- Twice the median is a whole number.
        (2 * median(gap_ms) OVER so_far)::BIGINT AS doubled_median_ms
    FROM orders
    WHERE is_customer
    WINDOW
        in_order AS (PARTITION BY buyer_id ORDER BY occurred_at_ms, arrival),
        so_far AS (PARTITION BY buyer_id ORDER BY occurred_at_ms, arrival
            ROWS UNBOUNDED PRECEDING)
),
late AS (
    SELECT
        numbered.*,
        greatest(
            at_risk_least_ms,
            CASE WHEN order_number >= 3 THEN doubled_median_ms::HUGEINT
                ELSE 2 * typical_interval_ms::HUGEINT END * at_risk_factor_hundredths // 200
        )::BIGINT AS late_ms
    FROM numbered CROSS JOIN settings
)
SELECT
    buyer_id, order_number, occurred_at_ms, next_ms, late_ms,
    least(late_ms, lapsed_ms) AS silent_ms,
    CASE
        WHEN order_number = 1 THEN 'new'
        WHEN gap_ms > lag(silent_ms) OVER (PARTITION BY buyer_id ORDER BY order_number)
            THEN 'reactivated'
        ELSE 'repeat'
    END AS stage
FROM late CROSS JOIN settings;

-- What an order makes of its customer, and what time does until the next one. An order at the very
-- instant at which time would change a customer comes before.
CREATE OR REPLACE TABLE stage_changes AS
WITH turns AS (
    SELECT buyer_id, order_number, 0 AS step, occurred_at_ms AS changed_ms, stage FROM rhythms
    UNION ALL
    SELECT buyer_id, order_number, 1, occurred_at_ms + new_ms, 'active'
    FROM rhythms CROSS JOIN settings
    WHERE order_number = 1 AND new_ms < silent_ms
    UNION ALL
    SELECT buyer_id, order_number, 2, occurred_at_ms + late_ms, 'at_risk'
    FROM rhythms CROSS JOIN settings
    WHERE late_ms < lapsed_ms
    UNION ALL
    SELECT buyer_id, order_number, 3, occurred_at_ms + lapsed_ms, 'lapsed'
    FROM rhythms CROSS JOIN settings
),
happened AS (
    SELECT turns.*
    FROM turns JOIN rhythms USING (buyer_id, order_number)
    WHERE step = 0 OR next_ms IS NULL OR changed_ms < next_ms
),
followed AS (
    SELECT
        *,
        lag(stage) OVER (PARTITION BY buyer_id ORDER BY order_number, step) AS previous_stage,
        row_number() OVER (PARTITION BY buyer_id ORDER BY order_number, step) AS place
    FROM happened
)
SELECT
    store, customer_id, buyer_id, changed_ms, previous_stage, stage,
    order_number AS orders, place
FROM followed JOIN buyers USING (buyer_id)
WHERE stage IS DISTINCT FROM previous_stage;

CREATE OR REPLACE TABLE customers_in_stage AS
WITH latest AS (
    SELECT store, stage
    FROM stage_changes CROSS JOIN as_of CROSS JOIN settings
    WHERE changed_ms // bucket_ms <= as_of_bucket
    QUALIFY row_number() OVER (PARTITION BY buyer_id ORDER BY place DESC) = 1
)
SELECT store, stage, count(latest.stage) AS customers
FROM (SELECT DISTINCT store FROM buyers)
CROSS JOIN (SELECT unnest(
    ['new', 'active', 'repeat', 'at_risk', 'lapsed', 'reactivated']) AS stage) AS stages
LEFT JOIN latest USING (store, stage)
GROUP BY store, stage;
