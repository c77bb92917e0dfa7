-- mention_aspects: what about a brand pleases or annoys, one aspect a row.
-- Grain:   one row per (post_id, brand, aspect): an aspect of a mention that is meant.
-- Reads:   mentions.
-- Read by: the data team.
-- Method:  a mention has at most one opinion on an aspect.
-- Columns:
--   aspect: product, reliability, price, billing, delivery, support, staff, place, app, returns, privacy,
--          employer, ethics
--   sentiment: -1, 0 or 1 toward the brand in this aspect
--   words: the part of the text that shows it; NULL where a person set the aspect, or it lies in the title
WITH opened AS (
    SELECT post_id, brand, source, feed, published_at, author, stage, experience, text,
           unnest(aspects) AS found
    FROM mentions
    WHERE is_meant
)
SELECT post_id, brand, found.aspect AS aspect, found.sentiment AS sentiment, source, feed, published_at, author, stage,
       experience, nullif(substring(text, found.start + 1, found."end" - found.start), '') AS words
FROM opened
