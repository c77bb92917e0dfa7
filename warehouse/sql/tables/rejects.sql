-- lake.rejects: items of feeds that could not become posts.
-- Grain:   one row per (feed, item_hash, rejected_at).
-- Parts:   feed, item_hash, rejected_at
-- Reads:   arrived_rejects.
-- Read by: feed_health, people who miss a post.
SELECT *
FROM arrived_rejects
QUALIFY row_number() OVER (PARTITION BY feed, item_hash, rejected_at ORDER BY reason,
                           CAST(arrived_rejects AS VARCHAR)) = 1
