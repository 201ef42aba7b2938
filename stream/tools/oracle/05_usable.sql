-- Step 5. Which events count: those that keep every rule, are not from the future and not from
-- before the history horizon. `outcome` is 'usable', 'rejected' or 'too_late'.

CREATE OR REPLACE TABLE judged_events AS
WITH checked AS (
    SELECT
        typed_events.*,
        CASE
            WHEN NOT is_object THEN 'not a JSON object'
            WHEN type IS NULL THEN 'type'
            WHEN NOT types_usable THEN 'a field of the wrong type'
            -- Before 1970 is a mistake in a shop's events.
            WHEN occurred_at_ms IS NULL OR occurred_at_ms < 0 THEN 'occurred_at'
            WHEN occurred_at_ms > now_ms + 24 * 3600 * 1000 THEN 'in the future'
            WHEN store IS NULL THEN 'store'
            -- Only a purchase may go without a customer: a guest order.
            WHEN customer_id IS NULL AND (has_customer_id OR type <> 'purchase') THEN 'customer_id'
            WHEN order_id IS NULL AND type IN ('purchase', 'cancellation') THEN 'order_id'
            WHEN return_id IS NULL AND type = 'return' THEN 'return_id'
            WHEN NOT attributes_usable THEN 'attributes'
            WHEN type IN ('purchase', 'return') THEN CASE
                WHEN currency IS NULL THEN 'currency'
                WHEN amount_minor_units IS NULL OR amount_minor_units > 10::HUGEINT ** 14
                    THEN 'amount'
                WHEN units IS NULL THEN 'units' END
        END AS rejected_for
    FROM typed_events CROSS JOIN settings
),
placed AS (
    SELECT
        checked.*,
        -- As of, at the moment the event arrived.
        CASE clock
            WHEN 'wall' THEN now_ms
            ELSE max(occurred_at_ms) FILTER (rejected_for IS NULL) OVER (
                ORDER BY arrival ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)
        END AS as_of_at_arrival_ms
    FROM checked CROSS JOIN settings
)
SELECT
    placed.*,
    CASE
        WHEN rejected_for IS NOT NULL THEN 'rejected'
        WHEN occurred_at_ms < as_of_at_arrival_ms - horizon_ms THEN 'too_late'
        ELSE 'usable'
    END AS outcome
FROM placed CROSS JOIN settings;

-- Every usable event with its two places in time: its bucket, and its day on the shop's calendar.
-- Who comes back after an erasure is another customer: the id gets the number of erasures before.
CREATE OR REPLACE TABLE usable_events AS
SELECT
    arrival, type, store,
    CASE erasures_before WHEN 0 THEN customer_id
        ELSE customer_id || chr(0) || erasures_before END AS customer_id,
    order_id, return_id, currency, units, attributes,
    amount_minor_units::BIGINT AS amount_minor_units,
    occurred_at_ms,
    occurred_at_ms // bucket_ms AS bucket,
    timezone(settings.timezone, timezone('UTC', epoch_ms(occurred_at_ms)))::DATE AS local_day
FROM (
    SELECT *, count(*) FILTER (type = 'erasure') OVER (
        PARTITION BY store, customer_id ORDER BY arrival
        ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS erasures_before
    FROM judged_events WHERE outcome = 'usable'
) CROSS JOIN settings;

-- As of: the one moment that every metric is computed for.
CREATE OR REPLACE TABLE as_of AS
SELECT as_of_ms, as_of_ms // bucket_ms AS as_of_bucket,
    timezone(timezone, timezone('UTC', epoch_ms(as_of_ms)))::DATE AS as_of_day
FROM (
    SELECT *, coalesce(given_as_of_ms, CASE clock
        WHEN 'wall' THEN now_ms ELSE (SELECT max(occurred_at_ms) FROM usable_events) END) AS as_of_ms
    FROM settings
);
