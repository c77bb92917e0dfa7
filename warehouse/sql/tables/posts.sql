-- lake.posts: every reading of every post, each once, and which of them is the current one.
-- Grain:   one row per (post_id, version, fetched_at): a reading.
-- Reads:   arrived_posts, the lake's files; overlapping visits and compaction bring some rows twice.
-- Read by: lake.mentions, lake.story_posts, posts, stories, mentions, opinions, feed_health, phrases_that_grew,
--          amplification, the checks.
-- Method:  the newest reading is the current one. Of two in the same visit a tombstone wins, then the later edit. A
--          count that a reading does not tell keeps the last value told: silence is not zero. Listeners date an
--          undated post by their visit; read again, it keeps the earliest time told, or it would seem said anew.
-- Columns:
--   is_current: the post's newest reading, be it a tombstone
--   superseded_at: when the reading after it was fetched; NULL if it is the newest
WITH once AS (
    SELECT *
    FROM arrived_posts
    QUALIFY row_number() OVER (
        PARTITION BY post_id, version, fetched_at
        ORDER BY feed, likes DESC NULLS LAST, replies DESC NULLS LAST, shares DESC NULLS LAST, views DESC NULLS LAST
    ) = 1
)
SELECT * REPLACE (
           CASE WHEN published_at = fetched_at THEN min(published_at) OVER so_far ELSE published_at END AS published_at,
           last_value(author_followers IGNORE NULLS) OVER so_far AS author_followers,
           last_value(likes IGNORE NULLS) OVER so_far AS likes,
           last_value(replies IGNORE NULLS) OVER so_far AS replies,
           last_value(shares IGNORE NULLS) OVER so_far AS shares,
           last_value(views IGNORE NULLS) OVER so_far AS views
       ),
       lead(version) OVER so_far IS NULL AS is_current,
       lead(fetched_at) OVER so_far AS superseded_at
FROM once
WINDOW so_far AS (
    PARTITION BY post_id
    ORDER BY fetched_at, deleted, edited_at NULLS FIRST, version
    ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
)
