-- judged_hours: how long each brand was watched, to say how many alerts there are a brand and month.
-- Grain:   one row per brand that was heard long enough to be judged.
-- Reads:   brand_hours.
-- Read by: dags/replaying.py.
-- Takes:   $since and $until, TIMESTAMPs in UTC; $days, how many a brand is heard before it is judged.
-- Method:  hours of which nothing came while every visit failed were not heard.
-- Columns: brand, hours
WITH firsts AS (
    SELECT brand, min(hour) AS first_hour
    FROM brand_hours
    GROUP BY brand
)
SELECT told.brand, count(*) AS hours
FROM brand_hours AS told
JOIN firsts ON firsts.brand = told.brand
WHERE told.hour >= greatest(date_trunc('hour', CAST($since AS TIMESTAMP)),
                            date_trunc('day', firsts.first_hour) + to_days(CAST($days AS INTEGER)))
  AND told.hour < $until AND NOT (told.mentions = 0 AND coalesce(told.coverage, 1) = 0)
GROUP BY told.brand
ORDER BY told.brand
