-- brand_hours: what was said about each brand, hour by hour, quiet hours included.
-- Grain:   one row per (brand, hour), from the brand's first mention to the hour of the snapshot, which is still
--          running. More than 400 days back only hours with mentions have a row.
-- Reads:   feed_hours, brand_authors, coverage_hours, lake.snapshot.
-- Read by: brand_days, negative_spikes, trend, word_of_mouse, what_grew, incident_hours, incident_figures,
--          judged_series, series_hours, judged_before, judged_hours, praise_hours, counts, the checks.
-- Method:  a mention that is_meant counts in the hour its post was published; a post that names two brands counts
--          once for each. Voices are as feed_hours has them. Coverage needs visits in the hour itself: an
--          hour that was only read later, as history, has none.
-- Columns:
--   hour: its start, UTC
--   mentions: posts that name the brand
--   authors: different authors among them; posts without one do not count
--   positives: mentions for the brand
--   negatives: mentions against it
--   neutrals: mentions that take no side
--   unknowns: mentions whose sentiment was not judged
--   voices: distinct authors, stories and days first heard in this hour
--   voices_positive: voices for the brand
--   voices_negative: voices against it
--   voices_neutral: voices that take no side
--   voices_unknown: voices whose sentiment was not judged
--   coverage: share, 0 to 1, of the hour's visits to feeds that may name the brand that were answered; NULL if none
WITH params AS (
    SELECT INTERVAL 400 DAYS AS quiet_hours_kept  -- an old post must not add years of zeros
), counted AS (
    SELECT brand, hour,
           CAST(sum(mentions) AS BIGINT) AS mentions,
           CAST(sum(positives) AS BIGINT) AS positives,
           CAST(sum(negatives) AS BIGINT) AS negatives,
           CAST(sum(neutrals) AS BIGINT) AS neutrals,
           CAST(sum(unknowns) AS BIGINT) AS unknowns,
           CAST(sum(voices) AS BIGINT) AS voices,
           CAST(sum(voices_positive) AS BIGINT) AS voices_positive,
           CAST(sum(voices_negative) AS BIGINT) AS voices_negative,
           CAST(sum(voices_neutral) AS BIGINT) AS voices_neutral,
           CAST(sum(voices_unknown) AS BIGINT) AS voices_unknown
    FROM feed_hours
    GROUP BY ALL
), speakers AS (
    SELECT brand, hour, authors
    FROM brand_authors
    WHERE hour IS NOT NULL
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
    FROM coverage_hours(NULL)
), general AS (
    SELECT hour, visits, answered
    FROM visited
    WHERE brand IS NULL
), own AS (
    SELECT hour, brand, visits, answered
    FROM visited
    WHERE brand IS NOT NULL
)
SELECT hours.brand, hours.hour,
       coalesce(counted.mentions, 0) AS mentions,
       coalesce(speakers.authors, 0) AS authors,
       coalesce(counted.positives, 0) AS positives,
       coalesce(counted.negatives, 0) AS negatives,
       coalesce(counted.neutrals, 0) AS neutrals,
       coalesce(counted.unknowns, 0) AS unknowns,
       coalesce(counted.voices, 0) AS voices,
       coalesce(counted.voices_positive, 0) AS voices_positive,
       coalesce(counted.voices_negative, 0) AS voices_negative,
       coalesce(counted.voices_neutral, 0) AS voices_neutral,
       coalesce(counted.voices_unknown, 0) AS voices_unknown,
       (coalesce(general.answered, 0) + coalesce(own.answered, 0))
           / nullif(coalesce(general.visits, 0) + coalesce(own.visits, 0), 0) AS coverage
FROM hours
LEFT JOIN counted ON counted.brand = hours.brand AND counted.hour = hours.hour
LEFT JOIN speakers ON speakers.brand = hours.brand AND speakers.hour = hours.hour
LEFT JOIN general ON general.hour = hours.hour
LEFT JOIN own ON own.brand = hours.brand AND own.hour = hours.hour
ORDER BY hours.brand, hours.hour
