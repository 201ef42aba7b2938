-- Step 8. The windows: what "in the window" and "in the preceding window" mean, as ranges of
-- buckets and of local days (an event must be in both; a range that does not matter is infinite).

CREATE OR REPLACE TABLE windows AS
WITH steps AS (  -- how many steps back: 0 the window itself, 1 its prev_
    SELECT * FROM (VALUES ('', 0), ('prev_', 1)) AS steps (prefix, steps_back)
),
rolling AS (
    SELECT
        prefix || window_name AS window_name,
        steps_back = 1 AS is_previous,
        unit,
        length_buckets,
        as_of_bucket - steps_back * length_buckets AS last_bucket
    FROM configured_windows CROSS JOIN steps CROSS JOIN as_of
    WHERE unit IS NULL
),
periods AS (  -- the calendar period as of is in, and the three before it
    SELECT
        window_name,
        unit,
        date_trunc(unit, as_of_day)::DATE AS this_period,
        date_trunc(unit, this_period - 1)::DATE AS period_before,
        date_trunc(unit, period_before - 1)::DATE AS second_before
    FROM configured_windows CROSS JOIN as_of
    WHERE unit IS NOT NULL
)
SELECT
    window_name, is_previous, unit,
    last_bucket - length_buckets + 1 AS first_bucket,
    last_bucket,
    last_bucket - 2 * length_buckets + 1 AS preceding_first_bucket,
    last_bucket - length_buckets AS preceding_last_bucket,
    '-infinity'::DATE AS first_day,
    'infinity'::DATE AS last_day,
    '-infinity'::DATE AS preceding_first_day,
    'infinity'::DATE AS preceding_last_day
FROM rolling
UNION ALL
SELECT
    window_name, false, unit,
    -9e18::BIGINT, as_of_bucket, -9e18::BIGINT, as_of_bucket,  -- to date
    this_period, 'infinity'::DATE, period_before, this_period - 1
FROM periods CROSS JOIN as_of
UNION ALL
SELECT
    'prev_' || window_name, true, unit,
    -9e18::BIGINT, as_of_bucket, -9e18::BIGINT, as_of_bucket,
    period_before, this_period - 1, second_before, period_before - 1
FROM periods CROSS JOIN as_of;
