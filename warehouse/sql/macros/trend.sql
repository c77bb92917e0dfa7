-- trend(brand, since, grain, unit, as_of): how word of mouse about a brand moves.
-- Grain:   one row per brand and period, quiet periods included.
-- Reads:   counts, brand_hours, opinions, coverage_hours, span, is_known, net_sentiment, net_sentiment_low,
--          net_sentiment_high, if_enough, too_few, corrected_net_sentiment.
-- Read by: the data team, word_of_mouse.
-- Takes:   brand (NULL: every brand); since, a TIMESTAMP or DATE in UTC (NULL: 30 days before the last hour); grain:
--          hour, day, week, month, ... as date_trunc takes it (NULL: all of it in one period); unit: mention, story or
--          author, each once a period (NULL: a voice, an author telling a story on a day); as_of, a TIMESTAMP in UTC:
--          what was read or visited later does not count (NULL: all does).
-- Method:  whole hours are counted, from the first that begins at since or later to the running one; so the first and
--          the last period may be partly covered. Net sentiment is NULL below 5. Corrected, nlp's usual errors are
--          taken out of it (see corrected_net_sentiment); its interval is that of net sentiment, corrected likewise,
--          and takes the matrix as exact. Labels are those of the file's nlp_version also in an older as_of.
-- Columns: brand, period (its start; NULL if grain is), n (units), positives, negatives, neutrals, unknown_share,
--          net_sentiment, net_sentiment_low, net_sentiment_high (95 %), corrected, corrected_low, corrected_high (95
--          %), coverage (mean of the hours that have one), reason (why a net sentiment is NULL)
CREATE OR REPLACE MACRO trend(brand, since := NULL, grain := 'day', unit := NULL, as_of := NULL) AS TABLE
WITH asked AS (
    FROM span(since, as_of)
), counted AS (
    FROM counts(brand, since, grain, unit, as_of)
), first_heard AS (
    SELECT said.brand, date_trunc(grain, min(said.hour)) AS period
    FROM opinions AS said
    WHERE as_of IS NOT NULL AND (brand IS NULL OR said.brand = brand)
      AND is_known(said.known_from, said.known_until, as_of)
    GROUP BY said.brand
), late_visits AS (
    SELECT told.brand, told.hour, told.visits, told.answered
    FROM coverage_hours(as_of) AS told, asked
    WHERE as_of IS NOT NULL AND told.hour = asked.ends - INTERVAL 1 HOUR
), last_hour AS (
    SELECT listened.brand, sum(told.answered) / sum(told.visits) AS coverage
    FROM (SELECT DISTINCT late.brand FROM brand_hours AS late, asked WHERE late.hour = asked.ends - INTERVAL 1 HOUR)
        AS listened
    LEFT JOIN late_visits AS told ON told.brand IS NULL OR told.brand = listened.brand
    GROUP BY listened.brand
), spine AS (
    SELECT hours.brand, date_trunc(grain, hours.hour) AS period,
           avg(CASE WHEN as_of IS NOT NULL AND hours.hour = asked.ends - INTERVAL 1 HOUR THEN last_hour.coverage
                    ELSE hours.coverage END) AS coverage
    FROM brand_hours AS hours
    CROSS JOIN asked
    LEFT JOIN last_hour ON last_hour.brand = hours.brand
    WHERE (brand IS NULL OR hours.brand = brand) AND hours.hour >= asked.starts AND hours.hour < asked.ends
    GROUP BY hours.brand, date_trunc(grain, hours.hour)
), summed AS (
    SELECT spine.brand, spine.period, spine.coverage,
           coalesce(counted.n, 0) AS n, coalesce(counted.positives, 0) AS positives,
           coalesce(counted.negatives, 0) AS negatives, coalesce(counted.neutrals, 0) AS neutrals,
           coalesce(counted.unknowns, 0) AS unknowns
    FROM spine
    LEFT JOIN counted ON counted.brand = spine.brand AND counted.period IS NOT DISTINCT FROM spine.period
    LEFT JOIN first_heard ON first_heard.brand = spine.brand
    WHERE as_of IS NULL
       OR (first_heard.brand IS NOT NULL AND (spine.period IS NULL OR spine.period >= first_heard.period))
), rated AS (
    SELECT summed.*,
           net_sentiment(summed.positives, summed.negatives) AS net,
           net_sentiment_low(summed.positives, summed.negatives) AS low,
           net_sentiment_high(summed.positives, summed.negatives) AS high,
           summed.positives + summed.negatives AS sides
    FROM summed
), corrected AS (
    SELECT rated.*,
           corrected_net_sentiment(rated.positives, rated.negatives, rated.neutrals) AS true_net,
           corrected_net_sentiment(
               (1 + rated.low) / 2 * rated.sides, (1 - rated.low) / 2 * rated.sides, rated.neutrals) AS true_low,
           corrected_net_sentiment(
               (1 + rated.high) / 2 * rated.sides, (1 - rated.high) / 2 * rated.sides, rated.neutrals) AS true_high
    FROM rated
)
SELECT corrected.brand, corrected.period, corrected.n, corrected.positives, corrected.negatives, corrected.neutrals,
       corrected.unknowns / nullif(corrected.n, 0) AS unknown_share,
       if_enough(corrected.net, corrected.n) AS net_sentiment,
       if_enough(corrected.low, corrected.n) AS net_sentiment_low,
       if_enough(corrected.high, corrected.n) AS net_sentiment_high,
       if_enough(corrected.true_net, corrected.n) AS corrected,
       if_enough(corrected.true_low, corrected.n) AS corrected_low,
       if_enough(corrected.true_high, corrected.n) AS corrected_high,
       corrected.coverage,
       coalesce(too_few(corrected.n),
                CASE WHEN corrected.sides = 0 THEN 'nobody takes a side'
                     WHEN corrected.true_net IS NULL THEN 'no confusion matrix' END) AS reason
FROM corrected
ORDER BY corrected.brand, corrected.period
