-- #fail: a story is told by a post that the lake does not hold: a mistake of ours; `wom publish --rebuild` may mend it
-- Fails:  it would be said to have gone round more than it did.
-- Reads:  lake.story_posts, lake.posts.
-- Scope:  rows
SELECT post_id, version, story_id
FROM lake.story_posts
ANTI JOIN lake.posts USING (post_id, version)
