-- why(alert_id, as_of): what the negative word of mouth of an alert is made of, beside what is usual for the brand.
-- Grain:   one row per dimension and value: aspect, stage, source, experience, and author (new to the brand in 90 days,
--          or heard of it before); what is most beyond the usual first.
-- Reads:   alerts, opinions, brand_hours, is_known, wilson_low, wilson_high, too_few, if_enough.
-- Read by: the data team.
-- Takes:   alert_id, of the view alerts; as_of, as trend.
-- Method:  n are negative mentions from the alert's first hour to the last that was told, or 24 hours where the
--          evidence does not say. Usual is the same in the 28 days before it; expected is the value's usual share times
--          all negative mentions now, and excess is n - expected. A mention may tell of several aspects.
-- Columns: dimension, value (NULL: not told), n, negatives (all of the alert), share (n / negatives), share_low,
--          share_high (95 %), usual_n, usual_share, expected, excess, unknown_share (of negatives, without a value),
--          coverage, reason (why there is no share)
CREATE OR REPLACE MACRO why(alert_id, as_of := NULL) AS TABLE
WITH asked AS (
    SELECT raised.brand, date_trunc('hour', coalesce(raised.since, raised.opened_at)) AS starts,
           coalesce(TRY_CAST(TRY(raised.evidence ->> '$.until') AS TIMESTAMP),
                    date_trunc('hour', coalesce(raised.since, raised.opened_at)) + INTERVAL 24 HOURS) AS ends
    FROM alerts AS raised
    WHERE raised.alert_id = alert_id
), known AS (
    SELECT said.*, asked.starts,
           lag(said.published_at) OVER (PARTITION BY said.speaker ORDER BY said.published_at, said.post_id) AS before_at
    FROM opinions AS said
    JOIN asked ON asked.brand = said.brand AND said.hour < asked.ends AND said.hour >= asked.starts - INTERVAL 118 DAYS
    WHERE is_known(said.known_from, said.known_until, as_of)
), against AS (
    SELECT known.hour >= known.starts AS is_now, {
               'stage': [nullif(known.stage, 'unknown')],
               'source': [known.source],
               'experience': [nullif(known.experience, 'unknown')],
               'author': [CASE WHEN known.before_at >= known.published_at - INTERVAL 90 DAYS THEN 'heard of it before'
                               WHEN known.author IS NOT NULL THEN 'new to the brand' END],
               'aspect': CASE WHEN len(list_filter(known.aspects, lambda found: found.sentiment < 0)) > 0
                              THEN list_distinct(list_transform(
                                  list_filter(known.aspects, lambda found: found.sentiment < 0),
                                  lambda found: found.aspect)) ELSE [NULL] END
           } AS told
    FROM known
    WHERE known.sentiment = -1 AND known.hour >= known.starts - INTERVAL 28 DAYS
), sizes AS (
    SELECT count(*) FILTER (against.is_now) AS negatives, count(*) FILTER (NOT against.is_now) AS usual_negatives
    FROM against
), opened AS (
    SELECT 'aspect' AS dimension, unnest(against.told.aspect) AS value, against.is_now FROM against
    UNION ALL
    SELECT 'stage', unnest(against.told.stage), against.is_now FROM against
    UNION ALL
    SELECT 'source', unnest(against.told.source), against.is_now FROM against
    UNION ALL
    SELECT 'experience', unnest(against.told.experience), against.is_now FROM against
    UNION ALL
    SELECT 'author', unnest(against.told.author), against.is_now FROM against
), counted AS (
    SELECT opened.dimension, opened.value, count(*) FILTER (opened.is_now) AS n,
           count(*) FILTER (NOT opened.is_now) AS usual_n
    FROM opened
    GROUP BY opened.dimension, opened.value
), listened AS (
    SELECT avg(hours.coverage) AS coverage
    FROM brand_hours AS hours
    JOIN asked ON asked.brand = hours.brand AND hours.hour >= asked.starts AND hours.hour < asked.ends
)
SELECT counted.dimension, counted.value, counted.n, sizes.negatives,
       if_enough(counted.n / nullif(sizes.negatives, 0), sizes.negatives) AS share,
       if_enough(wilson_low(counted.n, sizes.negatives), sizes.negatives) AS share_low,
       if_enough(wilson_high(counted.n, sizes.negatives), sizes.negatives) AS share_high,
       counted.usual_n,
       if_enough(counted.usual_n / nullif(sizes.usual_negatives, 0), sizes.usual_negatives) AS usual_share,
       if_enough(counted.usual_n / nullif(sizes.usual_negatives, 0) * sizes.negatives, sizes.usual_negatives)
           AS expected,
       if_enough(counted.n - counted.usual_n / nullif(sizes.usual_negatives, 0) * sizes.negatives,
                 sizes.usual_negatives) AS excess,
       coalesce(sum(counted.n) FILTER (counted.value IS NULL) OVER (PARTITION BY counted.dimension), 0)
           / nullif(sizes.negatives, 0) AS unknown_share,
       listened.coverage,
       coalesce(too_few(sizes.negatives),
                CASE WHEN sizes.usual_negatives < 5 THEN 'too little was heard before' END) AS reason
FROM counted, sizes, listened
ORDER BY coalesce(excess, counted.n) DESC, counted.dimension, counted.value
