-- lake.posts: every reading of every post, each once, and which of them is the current one.
-- Grain:   one row per (post_id, version, fetched_at): a reading.
-- Parts:   post_id
-- Reads:   arrived_posts, the lake's files; overlapping visits and compaction bring some rows twice.
-- Read by: lake.mentions, lake.story_posts, posts, stories, mentions, opinions, feed_health, complaint_phrases,
--          phrases_that_grew, what_grew, amplification, the checks.
-- Method:  the newest reading is the current one. Of two in the same visit a tombstone wins, then the later edit. A
--          count that a reading does not tell keeps the last value told: silence is not zero. Listeners date an
--          undated post by their visit; read again, it keeps the earliest time told, or it would seem said anew.
--          Most posts are read once: they are spared the windows.
-- Columns:
--   is_current: the post's newest reading, be it a tombstone
--   superseded_at: when the reading after it was fetched; NULL if it is the newest
WITH several AS (  -- a hash takes less room than the id; that two ids share one costs a window and changes nothing
    SELECT hash(post_id) AS hashed
    FROM arrived_posts
    GROUP BY hashed
    HAVING count(*) > 1
), once AS (
    SELECT *
    FROM arrived_posts
    WHERE hash(post_id) IN (FROM several)
    QUALIFY row_number() OVER (
        PARTITION BY post_id, version, fetched_at
        ORDER BY feed, likes DESC NULLS LAST, replies DESC NULLS LAST, shares DESC NULLS LAST, views DESC NULLS LAST,
                 CAST(arrived_posts AS VARCHAR)
    ) = 1
), followed AS (
    SELECT *,
           CASE WHEN published_at = fetched_at THEN min(published_at) OVER so_far ELSE published_at END
               AS told_published_at,
           last_value(author_followers IGNORE NULLS) OVER so_far AS told_author_followers,
           last_value(likes IGNORE NULLS) OVER so_far AS told_likes,
           last_value(replies IGNORE NULLS) OVER so_far AS told_replies,
           last_value(shares IGNORE NULLS) OVER so_far AS told_shares,
           last_value(views IGNORE NULLS) OVER so_far AS told_views,
           lead(version) OVER so_far IS NULL AS is_current,
           lead(fetched_at) OVER so_far AS superseded_at
    FROM once
    WINDOW so_far AS (
        PARTITION BY post_id
        ORDER BY fetched_at, deleted, edited_at NULLS FIRST, version
        ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
    )
)
SELECT * EXCLUDE (told_published_at, told_author_followers, told_likes, told_replies, told_shares, told_views,
                  is_current, superseded_at)
         REPLACE (told_published_at AS published_at, told_author_followers AS author_followers, told_likes AS likes,
                  told_replies AS replies, told_shares AS shares, told_views AS views),
       CASE WHEN (published_at, author_followers, likes, replies, shares, views)
                 IS DISTINCT FROM (told_published_at, told_author_followers, told_likes, told_replies, told_shares,
                                   told_views)
            THEN {'published_at': followed.published_at, 'author_followers': followed.author_followers,
                  'likes': followed.likes, 'replies': followed.replies, 'shares': followed.shares,
                  'views': followed.views} END AS as_arrived,
       is_current, superseded_at
FROM followed
UNION ALL BY NAME
SELECT *, true AS is_current
FROM arrived_posts
WHERE hash(post_id) NOT IN (FROM several)
