-- complaint_days: how many voices complain of what, day by day (UTC).
-- Grain:   one row per (brand, aspect, stage, day) with complaints; and one per (brand, day) with aspect and stage NULL: all
--          voices.
-- Parts:   brand, CAST(hour AS DATE) AS day
-- Reads:   voices.
-- Read by: complaints_in, the checks.
-- Columns:
--   aspect: that is complained of
--   day: UTC
--   voices: that complain of the aspect at that stage; or all
--   unknowns: voices whose aspects were not judged; 0 in rows of an aspect
SELECT brand, aspect, stage, CAST(hour AS DATE) AS day, count(*) AS voices, 0 AS unknowns
FROM (SELECT brand, unnest(against) AS aspect, stage, hour FROM voices)
GROUP BY brand, aspect, stage, CAST(hour AS DATE)
UNION ALL
SELECT brand, NULL, NULL, CAST(hour AS DATE), count(*), count(*) FILTER (against IS NULL)
FROM voices
GROUP BY brand, CAST(hour AS DATE)
ORDER BY brand, day, aspect, stage
