-- #fail: an hour or a day of a brand is there more than once: a mistake of ours; `wom publish --rebuild` may mend it
-- Fails:  what is summed over it would count twice.
-- Reads:  brand_hours, brand_days, aspect_days.
SELECT 'brand_hours' AS mart, brand, NULL AS aspect, CAST(hour AS VARCHAR) AS at, count(*) AS times
FROM brand_hours
GROUP BY brand, hour
HAVING count(*) > 1
UNION ALL
SELECT 'brand_days', brand, NULL, CAST(day AS VARCHAR), count(*)
FROM brand_days
GROUP BY brand, day
HAVING count(*) > 1
UNION ALL
SELECT 'aspect_days', brand, aspect, CAST(day AS VARCHAR), count(*)
FROM aspect_days
GROUP BY brand, aspect, day
HAVING count(*) > 1
