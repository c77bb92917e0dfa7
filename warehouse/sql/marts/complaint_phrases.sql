-- complaint_phrases: the phrases of texts that complain of an aspect of a brand, of each day a sample.
-- Grain:   one row per (brand, post_id).
-- Parts:   brand, CAST(hour AS DATE)
-- Reads:   voices, lake.posts, phrases_of.
-- Read by: phrases_that_grew.
-- Method:  of a brand and day the last texts of at most 50 voices that complain, drawn by hash.
-- Columns:
--   hour: in which it was said, UTC
--   against: aspects that it complains of, by name
--   drawn_as: number in the draw of its brand and day, from 1 on: those up to any number are a smaller draw
--   phrases: of its title and text, each once (see phrases_of)
WITH params AS (
    SELECT 50 AS texts_at_most  -- as in phrases_that_grew
), drawn AS (
    SELECT brand, unnest(range(1, len(texts) + 1)) AS drawn_as, unnest(texts, recursive := true)
    FROM (
        SELECT brand, min_by({'hour': hour, 'post_id': post_id, 'version': version, 'stage': stage, 'against': against},
                             hash(post_id), (SELECT texts_at_most FROM params)) AS texts
        FROM voices
        WHERE len(against) > 0
        GROUP BY brand, CAST(hour AS DATE)
    )
)
SELECT drawn.brand, drawn.hour, drawn.post_id, drawn.stage, drawn.against, drawn.drawn_as,
       phrases_of(reading.title, reading.text) AS phrases
FROM drawn
JOIN lake.posts AS reading
  ON reading.post_id = drawn.post_id AND reading.version = drawn.version AND reading.is_current
 AND reading.published_at >= drawn.hour  -- always so; of a few days DuckDB then reads no other days' posts
ORDER BY drawn.drawn_as > 8, drawn.brand, drawn.hour, drawn.post_id  -- what is read of all brands lies together
