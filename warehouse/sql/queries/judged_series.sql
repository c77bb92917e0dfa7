-- judged_series: the series whose hours are judged for negative spikes.
-- Grain:   one row per brand, and per aspect and per source of it that can tell anything, in order.
-- Reads:   spike_counts, brand_hours, lake.snapshot.
-- Read by: warehouse/brand_verdicts.py, series_hours, judged_before.
-- Takes:   $negatives, how many a spike needs within 24 hours; $early, mentions that had a first look before the share
--          that comes late is believed.
-- Columns: series (a number), brand, aspect, source (NULL: all), since (the first hour that is judged), late_share
--          (usually missing at the first look: history that never had one is thinned by it), series_in_all (judged or
--          not)
WITH params AS (
    SELECT INTERVAL 120 DAYS AS parts_kept,  -- what is learned of a part fades within 42 days
           INTERVAL 30 DAYS AS forgotten_at_once  -- what was learned of it has to be learned anew without them
), kept AS (
    SELECT time_bucket(forgotten_at_once, CAST(snapshot.hour AS DATE)) - parts_kept AS since
    FROM lake.snapshot AS snapshot, params
), days AS (
    SELECT told.brand, told.aspect, told.source, CAST(told.hour AS DATE) AS day, sum(told.negatives) AS negatives
    FROM spike_counts AS told, kept
    WHERE told.hour >= kept.since AND (told.aspect IS NOT NULL OR told.source IS NOT NULL)
    GROUP BY ALL
), recent AS (
    SELECT brand, aspect, source,
           sum(negatives) OVER (PARTITION BY brand, aspect, source ORDER BY day
                                RANGE BETWEEN INTERVAL 1 DAY PRECEDING AND CURRENT ROW) AS in_two_days
    FROM days
), parts AS (
    SELECT brand, aspect, source, max(in_two_days) AS most
    FROM recent
    GROUP BY ALL
), listed AS (
    SELECT brand, CAST(NULL AS VARCHAR) AS aspect, CAST(NULL AS VARCHAR) AS source, min(hour) AS since
    FROM brand_hours
    GROUP BY brand
    UNION ALL
    SELECT parts.brand, parts.aspect, parts.source, kept.since
    FROM parts, kept
    WHERE most >= $negatives
), looked_at AS (
    SELECT brand, source, sum(mentions - history) AS early, sum(late) AS late
    FROM spike_counts
    WHERE aspect IS NULL
    GROUP BY brand, source
)
SELECT row_number() OVER (ORDER BY listed.brand, listed.aspect NULLS FIRST, listed.source NULLS FIRST) AS series,
       listed.brand, listed.aspect, listed.source, listed.since,
       CASE WHEN looked_at.early >= $early THEN round(looked_at.late / (looked_at.early + looked_at.late), 2) ELSE 0 END
           AS late_share,
       (SELECT count(*) FROM parts) + (SELECT count(DISTINCT brand) FROM brand_hours) AS series_in_all
FROM listed
LEFT JOIN looked_at ON looked_at.brand = listed.brand AND looked_at.source IS NOT DISTINCT FROM listed.source
ORDER BY series
