-- praise_quotes: what people say for a brand within a time, in their words.
-- Grain:   one row per quote, the weightiest first; different authors, different stories.
-- Reads:   mentions.
-- Read by: warehouse/noticing.py.
-- Takes:   $brand; $since and $until, TIMESTAMPs in UTC; $quotes, how many at most.
-- Method:  as incident_quotes, of what is positive.
WITH by_author AS (
    SELECT post_id, author, story_id, source, url, published_at, coalesce(nullif(text, ''), title) AS words,
           coalesce(p_positive, 0.5) * (1 + ln(1 + greatest(coalesce(author_followers, 0), coalesce(views, 0))))
               AS weight
    FROM mentions
    WHERE brand = $brand AND published_at >= $since AND published_at < $until AND sentiment = 1 AND is_meant
      AND coalesce(nullif(text, ''), title) <> ''
    QUALIFY row_number() OVER (PARTITION BY coalesce(author, post_id) ORDER BY weight DESC, post_id) = 1
)
SELECT words, url, source, published_at, author
FROM by_author
QUALIFY row_number() OVER (PARTITION BY story_id ORDER BY weight DESC, post_id) = 1
ORDER BY weight DESC, post_id
LIMIT $quotes
