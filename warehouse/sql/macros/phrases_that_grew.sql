-- phrases_that_grew(brand, since, unit, as_of): what people say now where they complain, and did not before.
-- Grain:   one row per brand, aspect, stage and phrase that grew, the most surely grown first.
-- Reads:   voices, lake.posts.
-- Read by: the data team, hotspots.
-- Takes:   as trend, without a grain.
-- Method:  words, and pairs of words that stand side by side, of texts that speak against the aspect at that stage; a
--          text counts a phrase once. Log odds of now against the equally long period before, with an informative
--          Dirichlet prior (Monroe et al. 2008): the brand's complaints of both periods, weighing as 10 phrases. A
--          phrase grew where 3 texts or more have it and z is 0.5 or more; from 1.96 on it is beyond chance. Of a
--          period at most 2,000 texts a brand are read, drawn by hash. English function words neither begin nor end a
--          phrase.
-- Columns: brand, aspect, stage, phrase, n (texts now), n_before, log_odds, z
CREATE OR REPLACE MACRO phrases_that_grew(brand, since := NULL, unit := NULL, as_of := NULL) AS TABLE
WITH params AS (
    SELECT 10 AS prior_phrases, 3 AS texts_at_least, 0.5 AS z_at_least, 2000 AS texts_at_most,
           ' . , ; : ! ? a about after again all also am an and any are as at be because been but by can could did do '
               'does even for from get got had has have he her his how i if im in into is it its ive just like me more '
               'much my no not now of off on one only or our out over she so some still than that the their them then '
               'there these they this to too up us very was we were what when where which who why will with would you '
               'your don''t doesn''t didn''t isn''t can''t i''m i''ve it''s ' AS function_words  -- and stops
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
), worded AS (
    SELECT complaints.brand, complaints.stage, complaints.is_now, complaints.post_id, complaints.aspects,
           regexp_extract_all(
               regexp_replace(lower(replace(concat_ws(' . ', reading.title, reading.text), '’', '''')),
                              'https?://\S+|\b\d+\b|\n', ' . ', 'g'),
               '[\pL\pN]+(?:''\pL+)*|[.,;:!?]') AS words  -- stops are kept: no pair reaches over one
    FROM complaints
    JOIN lake.posts AS reading
      ON reading.post_id = complaints.post_id AND reading.version = complaints.version
     AND reading.fetched_at = complaints.known_from
), telling AS (  -- function words and stops become empty ones
    SELECT worded.brand, worded.stage, worded.is_now, worded.post_id, worded.aspects,
           list_transform(worded.words, lambda word: CASE
               WHEN contains(params.function_words, ' ' || word || ' ') THEN '' ELSE word END) AS words
    FROM worded, params
), phrased AS (
    SELECT telling.brand, telling.stage, telling.is_now, telling.post_id, telling.aspects,
           list_distinct(list_filter(list_concat(telling.words, list_transform(
               list_zip(telling.words[:-2], telling.words[2:]),
               lambda pair: CASE WHEN pair[1] <> '' AND pair[2] <> '' THEN pair[1] || ' ' || pair[2] ELSE '' END
           )), lambda phrase: phrase <> '')) AS phrases
    FROM telling
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
