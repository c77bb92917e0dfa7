-- #fail: a post is dated more than 2 minutes after it was fetched
-- Fails:  it would lead every list, and its hour would change each time it is published.
-- Reads:  lake.posts.
-- Scope:  rows
SELECT post_id, feed, published_at, fetched_at
FROM lake.posts
WHERE published_at > fetched_at + INTERVAL 2 MINUTES
