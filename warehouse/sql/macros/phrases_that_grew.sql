-- phrases_that_grew(brand, since, unit, as_of): what people say now where they complain, and did not before.
-- Grain:   one row per brand, aspect, stage and phrase that grew, the most surely grown first.
-- Reads:   voices, phrases_of, lake.posts.
-- Read by: the data team, hotspots.
-- Takes:   as trend, without a grain.
-- Method:  phrases are those of phrases_of, of texts that speak against the aspect at that stage; a
--          text counts a phrase once. Log odds of now against the equally long period before, with an informative
--          Dirichlet prior (Monroe et al. 2008): the brand's complaints of both periods, weighing as 10 phrases. A
--          phrase grew where 3 texts or more have it and z is 0.5 or more; from 1.96 on it is beyond chance. Of a
--          period at most 2,000 texts a brand are read, drawn by hash.
-- Columns: brand, aspect, stage, phrase, n (texts now), n_before, log_odds, z
CREATE OR REPLACE MACRO phrases_that_grew(brand, since := NULL, unit := NULL, as_of := NULL) AS TABLE
WITH params AS (
    SELECT 10 AS prior_phrases, 3 AS texts_at_least, 0.5 AS z_at_least, 2000 AS texts_at_most
), said AS (
    SELECT told.*, true AS is_now FROM voices(brand, since, unit, as_of) AS told WHERE len(told.aspects) > 0
    UNION ALL
    SELECT told.*, false FROM voices(brand, since, unit, as_of, back := 1) AS told WHERE len(told.aspects) > 0
), complaints AS (
    SELECT said.brand, said.stage, said.is_now, said.post_id, said.version, said.known_from,
           list_distinct(list_transform(list_filter(said.aspects, lambda found: found.sentiment < 0),
                                        lambda found: found.aspect)) AS aspects
    FROM said, params
    WHERE len(list_filter(said.aspects, lambda found: found.sentiment < 0)) > 0
    QUALIFY row_number() OVER (PARTITION BY said.brand, said.is_now ORDER BY md5(said.post_id)) <= params.texts_at_most
), phrased AS (
    SELECT complaints.brand, complaints.stage, complaints.is_now, complaints.post_id, complaints.aspects,
           phrases_of(reading.title, reading.text) AS phrases
    FROM complaints
    JOIN lake.posts AS reading
      ON reading.post_id = complaints.post_id AND reading.version = complaints.version
     AND reading.fetched_at = complaints.known_from
), told AS (
    SELECT phrased.brand, phrased.stage, phrased.is_now, phrased.post_id, phrased.aspects,
           unnest(phrased.phrases) AS phrase
    FROM phrased
), background AS (
    SELECT told.brand, told.phrase,
           count(*) / sum(count(*)) OVER (PARTITION BY told.brand) * any_value(params.prior_phrases) AS prior
    FROM told, params
    GROUP BY told.brand, told.phrase
), in_cells AS (
    SELECT opened.brand, opened.aspect, opened.stage, opened.phrase,
           count(*) FILTER (opened.is_now) AS n, count(*) FILTER (NOT opened.is_now) AS n_before
    FROM (SELECT told.*, unnest(told.aspects) AS aspect FROM told) AS opened
    GROUP BY opened.brand, opened.aspect, opened.stage, opened.phrase
), weighed AS (
    SELECT in_cells.*, background.prior,
           sum(in_cells.n) OVER cell + params.prior_phrases AS whole,
           sum(in_cells.n_before) OVER cell + params.prior_phrases AS whole_before
    FROM in_cells
    JOIN background ON background.brand = in_cells.brand AND background.phrase = in_cells.phrase, params
    WINDOW cell AS (PARTITION BY in_cells.brand, in_cells.aspect, in_cells.stage)
), scored AS (
    SELECT weighed.*,
           ln((weighed.n + weighed.prior) / (weighed.whole - weighed.n - weighed.prior))
               - ln((weighed.n_before + weighed.prior) / (weighed.whole_before - weighed.n_before - weighed.prior))
               AS log_odds,
           sqrt(1 / (weighed.n + weighed.prior) + 1 / (weighed.n_before + weighed.prior)) AS spread
    FROM weighed, params
    WHERE weighed.n >= params.texts_at_least
)
SELECT scored.brand, scored.aspect, scored.stage, scored.phrase, scored.n, scored.n_before, scored.log_odds,
       scored.log_odds / scored.spread AS z
FROM scored, params
WHERE scored.log_odds / scored.spread >= params.z_at_least
ORDER BY scored.brand, scored.aspect, scored.stage, z DESC, scored.phrase
