-- negative_reach(brand, since, as_of): how far the bad word about a brand may reach.
-- Grain:   one row per brand with mentions in the period.
-- Reads:   reach_days, opinions, said_in, span, is_known.
-- Read by: word_of_mouse.
-- Takes:   brand (NULL: every brand), since and as_of, as trend.
-- Method:  a mention weighs ln(1 + min(reach, 99th percentile of its source in the period)), reach being followers or
--          views; where it is not told, the source's median stands for it. It is potential audience, never money.
--          negative_reach is the weight of negative mentions / that of all judged ones. negative_level is the weight of
--          negative mentions, of an age of h hours worth exp(-h/48). What is known now is summed from the whole days of
--          reach_days; what lies beside these, or reaches beyond the percentile, is looked at one by one. Mentions of
--          such weights w are worth (sum w)^2 / sum w^2 of equal ones (Kish 1965).
-- Columns: brand, judged (mentions), imputed_share (of mentions, whose reach is the median), top_source (with most
--          mentions), negative_reach (0..1), worth (in mentions), negative_level
CREATE OR REPLACE MACRO negative_reach(brand, since := NULL, as_of := NULL) AS TABLE
WITH asked AS (
    SELECT period.ends,
           CASE WHEN as_of IS NULL THEN period.whole_days_from ELSE period.ends END AS whole_days_from
    FROM span(since, as_of) AS period
), sources AS (
    SELECT spread.source, coalesce(spread.reach[1], 0) AS usual, spread.reach[2] AS most
    FROM (SELECT said.source, quantile_cont(said.reach, [0.5, 0.99]) AS reach
          FROM opinions AS said  -- not said_in: to read it once, DuckDB would keep all of it for both uses
          WHERE said.hour >= (SELECT period.starts FROM span(since, as_of) AS period)
            AND said.hour < (SELECT period.ends FROM span(since, as_of) AS period)
            AND is_known(said.known_from, said.known_until, as_of)
          GROUP BY said.source) AS spread
), whole_days AS (
    SELECT told.brand, told.source, told.mentions, told.untold, told.judged,
           told.negative_weight + told.negatives_untold * ln(1 + sources.usual) AS against,
           told.judged_weight + told.judged_untold * ln(1 + sources.usual) AS whole,
           told.judged_squares + told.judged_untold * ln(1 + sources.usual) ^ 2 AS squares,
           (told.negative_level + told.untold_level * ln(1 + sources.usual))
               * exp(-date_diff('second', told.day + INTERVAL 1 DAY, asked.ends) / 172800) AS level
    FROM reach_days AS told
    JOIN asked ON told.day >= asked.whole_days_from
    JOIN sources ON sources.source = told.source
    WHERE as_of IS NULL AND (brand IS NULL OR told.brand = brand)
), apart AS (  -- of those in whole days more than need be: to ask for each source's percentile costs more
    SELECT said.brand, said.source, said.sentiment, said.reach, said.published_at, said.hour, true AS is_added
    FROM said_in(brand, since, as_of) AS said, asked
    WHERE said.hour < asked.whole_days_from
    UNION ALL
    SELECT said.brand, said.source, said.sentiment, said.reach, said.published_at, said.hour, false
    FROM opinions AS said
    WHERE as_of IS NULL AND said.known_until IS NULL AND (brand IS NULL OR said.brand = brand)
      AND said.hour >= (SELECT asked.whole_days_from FROM asked)
      AND said.reach > (SELECT min(sources.most) FROM sources)
), single AS (  -- added: in no whole day; counted: what it weighs there, where it is
    SELECT apart.brand, apart.source, apart.sentiment, apart.reach, apart.is_added,
           ln(1 + least(coalesce(apart.reach, sources.usual), coalesce(sources.most, sources.usual))) AS weight,
           CASE WHEN apart.is_added THEN 0 ELSE ln(1 + apart.reach) END AS counted,
           exp(-date_diff('second', least(apart.published_at, apart.hour + INTERVAL 1 HOUR), asked.ends) / 172800)
               AS freshness
    FROM apart
    JOIN sources ON sources.source = apart.source
    CROSS JOIN asked
    WHERE apart.is_added OR apart.reach > sources.most
), cells AS (
    FROM whole_days
    UNION ALL
    SELECT single.brand, single.source, count(*) FILTER (single.is_added),
           count(*) FILTER (single.is_added AND single.reach IS NULL), count(single.sentiment) FILTER (single.is_added),
           coalesce(sum(single.weight - single.counted) FILTER (single.sentiment = -1), 0),
           coalesce(sum(single.weight - single.counted) FILTER (single.sentiment IS NOT NULL), 0),
           coalesce(sum(single.weight ^ 2 - single.counted ^ 2) FILTER (single.sentiment IS NOT NULL), 0),
           coalesce(sum((single.weight - single.counted) * single.freshness) FILTER (single.sentiment = -1), 0)
    FROM single
    GROUP BY single.brand, single.source
), of_sources AS (
    SELECT cells.brand, cells.source, sum(cells.mentions) AS mentions, sum(cells.untold) AS untold,
           sum(cells.judged) AS judged, sum(cells.against) AS against, sum(cells.whole) AS whole,
           sum(cells.squares) AS squares, sum(cells.level) AS level
    FROM cells
    GROUP BY cells.brand, cells.source
)
SELECT told.brand, CAST(sum(told.judged) AS BIGINT) AS judged, sum(told.untold) / sum(told.mentions) AS imputed_share,
       arg_max(told.source, (told.mentions, told.source)) AS top_source,
       sum(told.against) / nullif(sum(told.whole), 0) AS negative_reach,
       sum(told.whole) ^ 2 / nullif(sum(told.squares), 0) AS worth,
       sum(told.level) AS negative_level
FROM of_sources AS told
GROUP BY told.brand
