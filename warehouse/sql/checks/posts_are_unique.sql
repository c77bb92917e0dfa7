-- #fail: a post is in posts more than once
-- Fails:  every count that is made of it would be too high.
-- Reads:  posts.
-- Scope:  rows
SELECT post_id, count(*) AS times
FROM posts
GROUP BY post_id
HAVING count(*) > 1
