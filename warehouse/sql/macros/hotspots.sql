-- hotspots(brand, since, unit, as_of): where a brand hurts more than it used to, and what people say there.
-- Grain:   one row per brand, aspect and stage of the journey complained of, the most excess first; one with aspect
--          NULL for a brand in listening.toml without any.
-- Reads:   brands, complaints_in, phrases_that_grew, coverage_in, wilson_low, wilson_high, too_few, if_enough.
-- Read by: the data team.
-- Takes:   as trend, without a grain.
-- Method:  n are units that speak against the aspect at that stage. Expected is their share of the brand's units in the
--          equally long period before, times its units now; excess is n - expected, so that a brand of which more is
--          said is not hot for that alone. Its interval is that of the difference of two shares (Newcombe 1998), times
--          the units now. Phrases are the 5 that grew most (see phrases_that_grew).
-- Columns: brand, aspect, stage, n, n_before, units (of the brand now), units_before, unknown_share (of units now,
--          whose aspects were not judged), expected, excess, excess_low, excess_high (95 %), phrases, coverage, reason
--          (why there is no excess)
CREATE OR REPLACE MACRO hotspots(brand, since := NULL, unit := NULL, as_of := NULL) AS TABLE
WITH told AS (
    SELECT now.brand, now.aspect, now.stage, now.n, now.unknowns, 0 AS n_before
    FROM complaints_in(brand, since, unit, as_of) AS now
    UNION ALL
    SELECT before.brand, before.aspect, before.stage, 0, 0, before.n
    FROM complaints_in(brand, since, unit, as_of, back := 1) AS before
), counted AS (
    SELECT told.brand, told.aspect, told.stage, CAST(sum(told.n) AS BIGINT) AS n,
           CAST(sum(told.n_before) AS BIGINT) AS n_before, sum(told.unknowns) AS unknowns
    FROM told
    GROUP BY told.brand, told.aspect, told.stage
), totals AS (
    SELECT counted.brand, counted.n AS units, counted.n_before AS units_before,
           counted.unknowns / nullif(counted.n, 0) AS unknown_share
    FROM counted
    WHERE counted.aspect IS NULL
), cells AS (
    SELECT counted.brand, counted.aspect, counted.stage, counted.n, counted.n_before
    FROM counted
    WHERE counted.aspect IS NOT NULL AND counted.n > 0
), shares AS (
    SELECT cells.brand, cells.aspect, cells.stage, cells.n, cells.n_before,
           cells.n / totals.units AS p, cells.n_before / nullif(totals.units_before, 0) AS q,
           wilson_low(cells.n, totals.units) AS p_low, wilson_high(cells.n, totals.units) AS p_high,
           wilson_low(cells.n_before, totals.units_before) AS q_low,
           wilson_high(cells.n_before, totals.units_before) AS q_high,
           least(cells.n, totals.units_before) AS enough
    FROM cells
    JOIN totals ON totals.brand = cells.brand
), words AS (
    SELECT grown.brand, grown.aspect, grown.stage, list(grown.phrase ORDER BY grown.z DESC, grown.phrase)[:5] AS phrases
    FROM phrases_that_grew(brand, since, unit, as_of) AS grown
    GROUP BY grown.brand, grown.aspect, grown.stage
)
SELECT listed.brand, shares.aspect, shares.stage, coalesce(shares.n, 0) AS n, coalesce(shares.n_before, 0) AS n_before,
       coalesce(totals.units, 0) AS units, coalesce(totals.units_before, 0) AS units_before, totals.unknown_share,
       if_enough(shares.q * totals.units, shares.enough) AS expected,
       if_enough((shares.p - shares.q) * totals.units, shares.enough) AS excess,
       if_enough((shares.p - shares.q - sqrt((shares.p - shares.p_low) ^ 2 + (shares.q_high - shares.q) ^ 2))
                 * totals.units, shares.enough) AS excess_low,
       if_enough((shares.p - shares.q + sqrt((shares.p_high - shares.p) ^ 2 + (shares.q - shares.q_low) ^ 2))
                 * totals.units, shares.enough) AS excess_high,
       coalesce(words.phrases, []) AS phrases,
       heard.coverage,
       coalesce(too_few(shares.n), CASE WHEN shares.enough < 5 THEN 'too little was heard before' END) AS reason
FROM brands AS listed
LEFT JOIN totals ON totals.brand = listed.brand
LEFT JOIN shares ON shares.brand = listed.brand
LEFT JOIN words ON words.brand = shares.brand AND words.aspect = shares.aspect AND words.stage = shares.stage
LEFT JOIN coverage_in(since, as_of) AS heard ON heard.brand = listed.brand
WHERE brand IS NULL OR listed.brand = brand
ORDER BY excess DESC NULLS LAST, n DESC, listed.brand, shares.aspect, shares.stage
