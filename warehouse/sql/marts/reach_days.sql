-- reach_days: how many people each source's mentions of a brand may have reached, day by day (UTC).
-- Grain:   one row per (brand, source, day) with mentions.
-- Parts:   brand, CAST(hour AS DATE) AS day
-- Reads:   opinions.
-- Read by: negative_reach, the checks.
-- Method:  a mention that tells its reach weighs ln(1 + reach). What one that does not is worth, and how far the largest
--          count, depends on the period asked for (see negative_reach). Levels are as of the day's end: a mention said h
--          hours before it weighs exp(-h/48) of its weight.
-- Columns:
--   day: UTC
--   mentions: posts that name the brand
--   judged: of them, those whose sentiment was judged
--   untold: mentions that do not tell their reach
--   judged_untold: judged ones among these
--   negatives_untold: mentions against the brand among these
--   judged_weight: of the judged mentions that tell their reach
--   judged_squares: sum of the squares of these weights
--   negative_weight: of the mentions against the brand that tell their reach
--   negative_level: the same at the day's end
--   untold_level: of the mentions against the brand that do not, at the day's end, as if each weighed 1
WITH said AS (
    SELECT brand, source, CAST(hour AS DATE) AS day, sentiment, reach,
           ln(1 + CASE WHEN reach >= 0 THEN reach END) AS weight,  -- of one below 0 a check tells
           CASE WHEN sentiment = -1 THEN exp(date_diff('second', CAST(hour AS DATE) + INTERVAL 1 DAY,
                                                       least(published_at, hour + INTERVAL 1 HOUR)) / 172800) END
               AS freshness
    FROM opinions
    WHERE known_until IS NULL
), exact AS (  -- sums of decimals are the same in whatever order
    SELECT brand, source, day, sentiment, reach, CAST(weight AS DECIMAL(18, 12)) AS weight,
           CAST(weight ^ 2 AS DECIMAL(18, 12)) AS square, CAST(weight * freshness AS DECIMAL(18, 12)) AS level,
           CAST(freshness AS DECIMAL(18, 12)) AS freshness
    FROM said
)
SELECT brand, source, day,
       count(*) AS mentions,
       count(sentiment) AS judged,
       count(*) - count(reach) AS untold,
       count(sentiment) FILTER (reach IS NULL) AS judged_untold,
       count(*) FILTER (sentiment = -1 AND reach IS NULL) AS negatives_untold,
       CAST(coalesce(sum(weight) FILTER (sentiment IS NOT NULL), 0) AS DOUBLE) AS judged_weight,
       CAST(coalesce(sum(square) FILTER (sentiment IS NOT NULL), 0) AS DOUBLE) AS judged_squares,
       CAST(coalesce(sum(weight) FILTER (sentiment = -1), 0) AS DOUBLE) AS negative_weight,
       CAST(coalesce(sum(level), 0) AS DOUBLE) AS negative_level,
       CAST(coalesce(sum(freshness) FILTER (reach IS NULL), 0) AS DOUBLE) AS untold_level
FROM exact
GROUP BY brand, source, day
ORDER BY brand, day, source
