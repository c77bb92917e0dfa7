-- series_hours: what was said in each hour of each series that is judged for negative spikes.
-- Grain:   one row per series and hour of its brand, quiet hours included, in order.
-- Reads:   judged_series, spike_counts, brand_hours.
-- Read by: warehouse/brand_verdicts.py.
-- Takes:   $since, the first hour; NULL: all.
-- Method:  negatives of an aspect are compared with all that is said of the brand. History that never had a first look
--          is thinned by the share that usually comes late. Hours of which nothing came while every visit failed were
--          not heard.
-- Columns: series, since_1970 (hours), mentions, negatives (both NULL where nothing was heard)
WITH counted AS (  -- fewer to join than all
    SELECT *
    FROM spike_counts
    WHERE coalesce(hour >= $since, true)
)
SELECT judged.series, CAST(epoch(hours.hour) AS BIGINT) // 3600 AS since_1970,
       CASE WHEN NOT (hours.mentions = 0 AND coalesce(hours.coverage, 1) = 0)
            THEN coalesce(said.mentions - said.history * judged.late_share, 0.0) END AS mentions,
       CASE WHEN NOT (hours.mentions = 0 AND coalesce(hours.coverage, 1) = 0)
            THEN coalesce(against.negatives * (1 - judged.late_share * against.history / against.mentions), 0.0) END
           AS negatives
FROM judged_series AS judged
JOIN brand_hours AS hours ON hours.brand = judged.brand AND hours.hour >= judged.since
LEFT JOIN counted AS said
  ON said.brand = judged.brand AND said.hour = hours.hour AND said.aspect IS NULL
 AND said.source IS NOT DISTINCT FROM judged.source
LEFT JOIN counted AS against
  ON against.brand = judged.brand AND against.hour = hours.hour
 AND against.aspect IS NOT DISTINCT FROM judged.aspect AND against.source IS NOT DISTINCT FROM judged.source
WHERE coalesce(hours.hour >= $since, true)
ORDER BY judged.series, since_1970
