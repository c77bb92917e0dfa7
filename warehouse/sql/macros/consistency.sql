-- consistency(brand, since, unit, as_of): it only works if it works every time: does it, everywhere and every week?
-- Grain:   one row per brand in listening.toml, the least consistent first.
-- Reads:   brands, voices_in, quantile_of, coverage_in, if_enough.
-- Read by: the data team.
-- Takes:   as trend, without a grain.
-- Method:  a cell is a stage of the journey, a feed and a week (which begins on Monday), with 5 first-hand units or
--          more whose sentiment was judged; p is its share that is not negative. Cells are shrunk toward the mean m as
--          (hits + k m) / (n + k), k = m (1 - m) / tau^2, beta-binomial by moments, tau^2 being the variance of raw p
--          less what chance explains; where chance explains all, they are one. The index is the 10th percentile of
--          shrunk p / their mean: 1 where it works every time. Its interval is that of the percentile, between the
--          quantiles at 0.1 -+ 1.96 sqrt(0.1 * 0.9 / cells) (Woodruff 1952), and takes the mean as exact.
--          Overdispersion is the variance of raw p / mean of p (1 - p) / n; near 1 means chance alone, which stays below
--          chance_high in 95 % (chi-square by Wilson & Hilferty 1931).
-- Columns: brand, n (units in cells), cells, unknown_share (of all units: how the writer knows, or feels, is not
--          known), index, index_low, index_high (95 %), overdispersion, chance_high, worst_cell (its stage, feed and
--          week), worst_share (its raw share that is not negative), coverage, reason (why there is no index)
CREATE OR REPLACE MACRO consistency(brand, since := NULL, unit := NULL, as_of := NULL) AS TABLE
WITH params AS (
    SELECT 5 AS units_at_least
), counted AS (
    SELECT said.brand, said.stage, said.feed, date_trunc('week', said.hour) AS week, count(*) AS units,
           count(*) FILTER (said.experience = 'unknown' OR said.sentiment IS NULL) AS unknowns,
           count(said.sentiment) FILTER (said.experience = 'first_hand') AS n,
           count(*) FILTER (said.experience = 'first_hand' AND said.sentiment >= 0) AS hits
    FROM voices_in(brand, since, unit, as_of) AS said
    GROUP BY said.brand, said.stage, said.feed, date_trunc('week', said.hour)
), unknown AS (
    SELECT counted.brand, sum(counted.unknowns) / sum(counted.units) AS unknown_share
    FROM counted
    GROUP BY counted.brand
), cells AS (
    SELECT counted.brand, counted.stage, counted.feed, counted.week, counted.n, counted.hits,
           counted.hits / counted.n AS p
    FROM counted, params
    WHERE counted.n >= params.units_at_least
), moments AS (
    SELECT cells.brand, count(*) AS cells, sum(cells.n) AS n, sum(cells.hits) / sum(cells.n) AS m,
           var_samp(cells.p) AS variance, avg(cells.p * (1 - cells.p) / cells.n) AS by_chance,
           arg_min({'stage': cells.stage, 'feed': cells.feed, 'week': CAST(cells.week AS DATE)},
                   (cells.p, -cells.n, cells.week, cells.stage, cells.feed)) AS worst_cell,
           min(cells.p) AS worst_share
    FROM cells
    GROUP BY cells.brand
), shrunk AS (
    SELECT cells.brand,
           CASE WHEN moments.variance > moments.by_chance
                THEN (cells.hits + moments.m * (moments.m * (1 - moments.m) / (moments.variance - moments.by_chance)))
                     / (cells.n + moments.m * (1 - moments.m) / (moments.variance - moments.by_chance))
                ELSE moments.m END AS p
    FROM cells
    JOIN moments ON moments.brand = cells.brand
), sorted AS (
    SELECT shrunk.brand, list(shrunk.p ORDER BY shrunk.p) AS p, nullif(avg(shrunk.p), 0) AS mean,
           1.96 * sqrt(0.1 * 0.9 / count(*)) AS half_width
    FROM shrunk
    GROUP BY shrunk.brand
), indexed AS (
    SELECT sorted.brand, quantile_of(sorted.p, 0.1) / sorted.mean AS index,
           quantile_of(sorted.p, 0.1 - sorted.half_width) / sorted.mean AS low,
           quantile_of(sorted.p, 0.1 + sorted.half_width) / sorted.mean AS high
    FROM sorted
)
SELECT listed.brand, CAST(coalesce(moments.n, 0) AS BIGINT) AS n, coalesce(moments.cells, 0) AS cells,
       unknown.unknown_share,
       if_enough(indexed.index, moments.cells) AS index,
       if_enough(indexed.low, moments.cells) AS index_low,
       if_enough(indexed.high, moments.cells) AS index_high,
       if_enough(moments.variance / nullif(moments.by_chance, 0), moments.cells) AS overdispersion,
       if_enough((1 - 2 / (9 * (moments.cells - 1)) + 1.645 * sqrt(2 / (9 * greatest(moments.cells - 1, 1)))) ^ 3,
                 moments.cells) AS chance_high,
       if_enough(moments.worst_cell, moments.cells) AS worst_cell,
       if_enough(moments.worst_share, moments.cells) AS worst_share,
       heard.coverage,
       CASE WHEN coalesce(moments.cells, 0) < 5 THEN 'fewer than 5 cells of 5 first-hand units' END AS reason
FROM brands AS listed
LEFT JOIN moments ON moments.brand = listed.brand
LEFT JOIN indexed ON indexed.brand = listed.brand
LEFT JOIN unknown ON unknown.brand = listed.brand
LEFT JOIN coverage_in(since, as_of) AS heard ON heard.brand = listed.brand
WHERE brand IS NULL OR listed.brand = brand
ORDER BY index NULLS LAST, listed.brand
