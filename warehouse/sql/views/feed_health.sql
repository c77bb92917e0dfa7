-- feed_health: whether we hear each feed, so that silence is not taken for peace.
-- Grain:   one row per feed in listening.toml, and per feed once visited that is no longer in it.
-- Reads:   lake.feeds, lake.visits, lake.posts, lake.rejects, lake.snapshot.
-- Read by: the data team, `wom feeds`, silent_feeds.
-- Method:  what counts as an answer, lake.visits says. "7 days" are the 168 hours before the snapshot was published. What
--          is usual are the 28 days before those, or as many of them as the feed's posts reach back, at least 7.
--          A feed is dead once its visits have failed for 14 days without an answer between (dags/polling.py, which then
--          visits it once a week); its first answer revives it, and goes on from where it was. What is planned, the last
--          visit of the schedule or by hand says: backfills and second looks at kept posts plan nothing.
-- Columns:
--   is_configured: in listening.toml when the snapshot was published
--   last_visit_at: when it was last tried; NULL if never
--   last_success_at: when it last answered; NULL if never
--   last_outcome: new, unchanged, empty, blocked, failed, gone or capped; NULL if never tried
--   last_error: what went wrong at the last visit, for a person; NULL if nothing did
--   next_visit_at: when the schedule visits it again; NULL if never tried
--   waiting_for: why that is later than usual; NULL if it is not
--   failing_since: when the first of its failures in a row began; NULL if it answered last
--   kept_since: what was fetched before this day, UTC, is no longer kept; NULL if all is kept
--   is_dead: nothing but failures for 14 days
--   visits_7d: visits in 7 days
--   failures_7d: of those, visits it did not answer
--   outcomes_7d: of those, how many ended how
--   rejects_7d: items in 7 days that could not become posts
--   notes_7d: what was put right in what it sent in 7 days, or is doubted, counted by kind
--   posts_per_day: posts published in 7 days that still stand, divided by 7
--   usual_posts_per_day: the same of the days before; NULL where the feed's posts do not reach back far enough
--   newest_post_at: the time of its newest post that still stands; NULL if it has none
WITH params AS (
    SELECT INTERVAL 14 DAYS AS dead_after
), recent AS (
    SELECT CAST(published_at AS DATE) AS today, published_at - INTERVAL 7 DAYS AS since,
           published_at - INTERVAL 35 DAYS AS usual_since
    FROM lake.snapshot
), known AS (
    SELECT feed, source, url, about, keep_days, true AS is_configured
    FROM lake.feeds
    UNION ALL
    SELECT feed, any_value(source), NULL, NULL, NULL, false
    FROM lake.visits
    WHERE feed NOT IN (SELECT feed FROM lake.feeds)
    GROUP BY feed
), visited AS (
    SELECT feed,
           max(started_at) AS last_visit_at,
           max(started_at) FILTER (is_answer) AS last_success_at,
           arg_max(outcome, started_at) AS last_outcome,
           arg_max({'error': error}, started_at) AS last_told,
           arg_max({'at': started_at, 'next': next_visit_at, 'waiting': waiting_for, 'failing': failing_since}, started_at)
               FILTER (next_visit_at IS NOT NULL) AS last_planned,
           count(*) FILTER (started_at >= since) AS visits_7d,
           count(*) FILTER (started_at >= since AND NOT is_answer) AS failures_7d,
           histogram(outcome) FILTER (started_at >= since) AS outcomes_7d
    FROM lake.visits, recent
    GROUP BY feed
), refused AS (
    SELECT feed, count(*) AS rejects_7d
    FROM lake.rejects, recent
    WHERE rejected_at >= since
    GROUP BY feed
), noted AS (
    SELECT feed, map_from_entries(list({'key': note, 'value': times} ORDER BY note)) AS notes_7d
    FROM (
        SELECT feed, entry.key AS note, sum(entry.value)::BIGINT AS times
        FROM (SELECT feed, unnest(map_entries(notes)) AS entry FROM lake.visits, recent WHERE started_at >= since)
        GROUP BY ALL
    )
    GROUP BY feed
), heard AS (
    SELECT feed,
           count(*) FILTER (published_at >= since) / 7 AS posts_per_day,
           count(*) FILTER (published_at >= usual_since AND published_at < since) AS usual_posts,
           date_diff('hour', greatest(min(published_at), any_value(usual_since)), any_value(since)) / 24 AS usual_days,
           max(published_at) AS newest_post_at
    FROM lake.posts, recent
    WHERE is_current AND NOT deleted
    GROUP BY feed
)
SELECT known.feed, known.source, known.url, known.about, known.is_configured,
       recent.today - CAST(known.keep_days AS INTEGER) AS kept_since,
       visited.last_visit_at, visited.last_success_at, visited.last_outcome, visited.last_told.error AS last_error,
       visited.last_planned.next AS next_visit_at, visited.last_planned.waiting AS waiting_for,
       visited.last_planned.failing AS failing_since,
       coalesce(visited.last_planned.at - visited.last_planned.failing >= params.dead_after, false) AS is_dead,
       coalesce(visited.visits_7d, 0) AS visits_7d, coalesce(visited.failures_7d, 0) AS failures_7d,
       coalesce(visited.outcomes_7d, MAP {}) AS outcomes_7d, coalesce(refused.rejects_7d, 0) AS rejects_7d,
       coalesce(noted.notes_7d, MAP {}) AS notes_7d,
       coalesce(heard.posts_per_day, 0) AS posts_per_day,
       CASE WHEN heard.usual_days >= 7 THEN heard.usual_posts / heard.usual_days END AS usual_posts_per_day,
       heard.newest_post_at
FROM known
CROSS JOIN params
CROSS JOIN recent
LEFT JOIN visited ON visited.feed = known.feed
LEFT JOIN refused ON refused.feed = known.feed
LEFT JOIN noted ON noted.feed = known.feed
LEFT JOIN heard ON heard.feed = known.feed
