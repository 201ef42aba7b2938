-- Step 13. The metrics, one row per gauge: value = numerator / denominator, both whole numbers.
-- A ratio without a denominator is no row at all; a count of nothing is a row with 0.

-- Every segment of every store, in every window.
CREATE OR REPLACE TABLE grid AS
SELECT DISTINCT store, dimension, segment, window_name
FROM buyer_segments CROSS JOIN windows
WHERE dimension = 'all' OR NOT is_previous;

CREATE OR REPLACE TABLE counts AS
SELECT
    store, dimension, segment, window_name,
    coalesce(orders, 0) AS orders,
    coalesce(units_sold, 0) AS units_sold,
    coalesce(units_returned, 0) AS units_returned,
    coalesce(signups, 0) AS signups,
    coalesce(activated, 0) AS activated,
    coalesce(reorders, 0) AS reorders,
    coalesce(gap_ms, 0) AS gap_ms,
    coalesce(active, 0) AS active,
    coalesce(new_customers, 0) AS new_customers,
    coalesce(start, 0) AS start,
    coalesce(retained, 0) AS retained,
    coalesce(reactivated, 0) AS reactivated,
    coalesce(lost, 0) AS lost,
    coalesce(repeat_customers, 0) AS repeat_customers
FROM grid
LEFT JOIN order_counts USING (store, dimension, segment, window_name)
LEFT JOIN return_counts USING (store, dimension, segment, window_name)
LEFT JOIN signup_counts USING (store, dimension, segment, window_name);

-- Every currency a segment ever used, in every window.
CREATE OR REPLACE TABLE revenue AS
WITH used AS (
    SELECT DISTINCT store, dimension, segment, currency
    FROM (SELECT buyer_id, currency FROM orders UNION SELECT buyer_id, currency FROM returns)
    JOIN buyer_segments USING (buyer_id)
)
SELECT
    store, dimension, segment, window_name, currency, minor_per_major,
    coalesce(orders, 0) AS orders,
    coalesce(gross_minor_units, 0) AS gross_minor_units,
    coalesce(refunded_minor_units, 0) AS refunded_minor_units
FROM grid
JOIN used USING (store, dimension, segment)
JOIN currencies USING (currency)
LEFT JOIN money USING (store, dimension, segment, window_name, currency);

-- Does the store's data reach back over the whole preceding window?
CREATE OR REPLACE TABLE maturity AS
SELECT
    store, window_name,
    coalesce(CASE
        WHEN unit IS NULL THEN first_bucket_of_store <= preceding_first_bucket
        ELSE first_day_of_store <= preceding_first_day
    END, false)::BIGINT AS is_mature
FROM windows
CROSS JOIN (
    SELECT store, min(bucket) AS first_bucket_of_store, min(local_day) AS first_day_of_store
    FROM buyers LEFT JOIN orders USING (buyer_id)
    GROUP BY store
)
WHERE NOT is_previous;

-- Branches are put together by the names of their columns; a label a metric has not is NULL.
CREATE OR REPLACE TABLE metrics AS
WITH counted AS (  -- in windows
    SELECT 'retention_customers' AS metric, store, dimension, segment, window_name, status,
        customers AS numerator, 1 AS denominator
    FROM counts, LATERAL (VALUES
        ('active', active), ('new', new_customers), ('start', start), ('retained', retained),
        ('reactivated', reactivated), ('lost', lost), ('repeat', repeat_customers)
    ) AS statuses (status, customers)
    UNION ALL BY NAME
    SELECT metric, store, dimension, segment, window_name, numerator, denominator
    FROM counts, LATERAL (VALUES
        ('retention_customer_retention_ratio', retained, start),
        ('retention_customer_churn_ratio', lost, start),
        ('retention_repeat_purchase_ratio', repeat_customers, active),
        ('retention_returning_customer_ratio', retained + reactivated, active),
        ('retention_product_return_ratio', units_returned, units_sold),
        ('retention_activation_ratio', activated, signups),
        ('retention_purchase_frequency', orders, active),
        ('retention_purchase_interval_seconds', gap_ms, reorders * 1000)
    ) AS ratios (metric, numerator, denominator)
    UNION ALL BY NAME
    SELECT 'retention_orders' AS metric, store, dimension, segment, window_name,
        orders AS numerator, 1 AS denominator
    FROM counts
    UNION ALL BY NAME
    SELECT 'retention_units' AS metric, store, dimension, segment, window_name, kind,
        units AS numerator, 1 AS denominator
    FROM counts, LATERAL (VALUES ('sold', units_sold), ('returned', units_returned))
        AS kinds (kind, units)
    UNION ALL BY NAME
    SELECT 'retention_signups' AS metric, store, dimension, segment, window_name, status,
        customers AS numerator, 1 AS denominator
    FROM counts, LATERAL (VALUES ('total', signups), ('activated', activated))
        AS statuses (status, customers)
    UNION ALL BY NAME
    SELECT 'retention_revenue' AS metric, store, dimension, segment, window_name, kind, currency,
        minor_units AS numerator, minor_per_major AS denominator
    FROM revenue, LATERAL (VALUES
        ('gross', gross_minor_units), ('refunded', refunded_minor_units)
    ) AS kinds (kind, minor_units)
    UNION ALL BY NAME
    SELECT 'retention_average_order_value' AS metric, store, dimension, segment, window_name,
        currency, gross_minor_units AS numerator, orders * minor_per_major AS denominator
    FROM revenue
    UNION ALL BY NAME
    SELECT 'retention_window_mature' AS metric, store, window_name,
        is_mature AS numerator, 1 AS denominator
    FROM maturity
),
lifetimes AS (  -- without a window
    SELECT 'retention_customer_purchase_interval_seconds' AS metric, store, dimension, segment,
        interval_ms AS numerator, customers * 1000 AS denominator
    FROM interval_sums
    UNION ALL BY NAME
    SELECT 'retention_customer_lifetime_value' AS metric, store, dimension, segment, currency,
        net_minor_units AS numerator, customers * minor_per_major AS denominator
    FROM lifetime_values JOIN currencies USING (currency)
    UNION ALL BY NAME
    SELECT 'retention_top_customers_revenue_ratio' AS metric, store, dimension, segment, currency,
        top_minor_units AS numerator, net_minor_units AS denominator
    FROM top_customers
    UNION ALL BY NAME
    SELECT 'retention_order_gap_seconds_bucket' AS metric, store, le,
        gaps AS numerator, 1 AS denominator
    FROM gap_buckets
    UNION ALL BY NAME
    SELECT 'retention_order_gap_seconds_sum' AS metric, store,
        gap_ms AS numerator, 1000 AS denominator
    FROM gap_sums
    UNION ALL BY NAME
    SELECT 'retention_order_gap_seconds_count' AS metric, store,
        gaps AS numerator, 1 AS denominator
    FROM gap_sums
),
in_stages AS (
    SELECT 'retention_customers_in_stage' AS metric, store, stage,
        customers AS numerator, 1 AS denominator
    FROM customers_in_stage
),
months AS (
    SELECT
        CASE began_by WHEN 'order' THEN 'retention_cohort_customers'
            ELSE 'retention_signup_cohort_customers' END AS metric,
        store, cohort, age::VARCHAR AS age, customers AS numerator, 1 AS denominator
    FROM cohort_ages
    UNION ALL BY NAME
    SELECT 'retention_signup_cohort_size' AS metric, store, cohort,
        customers AS numerator, 1 AS denominator
    FROM cohorts WHERE began_by = 'signup'
)
SELECT
    metric, store, dimension, segment, window_name, status, kind, currency, cohort, age, le, stage,
    NULL::VARCHAR AS ratio, NULL::VARCHAR AS bound,  -- of the next step's alone
    numerator, denominator, numerator::DOUBLE / denominator AS value
FROM (
    FROM counted UNION ALL BY NAME FROM lifetimes UNION ALL BY NAME FROM in_stages
    UNION ALL BY NAME FROM months
)
WHERE denominator > 0
ORDER BY ALL;

-- A second cancellation of an order, and a signup like one before it, say nothing new.
CREATE OR REPLACE TABLE repeated_events AS
SELECT arrival FROM usable_events
WHERE type = 'cancellation'
QUALIFY row_number() OVER (PARTITION BY store, customer_id, order_id ORDER BY arrival) > 1
UNION ALL
SELECT arrival FROM (
    SELECT usable_events.*,
        (SELECT list(coalesce(json_extract_string(attributes, '/' || dimension), ''))
            FROM dimensions) AS carried
    FROM usable_events WHERE type = 'signup'
)
QUALIFY row_number() OVER (
    PARTITION BY store, customer_id, occurred_at_ms, carried ORDER BY arrival) > 1;

-- What became of the events.
CREATE OR REPLACE TABLE event_outcomes AS
SELECT
    CASE
        WHEN outcome <> 'usable' THEN outcome
        WHEN (type = 'purchase' AND arrival NOT IN (SELECT arrival FROM placed_orders))
            OR (type = 'return' AND arrival NOT IN (SELECT arrival FROM kept_returns))
            OR arrival IN (SELECT arrival FROM repeated_events)
            THEN 'duplicate'
        WHEN customer_id IS NULL THEN 'guest'
        ELSE 'applied'
    END AS outcome,
    count(*) AS events
FROM judged_events
GROUP BY ALL;
