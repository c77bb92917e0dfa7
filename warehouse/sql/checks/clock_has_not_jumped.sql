-- #warn: posts were fetched after the snapshot's own time: a clock was set back, or is wrong somewhere
-- Warns:  what was fetched is real; only what is reckoned from now, such as "the last 7 days", is off.
-- Reads:  lake.posts, lake.snapshot.
SELECT post_id, feed, posts.fetched_at
FROM lake.posts AS posts, lake.snapshot AS snapshot
WHERE posts.fetched_at > snapshot.published_at + INTERVAL 2 MINUTES
