-- feed_health: whether we hear each feed, so that silence is not taken for peace.
-- Grain:   one row per feed in listening.toml, and per feed once visited that is no longer in it.
-- Reads:   lake.feeds, lake.visits, lake.posts, lake.snapshot.
-- Read by: the data team.
-- Method:  new, unchanged, empty and capped are answers; blocked, failed and gone are failures. "7 days" are the
--          168 hours before the snapshot was published.
-- Columns:
--   is_configured: in listening.toml when the snapshot was published
--   last_visit_at: when it was last tried; NULL if never
--   last_success_at: when it last answered; NULL if never
--   last_outcome: new, unchanged, empty, blocked, failed, gone or capped; NULL if never tried
--   last_error: what went wrong at the last visit, for a person; NULL if nothing did
--   visits_7d: visits in 7 days
--   failures_7d: of those, visits it did not answer
--   posts_per_day: posts published in 7 days that still stand, divided by 7
--   newest_post_at: the time of its newest post that still stands; NULL if it has none
WITH recent AS (
    SELECT published_at - INTERVAL 7 DAYS AS since
    FROM lake.snapshot
), known AS (
    SELECT feed, source, url, about, true AS is_configured
    FROM lake.feeds
    UNION ALL
    SELECT feed, any_value(source), NULL, NULL, false
    FROM lake.visits
    WHERE feed NOT IN (SELECT feed FROM lake.feeds)
    GROUP BY feed
), visited AS (
    SELECT feed,
           max(started_at) AS last_visit_at,
           max(started_at) FILTER (outcome NOT IN ('blocked', 'failed', 'gone')) AS last_success_at,
           arg_max(outcome, started_at) AS last_outcome,
           arg_max({'error': error}, started_at).error AS last_error,
           count(*) FILTER (started_at >= since) AS visits_7d,
           count(*) FILTER (started_at >= since AND outcome IN ('blocked', 'failed', 'gone')) AS failures_7d
    FROM lake.visits, recent
    GROUP BY feed
), heard AS (
    SELECT feed,
           count(*) FILTER (published_at >= since) / 7 AS posts_per_day,
           max(published_at) AS newest_post_at
    FROM lake.posts, recent
    WHERE is_current AND NOT deleted
    GROUP BY feed
)
SELECT known.feed, known.source, known.url, known.about, known.is_configured,
       visited.last_visit_at, visited.last_success_at, visited.last_outcome, visited.last_error,
       coalesce(visited.visits_7d, 0) AS visits_7d, coalesce(visited.failures_7d, 0) AS failures_7d,
       coalesce(heard.posts_per_day, 0) AS posts_per_day, heard.newest_post_at
FROM known
LEFT JOIN visited ON visited.feed = known.feed
LEFT JOIN heard ON heard.feed = known.feed
