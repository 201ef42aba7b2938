-- Step 4. From texts to values. A value that breaks its rule is NULL here; step 5 turns that into
-- a reason. A JSON string starts with a quote, a number with a digit or a minus sign.

CREATE OR REPLACE TABLE typed_events AS
WITH times AS (
    SELECT
        *,
        -- RFC 3339 with an offset, cut down to whole milliseconds.
        occurred_at_json[1] = '"' AND regexp_full_match(
            occurred_at_text,
            '[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ]([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]([.][0-9]+)?'
            || '([Zz]|[+-]([01][0-9]|2[0-3]):[0-5][0-9])'
        ) AS is_rfc_3339,
        TRY_CAST(left(occurred_at_text, 10) || ' ' || substr(occurred_at_text, 12, 8) AS TIMESTAMP)
            AS local_second,
        rpad(left(regexp_extract(occurred_at_text, '[.]([0-9]+)', 1), 3), 3, '0')::BIGINT
            AS fraction_ms,
        CASE
            WHEN upper(right(occurred_at_text, 1)) = 'Z' THEN 0
            ELSE (TRY_CAST(substr(occurred_at_text, -5, 2) AS BIGINT) * 60
                  + TRY_CAST(right(occurred_at_text, 2) AS BIGINT))
                 * CASE substr(occurred_at_text, -6, 1) WHEN '-' THEN -60000 ELSE 60000 END
        END AS offset_ms,
        -- A number: milliseconds when above 1e11, otherwise seconds.
        CASE WHEN regexp_matches(occurred_at_json, '^[-0-9]')
            THEN TRY_CAST(occurred_at_text AS DOUBLE) END AS epoch_number
    FROM fields
),
amounts AS (
    SELECT
        times.*,
        currency,
        minor_digits,
        amount_json[1] = '"' AND regexp_full_match(amount_text, '[0-9]{1,18}([.][0-9]{1,32})?')
            AS is_decimal_text,
        -- Zeros at the end of a decimal string say nothing; other excess digits are an error.
        rtrim(regexp_extract(amount_text, '[.]([0-9]+)$', 1), '0') AS fraction_digits,
        -- A JSON number, counted in units of 1e-22 so that its rounding is exact.
        CASE WHEN regexp_matches(amount_json, '^[-0-9]')
            THEN replace(TRY_CAST(amount_text AS DECIMAL(38, 22))::VARCHAR, '.', '')::HUGEINT END
            AS amount_e22,
        (10::HUGEINT ** (22 - minor_digits))::HUGEINT AS minor_unit_e22
    FROM times
    LEFT JOIN currencies ON currency_json[1] = '"' AND currency = currency_text
)
SELECT
    arrival,
    is_object,
    CASE WHEN type_json[1] = '"'
            AND type_text IN ('purchase', 'signup', 'return', 'cancellation', 'erasure')
        THEN type_text END AS type,
    customer_id_json IS NOT NULL AS has_customer_id,
    CASE WHEN customer_id_json[1] = '"' AND length(customer_id_text) BETWEEN 1 AND 256
            AND NOT contains(customer_id_text, chr(0)) THEN customer_id_text END AS customer_id,
    CASE
        WHEN is_rfc_3339 THEN epoch_ms(local_second) + fraction_ms - offset_ms
        WHEN epoch_number > 1e11 THEN TRY_CAST(round_even(epoch_number, 0) AS BIGINT)
        WHEN epoch_number >= 0 THEN TRY_CAST(round_even(epoch_number * 1000, 0) AS BIGINT)
    END AS occurred_at_ms,
    order_id_json IS NOT NULL AS has_order_id,
    CASE WHEN (order_id_json[1] = '"' OR regexp_full_match(order_id_json, '-?[0-9]+'))
            AND length(order_id_text) BETWEEN 1 AND 256
            AND NOT contains(order_id_text, chr(0)) THEN order_id_text END AS order_id,
    CASE WHEN (return_id_json[1] = '"' OR regexp_full_match(return_id_json, '-?[0-9]+'))
            AND length(return_id_text) BETWEEN 1 AND 256
            AND NOT contains(return_id_text, chr(0)) THEN return_id_text END AS return_id,
    CASE
        WHEN is_decimal_text AND length(fraction_digits) <= minor_digits
            THEN TRY_CAST(
                string_split(amount_text, '.')[1] || rpad(fraction_digits, minor_digits, '0')
                AS HUGEINT)
        WHEN amount_e22 >= 0  -- half a minor unit goes to the even neighbour
            THEN amount_e22 // minor_unit_e22 + CASE
                WHEN 2 * (amount_e22 % minor_unit_e22) > minor_unit_e22 THEN 1
                WHEN 2 * (amount_e22 % minor_unit_e22) = minor_unit_e22
                    THEN (amount_e22 // minor_unit_e22) % 2
                ELSE 0 END
    END AS amount_minor_units,
    currency,
    CASE WHEN units_json IS NULL THEN 1
        -- Whole is whole: 3.0 is 3.
        WHEN regexp_full_match(units_json, '[0-9]+([.]0)?')
            THEN TRY_CAST(TRY_CAST(units_json AS DECIMAL(38, 1)) AS UINTEGER)
    END AS units,
    CASE WHEN store_json IS NULL THEN 'default'
        WHEN store_json[1] = '"' AND length(store_text) BETWEEN 1 AND 128
            AND NOT contains(store_text, chr(0)) THEN store_text END AS store,
    CASE WHEN attributes_json[1] = '{' THEN attributes_json END AS attributes,
    -- Of the attributes only the dimensions are looked at: texts of at most 128 characters.
    attributes_json IS NULL OR (attributes_json[1] = '{' AND coalesce(list_bool_and(
        list_transform(
            list_transform(
                (SELECT list(dimension) FROM dimensions),
                lambda dimension: json_extract(attributes_json, '/' || dimension)::VARCHAR),
            lambda value: coalesce(value, 'null') = 'null'
                OR (value[1] = '"' AND length(value ->> '$') <= 128)
        )), true)) AS attributes_usable,
    -- Every known field has the right type of JSON, also where its value is not looked at.
    coalesce(customer_id_json[1] = '"', true)
        AND coalesce(order_id_json[1] = '"' OR regexp_full_match(order_id_json, '-?[0-9]+'), true)
        AND coalesce(return_id_json[1] = '"' OR regexp_full_match(return_id_json, '-?[0-9]+'), true)
        AND coalesce(regexp_matches(amount_json, '^["0-9-]'), true)
        AND coalesce(currency_json[1] = '"', true)
        AND coalesce(regexp_matches(units_json, '^[0-9-]'), true)
        AND coalesce(store_json[1] = '"', true) AS types_usable
FROM amounts;
