-- coverage_hours(as_of): how well each hour was listened to.
-- Grain:   one row per hour with visits and brand that a feed is about; brand is NULL for the feeds that are about
--          none, which may name any.
-- Reads:   lake.visits, lake.feeds.
-- Read by: brand_hours, coverage_in, trend.
-- Takes:   as_of, later visits do not count (NULL: all do).
-- Columns: brand, hour, visits, answered
CREATE OR REPLACE MACRO coverage_hours(as_of) AS TABLE
SELECT feeds.about AS brand, date_trunc('hour', visits.started_at) AS hour,
       count(*) AS visits,
       count(*) FILTER (visits.is_answer) AS answered
FROM lake.visits AS visits
LEFT JOIN lake.feeds AS feeds ON feeds.feed = visits.feed
WHERE as_of IS NULL OR visits.started_at <= CAST(as_of AS TIMESTAMP)
GROUP BY ALL
