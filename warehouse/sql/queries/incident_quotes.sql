-- incident_quotes: what people say against a brand during an incident, in their words.
-- Grain:   one row per quote, the weightiest first; different authors, different stories.
-- Reads:   mentions.
-- Read by: warehouse/evidence.py.
-- Takes:   $brand; $since and $until, TIMESTAMPs in UTC; $aspects, names of those the incident is about; $quotes, how
--          many at most.
-- Method:  weight is the probability that the mention is negative (0.5 where that was not told) times
--          1 + ln(1 + reach), reach being followers, views, or twice the likes, replies and shares, whichever is most,
--          and twice as much where it complains of what the incident is about. A repost (RT @somebody: ...) is the same
--          text. Posts whose author is not told count as different authors.
WITH weighed AS (
    SELECT post_id, author, story_id, source, url, published_at,
           coalesce(nullif(text, ''), title) AS words,
           coalesce(p_negative, 0.5) * (1 + ln(1 + greatest(
               coalesce(author_followers, 0), coalesce(views, 0),
               2 * greatest(0, coalesce(likes, 0) + coalesce(replies, 0) + coalesce(shares, 0)))))
           * CASE WHEN len(list_filter(aspects, lambda found: found.sentiment < 0
                                       AND list_contains($aspects, found.aspect))) > 0 THEN 2 ELSE 1 END AS weight
    FROM mentions
    WHERE brand = $brand AND published_at >= $since AND published_at < $until AND sentiment = -1 AND is_meant
), by_author AS (
    SELECT *
    FROM weighed
    WHERE words <> ''
    QUALIFY row_number() OVER (PARTITION BY coalesce(author, post_id) ORDER BY weight DESC, post_id) = 1
), by_story AS (
    SELECT *
    FROM by_author
    QUALIFY row_number() OVER (PARTITION BY story_id ORDER BY weight DESC, post_id) = 1
)
SELECT words, url, source, published_at, author
FROM by_story
QUALIFY row_number() OVER (
    PARTITION BY trim(regexp_replace(regexp_replace(lower(words), '^\s*rt\s+@\S+', ''), '[^\pL\pN]+', ' ', 'g'))
    ORDER BY weight DESC, post_id) = 1
ORDER BY weight DESC, post_id
LIMIT $quotes
