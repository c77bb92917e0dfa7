-- panel(since, as_of): the feeds that were heard throughout a period and the equally long one before it.
-- Grain:   one row per feed on the panel.
-- Reads:   span, lake.visits, feed_hours.
-- Read by: counts.
-- Method:  in both periods a feed must have answered 90 % of its visits, and have been visited since their first tenth
--          at the latest, so that neither a feed that joined meanwhile nor one that fell silent moves shares. A period
--          in which no feed was visited, as before the first collect, excludes none.
-- Columns: feed
CREATE OR REPLACE MACRO panel(since, as_of) AS TABLE
WITH params AS (
    SELECT 0.9 AS coverage_at_least, 0.1 AS late_at_most
), periods AS (
    SELECT 'now' AS part, asked.starts, asked.ends FROM span(since, as_of) AS asked
    UNION ALL
    SELECT 'before', asked.starts, asked.ends FROM span(since, as_of, back := 1) AS asked
), known AS (
    SELECT told.feed, told.started_at, told.is_answer, min(told.started_at) OVER (PARTITION BY told.feed) AS joined_at
    FROM lake.visits AS told
    WHERE as_of IS NULL OR told.started_at <= CAST(as_of AS TIMESTAMP)
), visited AS (
    SELECT periods.part, known.feed, avg(CAST(known.is_answer AS INT)) AS coverage,
           min(known.joined_at) AS joined_at,
           min(min(known.started_at)) OVER (PARTITION BY periods.part) AS collected_since,
           any_value(periods.ends) AS ends
    FROM known
    JOIN periods ON known.started_at >= periods.starts AND known.started_at < periods.ends
    GROUP BY periods.part, known.feed
), parts AS (
    SELECT DISTINCT visited.part FROM visited
)
SELECT spoken.feed
FROM (SELECT DISTINCT cell.feed FROM feed_hours AS cell) AS spoken
CROSS JOIN params
LEFT JOIN parts ON true
LEFT JOIN visited ON visited.feed = spoken.feed AND visited.part = parts.part
GROUP BY spoken.feed
HAVING bool_and(parts.part IS NULL OR coalesce(
    visited.coverage >= params.coverage_at_least
    AND visited.joined_at
        <= visited.collected_since + params.late_at_most * (visited.ends - visited.collected_since), false))
ORDER BY spoken.feed
