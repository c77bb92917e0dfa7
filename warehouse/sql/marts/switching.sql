-- switching: who says that they move, or think of moving, between brands.
-- Grain:   one row per (post_id, switched_from, switched_to, switch_status): a move that a post tells of, be it a
--          mention of both brands.
-- Parts:   post_id
-- Reads:   opinions.
-- Read by: the data team.
-- Columns:
--   said_at: the post's time
SELECT post_id, min(published_at) AS said_at, any_value(author) AS author, any_value(source) AS source,
       any_value(feed) AS feed, switched_from, switched_to, switch_status
FROM opinions
WHERE known_until IS NULL AND switch_status IS NOT NULL AND coalesce(switched_from, switched_to) IS NOT NULL
GROUP BY post_id, switched_from, switched_to, switch_status
ORDER BY said_at, post_id
