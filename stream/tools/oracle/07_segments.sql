-- Step 7. The segments a buyer belongs to: one in every dimension, and ('all', 'all').

-- The value on the customer's earliest purchase or signup that carries one; at the same moment
-- purchases go before signups, then the order of arrival decides. No value: 'unknown'.
CREATE OR REPLACE TABLE buyer_values AS
WITH carriers AS (
    SELECT store, customer_id, NULL AS guest_order_id, occurred_at_ms, arrival, attributes,
        1 AS rank_of_type
    FROM kept_orders WHERE customer_id IS NOT NULL
    UNION ALL
    SELECT store, NULL, order_id, occurred_at_ms, arrival, attributes, 1
    FROM kept_orders WHERE customer_id IS NULL
    UNION ALL
    SELECT store, customer_id, NULL, occurred_at_ms, arrival, attributes, 2
    FROM usable_events WHERE type = 'signup'
),
carried AS (
    SELECT carriers.*, dimension, json_extract_string(attributes, '/' || dimension) AS value
    FROM carriers CROSS JOIN dimensions
    WHERE attributes IS NOT NULL
),
earliest AS (
    SELECT store, customer_id, guest_order_id, dimension, value
    FROM carried
    WHERE value <> ''
    QUALIFY row_number() OVER (
        PARTITION BY store, customer_id, guest_order_id, dimension
        ORDER BY occurred_at_ms, rank_of_type, arrival) = 1
)
SELECT
    buyers.*,
    dimensions.dimension,
    coalesce(value, 'unknown') AS value
FROM buyers
CROSS JOIN dimensions
LEFT JOIN earliest
    ON earliest.store = buyers.store
    AND earliest.dimension = dimensions.dimension
    AND earliest.customer_id IS NOT DISTINCT FROM buyers.customer_id
    AND earliest.guest_order_id IS NOT DISTINCT FROM buyers.guest_order_id;

-- At most 50 values of a dimension keep their name: those with most customers who ever ordered
-- (up to as of).
CREATE OR REPLACE TABLE segments AS
SELECT
    store, dimension, value,
    CASE
        WHEN value IN ('unknown', 'other') THEN value  -- beside the 50
        WHEN row_number() OVER (
            PARTITION BY store, dimension, value IN ('unknown', 'other')
            ORDER BY customers DESC, value) <= 50 THEN value
        ELSE 'other'
    END AS segment
FROM (
    SELECT store, dimension, value, count(*) FILTER (
        customer_id IS NOT NULL AND buyer_id IN (
            SELECT buyer_id FROM orders CROSS JOIN as_of WHERE bucket <= as_of_bucket)
        ) AS customers
    FROM buyer_values
    GROUP BY store, dimension, value
);

CREATE OR REPLACE TABLE buyer_segments AS
SELECT store, buyer_id, customer_id IS NOT NULL AS is_customer, dimension, segment
FROM buyer_values JOIN segments USING (store, dimension, value)
UNION ALL
SELECT store, buyer_id, customer_id IS NOT NULL, 'all', 'all' FROM buyers;
