-- Step 3. Out of the JSON: one column per field, still as sent.
-- `…_json` is the field's JSON text (a string keeps its quotes, so its type can be told), NULL when
-- missing or null; `…_text` is the same without quotes.

CREATE OR REPLACE TABLE fields AS
WITH parsed AS (
    SELECT
        arrival,
        CASE WHEN json_valid(event) AND json_type(event) = 'OBJECT' THEN event END AS event
    FROM raw_events
),
extracted AS (
    SELECT
        arrival,
        event IS NOT NULL AS is_object,
        json_extract(event, [
            '$.type', '$.customer_id', '$.occurred_at', '$.order_id', '$.return_id', '$.amount',
            '$.currency', '$.units', '$.store', '$.attributes'
        ])::VARCHAR[] AS json,
        json_extract_string(event, [
            '$.type', '$.customer_id', '$.occurred_at', '$.order_id', '$.return_id', '$.amount',
            '$.currency', '$.units', '$.store'
        ]) AS text
    FROM parsed
)
SELECT
    arrival,
    is_object,
    nullif(json[1], 'null') AS type_json,         text[1] AS type_text,
    nullif(json[2], 'null') AS customer_id_json,  text[2] AS customer_id_text,
    nullif(json[3], 'null') AS occurred_at_json,  text[3] AS occurred_at_text,
    nullif(json[4], 'null') AS order_id_json,     text[4] AS order_id_text,
    nullif(json[5], 'null') AS return_id_json,    text[5] AS return_id_text,
    nullif(json[6], 'null') AS amount_json,       text[6] AS amount_text,
    nullif(json[7], 'null') AS currency_json,     text[7] AS currency_text,
    nullif(json[8], 'null') AS units_json,        text[8] AS units_text,
    nullif(json[9], 'null') AS store_json,        text[9] AS store_text,
    nullif(json[10], 'null') AS attributes_json
FROM extracted;
