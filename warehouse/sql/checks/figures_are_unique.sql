-- #fail: an hour or a day of a brand is there more than once: a mistake of ours; `wom publish --rebuild` may mend it
-- Fails:  what is summed over it would count twice.
-- Reads:  brand_hours, brand_days, aspect_days, complaint_days, reach_days.
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
UNION ALL
SELECT 'complaint_days', brand, aspect, concat_ws(' ', day, stage), count(*)
FROM complaint_days
GROUP BY brand, aspect, day, stage
HAVING count(*) > 1
UNION ALL
SELECT 'reach_days', brand, NULL, concat_ws(' ', day, source), count(*)
FROM reach_days
GROUP BY brand, source, day
HAVING count(*) > 1
