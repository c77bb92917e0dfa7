-- lake.feeds: the feeds of listening.toml when the snapshot was published.
-- Grain:   one row per feed.
-- Reads:   arrived_feeds.
-- Read by: feed_health, coverage_hours, heard_until.
SELECT *
FROM arrived_feeds
