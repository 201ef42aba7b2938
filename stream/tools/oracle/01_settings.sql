-- Step 1. The settings every later step reads. This is the only file with values filled in.
--
-- What must exist before: a table raw_events(arrival BIGINT, event VARCHAR), one row per event as
-- sent, `event` the JSON text and `arrival` its place in the order of arrival.

SET TimeZone = 'UTC';

CREATE OR REPLACE TABLE settings AS
SELECT
    ${clock}       AS clock,        -- 'event': as of = greatest event time seen; 'wall': the clock
    ${timezone}    AS timezone,     -- of calendar windows, an IANA name
    ${bucket_ms}   AS bucket_ms,    -- the unit of time of rolling windows
    ${horizon_ms}  AS horizon_ms,   -- how far behind as of an event may be
    ${now_ms}      AS now_ms,       -- the clock: events more than 24 h after it are not usable
    ${given_as_of_ms}::BIGINT AS given_as_of_ms;  -- NULL: the greatest event time, or the clock

-- unit NULL: a rolling window of length_buckets buckets; otherwise a calendar period.
CREATE OR REPLACE TABLE configured_windows (window_name VARCHAR, unit VARCHAR, length_buckets BIGINT);
INSERT INTO configured_windows VALUES
    ${windows};

-- The attributes to break every metric down by.
CREATE OR REPLACE TABLE dimensions AS
SELECT unnest(${dimensions}::VARCHAR[]) AS dimension;
