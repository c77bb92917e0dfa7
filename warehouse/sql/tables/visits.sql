-- lake.visits: every attempt to read a feed.
-- Grain:   one row per (feed, started_at).
-- Reads:   arrived_visits.
-- Read by: feed_health, brand_hours, the checks.
SELECT *
FROM arrived_visits
QUALIFY row_number() OVER (PARTITION BY feed, started_at ORDER BY finished_at DESC, posts DESC) = 1
