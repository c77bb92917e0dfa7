-- brand_hours: what was said about each brand, hour by hour, quiet hours included.
-- Grain:   one row per (brand, hour), from the brand's first mention to the hour of the snapshot, which is still
--          running. More than 400 days back only hours with mentions have a row.
-- Reads:   mentions, lake.visits, lake.feeds, lake.snapshot.
-- Read by: brand_days, negative_spikes, trend, word_of_mouse, the checks.
-- Method:  a mention that is_meant counts in the hour its post was published; a post that names two brands counts
--          once for each. Coverage needs visits in the hour itself: an hour that was only read
--          later, as history, has none.
-- Columns:
--   hour: its start, UTC
--   mentions: posts that name the brand
--   authors: different authors among them; posts without one do not count
--   positives: mentions for the brand
--   negatives: mentions against it
--   neutrals: mentions that take no side
--   unknowns: mentions whose sentiment was not judged
--   coverage: share, 0 to 1, of the hour's visits to feeds that may name the brand that were answered; NULL if none
WITH params AS (
    SELECT INTERVAL 400 DAYS AS quiet_hours_kept  -- an old post must not add years of zeros
), counted AS (
    SELECT brand,
           least(date_trunc('hour', mentions.published_at), snapshot.hour) AS hour,  -- sources' clocks may be ahead
           count(*) AS mentions,
           count(DISTINCT author) AS authors,
           count(*) FILTER (sentiment = 1) AS positives,
           count(*) FILTER (sentiment = -1) AS negatives,
           count(*) FILTER (sentiment = 0) AS neutrals,
           count(*) FILTER (sentiment IS NULL) AS unknowns
    FROM mentions, lake.snapshot AS snapshot
    WHERE is_meant
    GROUP BY ALL
), spans AS (
    SELECT brand, greatest(min(counted.hour), any_value(snapshot.hour - quiet_hours_kept)) AS since
    FROM counted, lake.snapshot AS snapshot, params
    GROUP BY brand
), hours AS (
    SELECT brand, unnest(generate_series(since, snapshot.hour, INTERVAL 1 HOUR)) AS hour
    FROM spans, lake.snapshot AS snapshot
    UNION
    SELECT brand, hour
    FROM counted
), visited AS (
    SELECT date_trunc('hour', visits.started_at) AS hour, feeds.about,
           count(*) AS visits,
           count(*) FILTER (visits.is_answer) AS answered
    FROM lake.visits AS visits
    LEFT JOIN lake.feeds AS feeds ON feeds.feed = visits.feed
    GROUP BY ALL
), general AS (
    SELECT hour, visits, answered
    FROM visited
    WHERE about IS NULL
), own AS (
    SELECT hour, about AS brand, visits, answered
    FROM visited
    WHERE about IS NOT NULL
)
SELECT hours.brand, hours.hour,
       coalesce(counted.mentions, 0) AS mentions,
       coalesce(counted.authors, 0) AS authors,
       coalesce(counted.positives, 0) AS positives,
       coalesce(counted.negatives, 0) AS negatives,
       coalesce(counted.neutrals, 0) AS neutrals,
       coalesce(counted.unknowns, 0) AS unknowns,
       (coalesce(general.answered, 0) + coalesce(own.answered, 0))
           / nullif(coalesce(general.visits, 0) + coalesce(own.visits, 0), 0) AS coverage
FROM hours
LEFT JOIN counted ON counted.brand = hours.brand AND counted.hour = hours.hour
LEFT JOIN general ON general.hour = hours.hour
LEFT JOIN own ON own.brand = hours.brand AND own.hour = hours.hour
ORDER BY hours.brand, hours.hour
