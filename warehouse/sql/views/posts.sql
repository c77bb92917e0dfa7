-- posts: what has been published and still stands, as last read.
-- Grain:   one row per post_id; posts that were taken down are left out.
-- Reads:   lake.posts, which holds every reading and the tombstones.
-- Read by: the data team, the checks.
SELECT * EXCLUDE (file, as_arrived, is_current, superseded_at, deleted)
FROM lake.posts
WHERE is_current AND NOT deleted
