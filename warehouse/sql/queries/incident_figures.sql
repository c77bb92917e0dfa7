-- incident_figures: an incident in figures: how much, how one-sided, how fast, by how many, how far it may be read.
-- Grain:   one row.
-- Reads:   opinions, brand_hours, negative_spikes.
-- Read by: warehouse/evidence.py.
-- Takes:   as incident_hours.
-- Method:  reach are followers or views of those who speak against the brand, each once with the most that was seen:
--          who may have read it, not who did. The usual share is that of the 28 days before, without hours of earlier
--          spikes.
-- Columns: mentions, negatives, usual_share (of negatives; NULL: fewer than 5 mentions), last (negatives in the 3 hours
--          before $until), before (in the 3 before those), authors (negatives of each author, most first; posts without
--          one are left out), reach (NULL: of nobody known), reach_unknown_share (of those who speak against it)
WITH params AS (
    SELECT INTERVAL 28 DAYS AS usual, INTERVAL 3 HOURS AS lately
), asked AS (
    SELECT date_trunc('hour', CAST($since AS TIMESTAMP)) AS starts, CAST($until AS TIMESTAMP) AS ends
), said AS (
    SELECT opinions.speaker, opinions.author, opinions.sentiment, opinions.reach, opinions.hour,
           opinions.hour >= asked.starts AS is_now
    FROM opinions, asked, params
    WHERE opinions.brand = $brand AND opinions.known_until IS NULL AND opinions.hour < asked.ends
      AND opinions.hour >= least(asked.starts, asked.ends - 2 * params.lately)
), spoken AS (
    SELECT author, count(*) AS negatives, max(reach) AS reach
    FROM said
    WHERE sentiment = -1 AND is_now
    GROUP BY speaker, author
), past AS (
    SELECT sum(hours.negatives) AS negatives, sum(hours.mentions) AS mentions
    FROM brand_hours AS hours, asked, params
    WHERE hours.brand = $brand AND hours.hour >= asked.starts - params.usual AND hours.hour < asked.starts
      AND hours.hour NOT IN (SELECT hour FROM negative_spikes WHERE brand = $brand)
), counted AS (
    SELECT count(*) FILTER (is_now) AS mentions, count(*) FILTER (is_now AND sentiment = -1) AS negatives,
           count(*) FILTER (sentiment = -1 AND hour >= asked.ends - params.lately) AS last,
           count(*) FILTER (sentiment = -1 AND hour < asked.ends - params.lately
                            AND hour >= asked.ends - 2 * params.lately) AS before
    FROM said, asked, params
)
SELECT counted.mentions, counted.negatives,
       CASE WHEN past.mentions >= 5 THEN CAST(past.negatives / past.mentions AS DOUBLE) END AS usual_share,
       counted.last, counted.before,
       (SELECT coalesce(list(negatives ORDER BY negatives DESC) FILTER (author IS NOT NULL), []) FROM spoken)
           AS authors,
       (SELECT CAST(sum(reach) AS BIGINT) FROM spoken) AS reach,
       (SELECT avg(CAST(reach IS NULL AS INT)) FROM spoken) AS reach_unknown_share
FROM counted, past
