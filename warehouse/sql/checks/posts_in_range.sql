-- #fail: a post's rating is not between 0 and 1, or a count of it is below 0
-- Fails:  means and sums made of it would be wrong, and nobody would see why.
-- Reads:  lake.posts.
-- Scope:  rows
-- Method: likes may be below 0: on some sites votes against a post are taken off.
SELECT post_id, feed, rating, author_followers, replies, shares, views
FROM lake.posts
WHERE NOT (
    coalesce(rating BETWEEN 0 AND 1, true)
    AND coalesce(author_followers >= 0, true)
    AND coalesce(replies >= 0, true)
    AND coalesce(shares >= 0, true)
    AND coalesce(views >= 0, true)
)
