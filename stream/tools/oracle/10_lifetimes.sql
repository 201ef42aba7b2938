-- Step 10. What has no window: customers since their beginning, up to as of. Guests' orders are not
-- in it, as nobody knows whose they are.

-- Each customer's own interval: (last - first) / (orders - 1), in whole milliseconds; of halves
-- the even neighbour. All of it in integers, so that nothing is rounded twice.
CREATE OR REPLACE TABLE customer_intervals AS
WITH spans AS (
    SELECT
        buyer_id,
        max(occurred_at_ms) - min(occurred_at_ms) AS span_ms,
        count(*) - 1 AS gaps
    FROM orders CROSS JOIN as_of
    WHERE is_customer AND bucket <= as_of_bucket
    GROUP BY buyer_id
    HAVING count(*) >= 2
)
SELECT
    buyer_id,
    span_ms // gaps + CASE
        WHEN 2 * (span_ms % gaps) > gaps THEN 1
        WHEN 2 * (span_ms % gaps) = gaps THEN (span_ms // gaps) % 2
        ELSE 0 END AS interval_ms
FROM spans;

CREATE OR REPLACE TABLE interval_sums AS
SELECT store, dimension, segment, sum(interval_ms) AS interval_ms, count(*) AS customers
FROM customer_intervals JOIN buyer_segments USING (buyer_id)
GROUP BY ALL;

-- What each customer brought and sent back in each currency: up to as of, and in all.
CREATE OR REPLACE TABLE customer_money AS
SELECT
    buyer_id, currency,
    coalesce(sum(minor_units) FILTER (bucket <= as_of_bucket), 0) AS net_minor_units,
    coalesce(bool_or(is_order) FILTER (bucket <= as_of_bucket), false) AS has_ordered,
    sum(minor_units) AS net_ever_minor_units,
    bool_or(is_order) AS ever_ordered
FROM (
    SELECT buyer_id, currency, bucket, amount_minor_units AS minor_units, true AS is_order
    FROM orders WHERE is_customer
    UNION ALL
    SELECT buyer_id, currency, bucket, -amount_minor_units, false
    FROM returns
) CROSS JOIN as_of
GROUP BY buyer_id, currency;

CREATE OR REPLACE TABLE lifetime_values AS
SELECT
    store, dimension, segment, currency,
    sum(net_minor_units) AS net_minor_units,
    count(*) FILTER (has_ordered) AS customers
FROM customer_money JOIN buyer_segments USING (buyer_id)
GROUP BY ALL;

-- The top customers: one in a hundred (rounded up) of those who ever ordered in the currency.
-- Not as of a moment: the worker's sketch holds what is known now.
CREATE OR REPLACE TABLE top_customers AS
WITH ranked AS (
    SELECT
        store, dimension, segment, currency, net_ever_minor_units,
        row_number() OVER (
            PARTITION BY store, dimension, segment, currency
            ORDER BY net_ever_minor_units DESC) AS rank,
        count(*) OVER (PARTITION BY store, dimension, segment, currency) AS customers
    FROM customer_money JOIN buyer_segments USING (buyer_id)
    WHERE ever_ordered
)
SELECT
    store, dimension, segment, currency,
    sum(net_ever_minor_units) FILTER (rank <= (customers + 99) // 100) AS top_minor_units,
    sum(net_ever_minor_units) AS net_minor_units
FROM ranked
GROUP BY ALL;

-- Times between consecutive orders of a customer, as the cumulative buckets of a histogram. A gap
-- of exactly so many days is in the bucket of that limit.
CREATE OR REPLACE TABLE gap_limits AS
SELECT days * 86400000::BIGINT AS limit_ms, (days * 86400) || '.0' AS le
FROM (SELECT unnest([1, 3, 7, 14, 21, 30, 45, 60, 90, 120, 180, 365]) AS days)
UNION ALL
SELECT 9e18::BIGINT, '+Inf';

CREATE OR REPLACE TABLE store_gaps AS
SELECT store, gap_ms
FROM orders JOIN buyers USING (buyer_id) CROSS JOIN as_of
WHERE gap_ms IS NOT NULL AND bucket <= as_of_bucket;

CREATE OR REPLACE TABLE gap_buckets AS
SELECT store, le, count(gap_ms) FILTER (gap_ms <= limit_ms) AS gaps
FROM (SELECT DISTINCT store FROM buyers) CROSS JOIN gap_limits
LEFT JOIN store_gaps USING (store)
GROUP BY store, le;

CREATE OR REPLACE TABLE gap_sums AS
SELECT store, count(gap_ms) AS gaps, coalesce(sum(gap_ms), 0) AS gap_ms
FROM (SELECT DISTINCT store FROM buyers) LEFT JOIN store_gaps USING (store)
GROUP BY store;
