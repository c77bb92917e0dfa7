-- what_grew(brand, since, until, as_of): what the negative word of mouth of a time is made of, beside what is usual.
-- Grain:   one row per dimension and value: aspect, stage, source, experience, author (new to the brand, or heard of it
--          before), story (its story_id, where 2 or more posts tell it), phrase; what is most beyond the usual first.
-- Reads:   opinions, brand_hours, complained_of, phrases_of, grown_z, is_known, wilson_low, wilson_high, too_few,
--          if_enough, lake.posts.
-- Read by: the data team, why, warehouse/evidence.py.
-- Takes:   brand; since and until, TIMESTAMPs in UTC, from the hour of the first to before that of the other; as_of, as
--          trend.
-- Method:  n are negative mentions in that time. Usual is the same in the 28 days before it; expected is the value's
--          usual share times all negative mentions now, and excess is n - expected. A mention may tell of several
--          aspects. An author is new who did not name the brand in the 90 days before that day. Phrases are read in at
--          most 1,000 texts now and as many before, drawn by hash, and are shown where 3 texts or more have them and z
--          is 3.9 or more: of some thousand phrases one in 10,000 passes by chance.
-- Columns: dimension, value (NULL: not told), n, negatives (all of that time; of phrases: the texts read), share (n /
--          negatives), share_low, share_high (95 %), usual_n, usual_share, expected, excess, z (how surely the share
--          grew, see grown_z), unknown_share (of negatives, without a value), coverage, reason (why there is no share)
CREATE OR REPLACE MACRO what_grew(brand, since, until, as_of := NULL) AS TABLE
WITH params AS (
    SELECT INTERVAL 28 DAYS AS usual, INTERVAL 90 DAYS AS new_after, 3 AS texts_at_least, 3.9 AS z_at_least,
           2 AS posts_at_least
), asked AS (
    SELECT CAST(brand AS VARCHAR) AS brand, date_trunc('hour', CAST(since AS TIMESTAMP)) AS starts,
           CAST(until AS TIMESTAMP) AS ends
), complaining AS (
    SELECT said.hour >= asked.starts AS is_now, said.speaker, said.author, said.published_at,
           CAST(said.published_at AS DATE) AS day, said.post_id, said.version, said.known_from, said.story_id,
           said.stage, said.source, said.experience, said.aspects
    FROM params, asked
    JOIN opinions AS said ON said.brand = asked.brand
    WHERE said.sentiment = -1 AND said.hour < asked.ends AND said.hour >= asked.starts - params.usual
      AND is_known(said.known_from, said.known_until, as_of)
), heard AS (
    SELECT days.speaker, days.day, lag(days.day) OVER (PARTITION BY days.speaker ORDER BY days.day) AS day_before
    FROM (
        SELECT DISTINCT said.speaker, CAST(said.published_at AS DATE) AS day
        FROM params, asked
        JOIN opinions AS said ON said.brand = asked.brand
        SEMI JOIN complaining ON complaining.speaker = said.speaker
        WHERE said.hour < asked.ends AND said.hour >= asked.starts - params.usual - params.new_after
          AND is_known(said.known_from, said.known_until, as_of)
    ) AS days
), against AS (
    SELECT told.is_now, told.post_id, told.version, told.published_at, told.known_from, told.story_id, {
               'stage': [nullif(told.stage, 'unknown')],
               'source': [told.source],
               'experience': [nullif(told.experience, 'unknown')],
               'author': [CASE WHEN heard.day_before >= heard.day - params.new_after THEN 'heard of it before'
                               WHEN told.author IS NOT NULL THEN 'new to the brand' END],
               'aspect': coalesce(nullif(complained_of(told.aspects), []), [NULL])
           } AS told
    FROM params, complaining AS told
    JOIN heard ON heard.speaker = told.speaker AND heard.day = told.day
), drawn AS (
    (SELECT against.* FROM against WHERE against.is_now ORDER BY md5(against.post_id) LIMIT 1000)
    UNION ALL
    (SELECT against.* FROM against WHERE NOT against.is_now ORDER BY md5(against.post_id) LIMIT 1000)
), near AS (  -- found by the time, whose search costs least; so texts are read at few places
    SELECT reading.post_id, reading.version, reading.fetched_at, reading.title, reading.text
    FROM lake.posts AS reading
    WHERE reading.rowid IN (
        SELECT told.rowid FROM lake.posts AS told SEMI JOIN drawn ON drawn.published_at = told.published_at)
    OFFSET 0  -- keeps what is asked of them below behind the finding of them
), read AS (
    SELECT drawn.is_now, phrases_of(near.title, near.text) AS phrases
    FROM drawn
    JOIN near ON near.post_id = drawn.post_id AND near.version = drawn.version AND near.fetched_at = drawn.known_from
), sizes AS (
    SELECT dimensions.dimension, counts.negatives, counts.usual_negatives
    FROM (SELECT unnest(['aspect', 'stage', 'source', 'experience', 'author', 'story']) AS dimension) AS dimensions,
         (SELECT count(*) FILTER (against.is_now) AS negatives, count(*) FILTER (NOT against.is_now) AS usual_negatives
          FROM against) AS counts
    UNION ALL
    SELECT 'phrase', count(*) FILTER (read.is_now), count(*) FILTER (NOT read.is_now) FROM read
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
    UNION ALL
    SELECT 'story', against.story_id, against.is_now FROM against
    UNION ALL
    SELECT 'phrase', unnest(read.phrases), read.is_now FROM read
), counted AS (
    SELECT opened.dimension, opened.value, count(*) FILTER (opened.is_now) AS n,
           count(*) FILTER (NOT opened.is_now) AS usual_n
    FROM opened
    GROUP BY opened.dimension, opened.value
), weighed AS (
    SELECT counted.*, sizes.negatives, sizes.usual_negatives,
           grown_z(counted.n, sizes.negatives, counted.usual_n, sizes.usual_negatives) AS z,
           coalesce(sum(counted.n) FILTER (counted.value IS NULL) OVER (PARTITION BY counted.dimension), 0)
               / nullif(sizes.negatives, 0) AS unknown_share
    FROM counted
    JOIN sizes ON sizes.dimension = counted.dimension
), listened AS (
    SELECT avg(hours.coverage) AS coverage
    FROM brand_hours AS hours
    JOIN asked ON asked.brand = hours.brand AND hours.hour >= asked.starts AND hours.hour < asked.ends
)
SELECT weighed.dimension, weighed.value, weighed.n, weighed.negatives,
       if_enough(weighed.n / nullif(weighed.negatives, 0), weighed.negatives) AS share,
       if_enough(wilson_low(weighed.n, weighed.negatives), weighed.negatives) AS share_low,
       if_enough(wilson_high(weighed.n, weighed.negatives), weighed.negatives) AS share_high,
       weighed.usual_n,
       if_enough(weighed.usual_n / nullif(weighed.usual_negatives, 0), weighed.usual_negatives) AS usual_share,
       if_enough(weighed.usual_n / nullif(weighed.usual_negatives, 0) * weighed.negatives, weighed.usual_negatives)
           AS expected,
       if_enough(weighed.n - weighed.usual_n / nullif(weighed.usual_negatives, 0) * weighed.negatives,
                 weighed.usual_negatives) AS excess,
       weighed.z, weighed.unknown_share, listened.coverage,
       coalesce(too_few(weighed.negatives),
                CASE WHEN weighed.usual_negatives < 5 THEN 'too little was heard before' END) AS reason
FROM weighed, params, listened
WHERE CASE weighed.dimension
          WHEN 'phrase' THEN weighed.n >= params.texts_at_least AND weighed.z >= params.z_at_least
          WHEN 'story' THEN weighed.n >= params.posts_at_least
          ELSE true END
ORDER BY coalesce(excess, weighed.n) DESC, weighed.dimension, weighed.value
