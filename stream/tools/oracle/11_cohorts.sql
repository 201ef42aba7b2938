-- Step 11. Cohorts: customers by the calendar month they began in, by their first order or by their
-- earliest signup, and how many of them ordered in each month since. Months are local, up to the
-- one that as of is in, and counted from the year 0.

CREATE OR REPLACE MACRO month_number(day) AS 12 * year(day) + month(day) - 1;

CREATE OR REPLACE TABLE order_months AS
SELECT DISTINCT buyer_id, month_number(local_day) AS month
FROM orders CROSS JOIN as_of
WHERE is_customer AND bucket <= as_of_bucket;

-- Who began when, in either way.
CREATE OR REPLACE TABLE members AS
SELECT 'order' AS began_by, store, buyer_id, min(month) AS cohort_month
FROM order_months JOIN buyers USING (buyer_id)
GROUP BY ALL
UNION ALL
SELECT 'signup', store, buyer_id, month_number(local_day)
FROM signups JOIN buyers USING (buyer_id) CROSS JOIN as_of
WHERE bucket <= as_of_bucket;

CREATE OR REPLACE TABLE cohorts AS
SELECT
    began_by, store, cohort_month,
    printf('%04d-%02d', cohort_month // 12, cohort_month % 12 + 1) AS cohort,
    count(*) AS customers
FROM members CROSS JOIN as_of
WHERE cohort_month <= month_number(as_of_day)
GROUP BY ALL;

-- A month in which none of them ordered is there, too.
CREATE OR REPLACE TABLE cohort_ages AS
WITH ages AS (
    SELECT cohorts.*, unnest(range(month_number(as_of_day) - cohort_month + 1)) AS age
    FROM cohorts CROSS JOIN as_of
),
orders_of_members AS (
    SELECT began_by, store, cohort_month, month - cohort_month AS age, count(*) AS customers
    FROM members JOIN order_months USING (buyer_id)
    GROUP BY ALL
)
SELECT began_by, store, cohort, age, coalesce(orders_of_members.customers, 0) AS customers
FROM ages LEFT JOIN orders_of_members USING (began_by, store, cohort_month, age);
