-- lake.visits: every attempt to read a feed.
-- Grain:   one row per (feed, started_at).
-- Parts:   feed, started_at
-- Reads:   arrived_visits.
-- Read by: feed_health, coverage_hours, panel, heard_until, spike_counts, the checks.
-- Method:  new, unchanged, empty and capped are answers; blocked, failed and gone are none. An empty answer that is not
--          believed, because the feed had posts before, says so in `error` and is none either: missing is not zero.
-- Columns:
--   is_answer: whether the visit told what there was to tell
SELECT *,
       outcome NOT IN ('blocked', 'failed', 'gone') AND NOT (outcome = 'empty' AND error IS NOT NULL) AS is_answer
FROM arrived_visits
QUALIFY row_number() OVER (PARTITION BY feed, started_at ORDER BY finished_at DESC, posts DESC,
                                                            CAST(arrived_visits AS VARCHAR)) = 1
