-- Step 2. ISO 4217: the currencies in use, with those withdrawn since 2021 that older events may
-- still carry (ANG BGN CUC HRK SLL ZWL), and the decimal places of their minor unit.
-- Amounts are whole minor units from here on (12.34 EUR = 1234), so that sums are exact.

CREATE OR REPLACE TABLE currencies AS
SELECT
    unnest(string_split(codes, ' ')) AS currency,
    minor_digits,
    (10 ** minor_digits)::BIGINT AS minor_per_major
FROM (VALUES
    (0, 'BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF'),
    (2, 'AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BMD BND BOB BOV BRL BSD BTN '
        || 'BWP BYN BZD CAD CDF CHE CHF CHW CNY COP COU CRC CUC CUP CVE CZK DKK DOP DZD EGP ERN '
        || 'ETB EUR FJD FKP GBP GEL GHS GIP GMD GTQ GYD HKD HNL HRK HTG HUF IDR ILS INR IRR JMD '
        || 'KES KGS KHR KPW KYD KZT LAK LBP LKR LRD LSL MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR '
        || 'MWK MXN MXV MYR MZN NAD NGN NIO NOK NPR NZD PAB PEN PGK PHP PKR PLN QAR RON RSD RUB '
        || 'SAR SBD SCR SDG SEK SGD SHP SLE SLL SOS SRD SSP STN SVC SYP SZL THB TJS TMT TOP TRY '
        || 'TTD TWD TZS UAH USD USN UYU UZS VED VES WST XCD XCG YER ZAR ZMW ZWG ZWL'),
    (3, 'BHD IQD JOD KWD LYD OMR TND'),
    (4, 'CLF UYW')
) AS iso_4217 (minor_digits, codes);
