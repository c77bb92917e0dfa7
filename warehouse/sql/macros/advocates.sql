-- advocates(brand, since, as_of): do more people recommend a brand, or warn others off?
-- Grain:   one row per brand in listening.toml, the one with most advocates for each detractor first.
-- Reads:   brands, speakers_in, coverage_in, too_few, if_enough.
-- Read by: the data team.
-- Takes:   brand (NULL: every brand), since and as_of, as trend.
-- Method:  an author's latest act counts: an advocate recommends, a detractor warns off; a post that does both is no
--          act, and defending a brand has no label of its own. Posts without an author stand for one each. The log
--          ratio is ln((advocates + 0.5) / (detractors + 0.5)), above 0 where advocates outnumber; its interval is the
--          normal one of log odds (Haldane 1956). Staff, owned and paid accounts should be left out, and the lake
--          cannot tell them (see opinions): they count.
-- Columns: brand, n (authors who act), advocates, detractors, authors (all who speak of it), unknown_share (of authors,
--          who recommend or warn as far as is known, none of whose posts was judged for that), log_ratio,
--          log_ratio_low, log_ratio_high (95 %), coverage, reason (why there is no ratio)
CREATE OR REPLACE MACRO advocates(brand, since := NULL, as_of := NULL) AS TABLE
WITH counted AS (
    SELECT told.brand,
           count(*) AS authors,
           count(told.act) AS n,
           count(*) FILTER (told.act = 1) AS advocates,
           count(*) FILTER (told.act = -1) AS detractors,
           avg(CAST(NOT told.is_judged AS INT)) AS unknown_share
    FROM speakers_in(brand, since, as_of) AS told
    GROUP BY told.brand
), rated AS (
    SELECT counted.*, ln((counted.advocates + 0.5) / (counted.detractors + 0.5)) AS log_ratio,
           1.96 * sqrt(1 / (counted.advocates + 0.5) + 1 / (counted.detractors + 0.5)) AS half_width
    FROM counted
)
SELECT listed.brand, coalesce(rated.n, 0) AS n, coalesce(rated.advocates, 0) AS advocates,
       coalesce(rated.detractors, 0) AS detractors, coalesce(rated.authors, 0) AS authors, rated.unknown_share,
       if_enough(rated.log_ratio, rated.n) AS log_ratio,
       if_enough(rated.log_ratio - rated.half_width, rated.n) AS log_ratio_low,
       if_enough(rated.log_ratio + rated.half_width, rated.n) AS log_ratio_high,
       heard.coverage, too_few(rated.n) AS reason
FROM brands AS listed
LEFT JOIN rated ON rated.brand = listed.brand
LEFT JOIN coverage_in(since, as_of) AS heard ON heard.brand = listed.brand
WHERE brand IS NULL OR listed.brand = brand
ORDER BY log_ratio DESC NULLS LAST, listed.brand
