-- Step 1. The settings every later step reads. This is the only file with values filled in.
--
-- What must exist before: a table raw_events(arrival BIGINT, event VARCHAR), one row per event as
-- sent, `event` the JSON text and `arrival` its place in the order of arrival.

SET TimeZone = 'UTC';

CREATE OR REPLACE TABLE settings AS
SELECT
    -- 'event': as of is the greatest event time seen; 'wall': the clock.
    ${clock} AS clock,
    -- Of calendar windows, an IANA name.
    ${timezone} AS timezone,
    -- The unit of time of rolling windows.
    ${bucket_ms} AS bucket_ms,
    -- How far behind as of an event may be.
    ${horizon_ms} AS horizon_ms,
    -- The clock: events more than 24 hours after it are not usable.
    ${now_ms} AS now_ms,
    -- Of customers' stages: how long one is new; at risk after so many hundredths of its median
    -- time between orders, but not before; the time assumed of who has fewer than three; lapsed.
    ${new_ms} AS new_ms,
    ${at_risk_factor_hundredths} AS at_risk_factor_hundredths,
    ${at_risk_least_ms} AS at_risk_least_ms,
    ${typical_interval_ms} AS typical_interval_ms,
    ${lapsed_ms} AS lapsed_ms,
    -- The moment to compute for; NULL: what the clock says.
    ${given_as_of_ms}::BIGINT AS given_as_of_ms,
    -- The dimension whose segments are the variants of an experiment; '': there is none.
    ${experiment} AS experiment,
    -- The variant to compare the others with.
    ${control} AS control;

-- unit NULL: a rolling window of length_buckets buckets; otherwise a calendar period.
CREATE OR REPLACE TABLE configured_windows (
    window_name VARCHAR, unit VARCHAR, length_buckets BIGINT
);
INSERT INTO configured_windows VALUES
    ${windows};

-- The attributes to break every metric down by.
CREATE OR REPLACE TABLE dimensions AS
SELECT unnest(${dimensions}::VARCHAR[]) AS dimension;
