-- amplification(brand, since, as_of): which posts about a brand are being passed on, and how fast.
-- Grain:   one row per brand and post of the period that somebody passed on, the fastest first; one with post_id NULL
--          for a brand in listening.toml without any.
-- Reads:   brands, retold, said_in, span, lake.posts, lake.snapshot, coverage_in, is_known, too_few, if_enough.
-- Read by: the data team.
-- Takes:   brand (NULL: every brand), since and as_of, as trend.
-- Method:  roots answer and quote nothing and are the first of their story. Passed on is what answers, quotes or shares
--          them, lies in their thread, or carries the same text (a copy; it is all that feeds without edges tell), as
--          far as it was stored. n are different authors, the root's own left out; posts without an author stand for
--          one each. Velocity are authors new in the last hour. Growth is (new in the last 3 hours + 1) / (new in the 3
--          before + 1), its interval the normal one of the log ratio. Branching is the mean number of direct answers
--          and quotes of what was passed on more than 6 hours ago; above 1 it feeds itself. Copies as known now lie ready
--          in the mart retold.
-- Columns: brand, post_id, published_at, sentiment (of the root), n (authors), copies (posts), unknown_share (of what
--          passes it on, without an author), velocity (authors an hour), growth, growth_low, growth_high (95 %),
--          branching, coverage, reason (why there is no growth)
CREATE OR REPLACE MACRO amplification(brand, since := NULL, as_of := NULL) AS TABLE
WITH asked AS (
    SELECT period.starts, least(snapshot.published_at, coalesce(CAST(as_of AS TIMESTAMP), snapshot.published_at)) AS now
    FROM span(since, as_of) AS period, lake.snapshot AS snapshot
), links AS (
    SELECT reading.post_id, reading.author, coalesce(reading.author, reading.post_id) AS speaker, reading.published_at,
           unnest(list_distinct([reading.root_id, reading.parent_id, reading.quoted_id])) AS other,
           coalesce(reading.parent_id, reading.quoted_id) AS above
    FROM lake.posts AS reading, asked
    WHERE reading.published_at >= asked.starts AND NOT reading.deleted
      AND coalesce(reading.root_id, reading.parent_id, reading.quoted_id) IS NOT NULL
      AND is_known(reading.fetched_at, reading.superseded_at, as_of)
), said AS (  -- what may be passed on, and copies; a post that is found in two ways counts once below
    SELECT told.brand, told.post_id, told.story_id, told.author, told.speaker, told.published_at, told.sentiment,
           told.is_root
    FROM retold AS told, asked
    WHERE as_of IS NULL AND (brand IS NULL OR told.brand = brand)
      AND told.hour >= asked.starts
    UNION ALL
    SELECT told.brand, told.post_id, told.story_id, told.author, told.speaker, told.published_at, told.sentiment,
           told.is_root
    FROM said_in(brand, since, as_of) AS told
    WHERE as_of IS NOT NULL OR told.post_id IN (SELECT links.other FROM links)
), passing AS (  -- brand NULL: a link is about whatever brand the root is about
    SELECT NULL AS brand, links.other AS root_id, links.post_id, links.author, links.speaker, links.published_at,
           false AS is_copy
    FROM links
    UNION ALL
    SELECT copy.brand, copy.story_id, copy.post_id, copy.author, copy.speaker, copy.published_at, true
    FROM said AS copy
    WHERE NOT copy.is_root AND copy.story_id <> copy.post_id
), once AS (
    SELECT root.brand, passing.root_id, passing.post_id, any_value(passing.author) AS author,
           any_value(passing.speaker) AS speaker, any_value(root.speaker) AS root_speaker,
           any_value(root.published_at) AS root_published_at, any_value(root.sentiment) AS root_sentiment,
           any_value(passing.published_at) AS published_at, bool_or(passing.is_copy) AS is_copy
    FROM said AS root
    JOIN passing ON passing.root_id = root.post_id AND coalesce(passing.brand = root.brand, true)
    WHERE root.is_root
    GROUP BY root.brand, passing.root_id, passing.post_id
), children AS (
    SELECT links.above AS post_id, count(DISTINCT links.post_id) AS n
    FROM links
    GROUP BY links.above
), posts_of AS (
    SELECT once.brand, once.root_id, any_value(once.root_published_at) AS published_at,
           any_value(once.root_sentiment) AS sentiment, count(*) FILTER (once.is_copy) AS copies,
           avg(CAST(once.author IS NULL AS INT)) AS unknown_share,
           avg(coalesce(children.n, 0)) FILTER (once.published_at < asked.now - INTERVAL 6 HOURS) AS branching
    FROM once
    LEFT JOIN children ON children.post_id = once.post_id, asked
    GROUP BY once.brand, once.root_id
), authors AS (
    SELECT once.brand, once.root_id, once.speaker, min(once.published_at) AS joined_at
    FROM once
    WHERE once.speaker <> once.root_speaker
    GROUP BY once.brand, once.root_id, once.speaker
), counted AS (
    SELECT authors.brand, authors.root_id, count(*) AS n,
           count(*) FILTER (authors.joined_at > asked.now - INTERVAL 1 HOUR) AS velocity,
           count(*) FILTER (authors.joined_at > asked.now - INTERVAL 3 HOURS) AS lately,
           count(*) FILTER (authors.joined_at > asked.now - INTERVAL 6 HOURS
                            AND authors.joined_at <= asked.now - INTERVAL 3 HOURS) AS before
    FROM authors, asked
    GROUP BY authors.brand, authors.root_id
), rated AS (
    SELECT counted.*, posts_of.copies, posts_of.unknown_share, posts_of.branching,
           posts_of.published_at, posts_of.sentiment,
           ln((counted.lately + 1) / (counted.before + 1)) AS log_growth,
           1.96 * sqrt(1 / (counted.lately + 1) + 1 / (counted.before + 1)) AS half_width
    FROM counted
    JOIN posts_of ON posts_of.brand = counted.brand AND posts_of.root_id = counted.root_id
)
SELECT listed.brand, rated.root_id AS post_id, rated.published_at, rated.sentiment, coalesce(rated.n, 0) AS n,
       coalesce(rated.copies, 0) AS copies, rated.unknown_share, coalesce(rated.velocity, 0) AS velocity,
       if_enough(exp(rated.log_growth), rated.n) AS growth,
       if_enough(exp(rated.log_growth - rated.half_width), rated.n) AS growth_low,
       if_enough(exp(rated.log_growth + rated.half_width), rated.n) AS growth_high,
       if_enough(rated.branching, rated.n) AS branching,
       heard.coverage, too_few(rated.n) AS reason
FROM brands AS listed
LEFT JOIN rated ON rated.brand = listed.brand
LEFT JOIN coverage_in(since, as_of) AS heard ON heard.brand = listed.brand
WHERE brand IS NULL OR listed.brand = brand
ORDER BY velocity DESC, n DESC, listed.brand, rated.root_id
