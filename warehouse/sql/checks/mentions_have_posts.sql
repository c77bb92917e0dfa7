-- #fail: a mention is of a post, or a version of it, that the lake does not hold
-- Fails:  nobody could read what it says, or take it away with its post.
-- Reads:  lake.mentions, lake.posts.
-- Scope:  rows
SELECT post_id, version, brand
FROM lake.mentions
ANTI JOIN lake.posts USING (post_id, version)
