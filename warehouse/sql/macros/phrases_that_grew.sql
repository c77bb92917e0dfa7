-- phrases_that_grew(brand, since, unit, as_of): what people say now where they complain, and did not before.
-- Grain:   one row per brand, aspect, stage and phrase that grew, the most surely grown first.
-- Reads:   complaint_phrases, units_in, span, complained_of, phrases_of, lake.posts.
-- Read by: the data team, hotspots.
-- Takes:   as trend, without a grain.
-- Method:  phrases are those of phrases_of, of texts that speak against the aspect at that stage; a
--          text counts a phrase once. Log odds of now against the equally long period before, with an informative
--          Dirichlet prior (Monroe et al. 2008): the brand's complaints of both periods, weighing as 10 phrases. A
--          phrase grew where 3 texts or more have it and z is 0.5 or more; from 1.96 on it is beyond chance. Of a day
--          at most 50 texts of the brand are read, or 8 of each if all are asked for, drawn by hash; those of voices
--          as known now lie ready in complaint_phrases.
-- Columns: brand, aspect, stage, phrase, n (texts now), n_before, log_odds, z
CREATE OR REPLACE MACRO phrases_that_grew(brand, since := NULL, unit := NULL, as_of := NULL) AS TABLE
WITH params AS (
    SELECT 10 AS prior_phrases, 3 AS texts_at_least, 0.5 AS z_at_least,
           CASE WHEN brand IS NULL THEN 8 ELSE 50 END AS texts_at_most  -- of more there are none in complaint_phrases, where 8 of a day lie apart
), asked AS (
    SELECT now.starts, now.ends, before.starts AS starts_before
    FROM span(since, as_of) AS now, span(since, as_of, back := 1) AS before
), drawn AS (
    SELECT said.brand, said.hour, said.stage, said.post_id, said.version, said.known_from,
           complained_of(said.aspects) AS against
    FROM (
        FROM units_in(brand, since, unit, as_of)
        UNION ALL
        FROM units_in(brand, since, unit, as_of, back := 1, of_whole_days := true)
    ) AS said, params
    WHERE (unit IS NOT NULL OR as_of IS NOT NULL)
      AND len(complained_of(said.aspects)) > 0
    QUALIFY row_number() OVER (PARTITION BY said.brand, CAST(said.hour AS DATE) ORDER BY hash(said.post_id))
                <= params.texts_at_most
), texts AS (
    SELECT told.brand, told.stage, told.hour >= asked.starts AS is_now, told.against, told.phrases
    FROM complaint_phrases AS told, asked, params
    WHERE unit IS NULL AND as_of IS NULL AND (brand IS NULL OR told.brand = brand)
      AND told.drawn_as <= params.texts_at_most
      AND told.hour >= asked.starts_before AND told.hour < asked.ends
    UNION ALL
    SELECT drawn.brand, drawn.stage, drawn.hour >= asked.starts, drawn.against,
           phrases_of(reading.title, reading.text)
    FROM drawn
    JOIN lake.posts AS reading
      ON reading.post_id = drawn.post_id AND reading.version = drawn.version AND reading.fetched_at = drawn.known_from
     AND reading.published_at >= drawn.hour
    JOIN asked ON drawn.hour >= asked.starts_before
), cells AS (
    SELECT texts.brand, unnest(texts.against) AS aspect, texts.stage, texts.is_now, texts.phrases
    FROM texts
), heard AS (
    SELECT opened.brand, opened.aspect, opened.stage, opened.phrase, count(*) AS n
    FROM (SELECT cells.brand, cells.aspect, cells.stage, unnest(cells.phrases) AS phrase FROM cells WHERE cells.is_now)
        AS opened
    GROUP BY opened.brand, opened.aspect, opened.stage, opened.phrase
    HAVING count(*) >= (SELECT params.texts_at_least FROM params)
), heard_before AS (
    SELECT opened.brand, opened.aspect, opened.stage, opened.phrase, count(*) AS n
    FROM (SELECT cells.brand, cells.aspect, cells.stage, unnest(cells.phrases) AS phrase FROM cells
          WHERE NOT cells.is_now) AS opened
    SEMI JOIN heard
      ON heard.brand = opened.brand AND heard.aspect = opened.aspect AND heard.stage = opened.stage
     AND heard.phrase = opened.phrase
    GROUP BY opened.brand, opened.aspect, opened.stage, opened.phrase
), background AS (
    SELECT opened.brand, opened.phrase, count(*) AS n
    FROM (SELECT texts.brand, unnest(texts.phrases) AS phrase FROM texts) AS opened
    SEMI JOIN heard ON heard.brand = opened.brand AND heard.phrase = opened.phrase
    GROUP BY opened.brand, opened.phrase
), whole_brands AS (
    SELECT texts.brand, sum(len(texts.phrases)) AS n
    FROM texts
    GROUP BY texts.brand
), whole_cells AS (
    SELECT cells.brand, cells.aspect, cells.stage,
           sum(len(cells.phrases)) FILTER (cells.is_now) AS n,
           coalesce(sum(len(cells.phrases)) FILTER (NOT cells.is_now), 0) AS n_before
    FROM cells
    GROUP BY cells.brand, cells.aspect, cells.stage
), weighed AS (
    SELECT heard.brand, heard.aspect, heard.stage, heard.phrase, heard.n, coalesce(heard_before.n, 0) AS n_before,
           background.n / whole_brands.n * params.prior_phrases AS prior,
           whole_cells.n + params.prior_phrases AS whole, whole_cells.n_before + params.prior_phrases AS whole_before
    FROM heard
    JOIN background ON background.brand = heard.brand AND background.phrase = heard.phrase
    JOIN whole_brands ON whole_brands.brand = heard.brand
    JOIN whole_cells
      ON whole_cells.brand = heard.brand AND whole_cells.aspect = heard.aspect AND whole_cells.stage = heard.stage
    LEFT JOIN heard_before
      ON heard_before.brand = heard.brand AND heard_before.aspect = heard.aspect
     AND heard_before.stage = heard.stage AND heard_before.phrase = heard.phrase
    CROSS JOIN params
), scored AS (
    SELECT weighed.*,
           ln((weighed.n + weighed.prior) / (weighed.whole - weighed.n - weighed.prior))
               - ln((weighed.n_before + weighed.prior) / (weighed.whole_before - weighed.n_before - weighed.prior))
               AS log_odds,
           sqrt(1 / (weighed.n + weighed.prior) + 1 / (weighed.n_before + weighed.prior)) AS spread
    FROM weighed
)
SELECT scored.brand, scored.aspect, scored.stage, scored.phrase, scored.n, scored.n_before, scored.log_odds,
       scored.log_odds / scored.spread AS z
FROM scored, params
WHERE scored.log_odds / scored.spread >= params.z_at_least
ORDER BY scored.brand, scored.aspect, scored.stage, z DESC, scored.phrase
