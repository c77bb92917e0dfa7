-- spike_counts: what was said of each brand, and of each aspect and source of it, hour by hour, as it stood when the
-- hour was first looked at after it had closed: what negative spikes are judged by.
-- Grain:   one row per (brand, aspect, source, hour) with mentions; aspect NULL: whatever it is about; source NULL:
--          wherever it is said. No row has both.
-- Parts:   brand, CAST(hour AS DATE)
-- Built:   a few brands at a time; from opinions, which lie brand by brand
-- Reads:   opinions, complained_of, lake.visits.
-- Read by: negative_spikes, judged_series, series_hours, judged_before, praise_hours.
-- Method:  an hour's posts of a feed are looked at by the feed's first answered visit after the hour had closed: what
--          was found up to then counts, and what comes later is late. So an hour is judged by as much as was known
--          of the past hours it is compared with. Where no such visit was yet, what is known counts; and so it does
--          in hours before a feed's first visit, which never had a first look. Who complains all day is one complaint:
--          of an author's mentions on one day the first of each side counts, in its hour; nobody raises a storm alone.
--          An aspect's rows have the negative mentions that speak against it, of those that count.
-- Columns:
--   hour: its start, UTC
--   mentions: of those that count; in rows of an aspect, as many as negatives
--   negatives: mentions against the brand among them
--   positives: mentions for the brand among them; in rows of an aspect 0
--   history: of mentions, those in hours before their feed's first visit, or of a feed without visits
--   late: mentions that came too late to count; in rows of an aspect 0
WITH looks AS (
    SELECT feed, started_at, finished_at, min(started_at) OVER (PARTITION BY feed) AS first_at
    FROM lake.visits
    WHERE is_answer AND next_visit_at IS NOT NULL  -- not planned: a backfill, or a second look at kept posts
), looked_at AS (
    SELECT hours.feed, hours.hour, looks.finished_at,
           coalesce(looks.started_at = looks.first_at, hours.feed NOT IN (SELECT feed FROM looks)) AS is_history
    FROM (SELECT DISTINCT feed, hour FROM opinions) AS hours
    ASOF LEFT JOIN looks ON looks.feed = hours.feed AND looks.started_at >= hours.hour + INTERVAL 1 HOUR
), placed AS (
    SELECT said.brand, said.hour, said.source, said.speaker, said.sentiment, said.aspects, said.post_id,
           looks.is_history,
           CASE WHEN looks.finished_at IS NULL THEN said.known_until IS NULL
                ELSE said.known_from <= looks.finished_at
                     AND coalesce(said.known_until > looks.finished_at, true) END AS is_counted,
           said.known_until IS NULL AND said.known_from > looks.finished_at AS came_later
    FROM opinions AS said
    JOIN looked_at AS looks ON looks.feed = said.feed AND looks.hour = said.hour
), counted AS (
    SELECT brand, hour, source, sentiment, is_history, aspects
    FROM placed
    WHERE is_counted
    QUALIFY row_number() OVER (PARTITION BY brand, speaker, CAST(hour AS DATE), sentiment ORDER BY hour, post_id) = 1
), of_sources AS (
    SELECT brand, CAST(NULL AS VARCHAR) AS aspect, source, hour, count(*) AS mentions,
           count(*) FILTER (sentiment = -1) AS negatives, count(*) FILTER (sentiment = 1) AS positives,
           count(*) FILTER (is_history) AS history, 0 AS late
    FROM counted
    GROUP BY GROUPING SETS ((brand, hour), (brand, source, hour))
), of_aspects AS (
    SELECT brand, aspect, CAST(NULL AS VARCHAR) AS source, hour, count(*) AS mentions, count(*) AS negatives,
           0 AS positives, count(*) FILTER (is_history) AS history, 0 AS late
    FROM (SELECT brand, unnest(complained_of(aspects)) AS aspect, hour, is_history
          FROM counted
          WHERE sentiment = -1)
    GROUP BY brand, aspect, hour
), of_late AS (
    SELECT brand, CAST(NULL AS VARCHAR) AS aspect, source, hour, 0 AS mentions, 0 AS negatives, 0 AS positives,
           0 AS history, count(*) AS late
    FROM placed
    WHERE came_later
      AND NOT EXISTS (  -- what was read in time and is edited later is not late
          FROM placed AS before
          WHERE before.is_counted AND before.brand = placed.brand AND before.post_id = placed.post_id
            AND CAST(before.hour AS DATE) = CAST(placed.hour AS DATE)
      )
    GROUP BY GROUPING SETS ((brand, hour), (brand, source, hour))
)
SELECT brand, aspect, source, hour, CAST(sum(mentions) AS BIGINT) AS mentions,
       CAST(sum(negatives) AS BIGINT) AS negatives, CAST(sum(positives) AS BIGINT) AS positives,
       CAST(sum(history) AS BIGINT) AS history, CAST(sum(late) AS BIGINT) AS late
FROM (FROM of_sources UNION ALL FROM of_aspects UNION ALL FROM of_late)
GROUP BY ALL
ORDER BY brand, aspect, source, hour
