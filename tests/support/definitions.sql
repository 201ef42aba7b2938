-- What docs/definitions.md says of September 2011: one row for each of its definitions, out of the
-- oracle's tables as of the end of that month.

-- Customers who had ordered by then.
CREATE TABLE customers AS
SELECT
    buyer_id,
    count(*) AS orders,
    count(*) FILTER (local_day >= '2011-09-01') AS orders_in_september,
    min(occurred_at_ms) AS first_ms,
    min(local_day) AS first_day
FROM orders CROSS JOIN as_of
WHERE is_customer AND bucket <= as_of_bucket
GROUP BY buyer_id;

CREATE TABLE began_in_august AS
FROM customers WHERE first_day BETWEEN '2011-08-01' AND '2011-08-31';

CREATE TABLE shown AS
SELECT metric, value FROM metrics
WHERE dimension = 'all' AND (window_name = 'month' OR window_name IS NULL);

CREATE TABLE definitions AS
SELECT 'retention, this project' AS definition, value
FROM shown WHERE metric = 'retention_customer_retention_ratio'
UNION ALL
SELECT 'retention of a cohort', count(*) FILTER (orders_in_september >= 1) / count(*)
FROM began_in_august
UNION ALL
-- Also orders of October: who began on 31 August is in the second month until 30 October.
SELECT 'retention of a cohort, own months', count(DISTINCT orders.buyer_id) / any_value(size)
FROM began_in_august
CROSS JOIN (SELECT count(*) AS size FROM began_in_august)
LEFT JOIN orders
    ON orders.buyer_id = began_in_august.buyer_id
    AND occurred_at_ms - first_ms >= 30 * 86400000::BIGINT
    AND occurred_at_ms - first_ms < 60 * 86400000::BIGINT
UNION ALL
SELECT 'returning customers, this project', value
FROM shown WHERE metric = 'retention_returning_customer_ratio'
UNION ALL
SELECT 'repeat purchases, this project', value
FROM shown WHERE metric = 'retention_repeat_purchase_ratio'
UNION ALL
SELECT 'returning customers, Shopify', count(*) FILTER (orders > 1) / count(*)
FROM customers WHERE orders_in_september >= 1
UNION ALL
SELECT 'returning orders, WooCommerce', count(*) FILTER (NOT is_first_order) / count(*)
FROM orders CROSS JOIN as_of
WHERE local_day >= '2011-09-01' AND bucket <= as_of_bucket
UNION ALL
SELECT 'order value, this project', value
FROM shown WHERE metric = 'retention_average_order_value'
UNION ALL
SELECT 'order value, WooCommerce', (gross_minor_units - refunded_minor_units) / (100 * orders)
FROM revenue WHERE dimension = 'all' AND window_name = 'month'
UNION ALL
SELECT 'lifetime value, this project', value
FROM shown WHERE metric = 'retention_customer_lifetime_value'
UNION ALL
SELECT 'lifetime value before refunds', sum(amount_minor_units) / (100 * count(DISTINCT buyer_id))
FROM orders CROSS JOIN as_of
WHERE is_customer AND bucket <= as_of_bucket;
