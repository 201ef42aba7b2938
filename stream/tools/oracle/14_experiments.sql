-- Step 14. Experiments: a ratio of each variant's customers less that of the control's, and the
-- 95 % interval of the difference, by Newcombe's hybrid of two Wilson intervals (Statistics in
-- Medicine 17, 1998, 873-890, method 10). Bounds are no fractions: they have twelve decimals.

CREATE OR REPLACE TABLE proportions AS
WITH counted AS (
    SELECT store, dimension, segment, window_name, ratio, customers, total
    FROM counts, settings, LATERAL (VALUES
        ('customer_retention', retained, start),
        ('repeat_purchase', repeat_customers, active)
    ) AS ratios (ratio, customers, total)
    WHERE dimension = experiment AND segment NOT IN ('unknown', 'other') AND total > 0
),
scored AS (
    SELECT *, customers / total AS p, 1.959963984540054 AS z,
        (p + z * z / (2 * total)) / (1 + z * z / total) AS centre,
        z * sqrt(p * (1 - p) / total + z * z / (4 * total * total)) / (1 + z * z / total) AS half
    FROM counted
)
SELECT *, centre - half AS wilson_lower, centre + half AS wilson_upper FROM scored;

CREATE OR REPLACE TABLE comparisons AS
SELECT
    variant.store, variant.dimension, variant.segment, variant.window_name, variant.ratio,
    variant.p - control.p AS estimate,
    estimate - sqrt(
        (variant.p - variant.wilson_lower) ^ 2 + (control.wilson_upper - control.p) ^ 2
    ) AS lower,
    estimate + sqrt(
        (variant.wilson_upper - variant.p) ^ 2 + (control.p - control.wilson_lower) ^ 2
    ) AS upper
FROM proportions AS variant
JOIN proportions AS control USING (store, dimension, window_name, ratio)
JOIN settings ON control.segment = settings.control
WHERE variant.segment <> control.segment;

INSERT INTO metrics BY NAME
SELECT
    'retention_experiment_difference_ratio' AS metric,
    store, dimension, segment, window_name, ratio, bound,
    round(amount * 1e12)::BIGINT AS numerator,
    1_000_000_000_000 AS denominator,
    amount AS value
FROM comparisons, LATERAL (VALUES ('estimate', estimate), ('lower', lower), ('upper', upper))
    AS bounds (bound, amount);
