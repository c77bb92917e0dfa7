-- #fail: a story is named by a post that does not tell it: a mistake of ours; `wom publish --rebuild` may mend it
-- Fails:  who looks for its first post would find none.
-- Reads:  lake.story_posts.
SELECT told.post_id, told.version, told.story_id
FROM lake.story_posts AS told
ANTI JOIN (FROM lake.story_posts WHERE post_id = story_id) AS of_first ON of_first.story_id = told.story_id
