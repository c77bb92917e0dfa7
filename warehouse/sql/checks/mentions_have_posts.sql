-- #fail: a mention is of a post, or a version of it, that the lake does not hold
-- Reads: lake.mentions, lake.posts.
-- Scope: rows
SELECT post_id, version, brand
FROM lake.mentions
ANTI JOIN lake.posts USING (post_id, version)
