-- brand_authors: how many different people speak of each brand, by the hour and by the day (UTC).
-- Grain:   one row per (brand, day, hour) in which somebody spoke of the brand, and one per (brand, day) with hour NULL.
-- Parts:   brand, CAST(hour AS DATE) AS day
-- Reads:   opinions.
-- Read by: brand_hours, brand_days.
-- Method:  an author of several hours counts in each, and once in the day. What stands now counts.
-- Columns:
--   day: UTC
--   hour: its start, UTC; NULL: the whole day
--   authors: different authors; posts without one do not count
SELECT brand, CAST(hour AS DATE) AS day, hour, count(DISTINCT author) AS authors
FROM opinions
WHERE known_until IS NULL
GROUP BY GROUPING SETS ((brand, CAST(hour AS DATE), hour), (brand, CAST(hour AS DATE)))
ORDER BY brand, day, hour
