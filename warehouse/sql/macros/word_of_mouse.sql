-- word_of_mouse(brand, since, unit, as_of): the word of mouse about a brand in one line.
-- Grain:   one row per brand in listening.toml, those nobody speaks of included; the most talked about first.
-- Reads:   brands, trend, counts, markets, negative_reach, speakers_in, brand_hours, opinions, alerts, span,
--          is_known, net_sentiment, wilson_low, wilson_high, if_enough, too_few.
-- Read by: the data team, the command line.
-- Takes:   as trend, without a grain.
-- Method:  the period runs from the first whole hour since then to the running one; "before" is the equally long one
--          before it, and is NULL where the brand's first mention lies within it, since then nobody knows what was not
--          heard. Figures that need 5 are NULL below that. Negative reach and level are those of the macro
--          negative_reach; the interval takes as many mentions as such weights are worth. Whether alerts are open is
--          told as of now, or as of as_of.
-- Columns: brand, n (units), authors (different ones), positives, negatives, neutrals, unknown_share, net_sentiment,
--          net_sentiment_low, net_sentiment_high (95 %), corrected, corrected_low, corrected_high (95 %),
--          share_of_voice (0..1, among it and its competitors), n_before, n_change (n / n_before - 1),
--          net_sentiment_change, negative_reach (0..1), negative_reach_low, negative_reach_high (95 %), negative_level,
--          imputed_share (of mentions, whose reach is not told), top_source, open_alerts (of negative spikes), coverage
--          (mean of the hours that have one), reason (why a net sentiment is NULL)
CREATE OR REPLACE MACRO word_of_mouse(brand, since := NULL, unit := NULL, as_of := NULL) AS TABLE
WITH first_heard AS (
    SELECT hours.brand, min(hours.hour) AS hour
    FROM brand_hours AS hours
    WHERE as_of IS NULL AND (brand IS NULL OR hours.brand = brand)
    GROUP BY hours.brand
    UNION ALL
    SELECT said.brand, min(said.hour)
    FROM opinions AS said
    WHERE as_of IS NOT NULL AND (brand IS NULL OR said.brand = brand)
      AND is_known(said.known_from, said.known_until, as_of)
    GROUP BY said.brand
), earlier AS (
    SELECT told.brand, told.n, told.positives, told.negatives
    FROM counts(brand, since, NULL, unit, as_of, back := 1) AS told
    JOIN first_heard ON first_heard.brand = told.brand
    JOIN span(since, as_of, back := 1) AS before ON first_heard.hour < before.starts + INTERVAL 1 HOUR
), speaking AS (
    SELECT told.brand, count(*) FILTER (told.is_author) AS authors
    FROM speakers_in(brand, since, as_of) AS told
    GROUP BY told.brand
), raised AS (
    SELECT told.brand, count(*) AS open_alerts
    FROM alerts AS told
    WHERE told.kind = 'negative_spike'
      AND ((as_of IS NULL AND told.state NOT IN ('resolved', 'dismissed'))
           OR (told.opened_at <= CAST(as_of AS TIMESTAMP)
               AND (told.resolved_at IS NULL OR told.resolved_at > CAST(as_of AS TIMESTAMP))))
    GROUP BY told.brand
)
SELECT listed.brand, coalesce(heard.n, 0) AS n, coalesce(speaking.authors, 0) AS authors,
       coalesce(heard.positives, 0) AS positives, coalesce(heard.negatives, 0) AS negatives,
       coalesce(heard.neutrals, 0) AS neutrals, heard.unknown_share,
       heard.net_sentiment, heard.net_sentiment_low, heard.net_sentiment_high,
       heard.corrected, heard.corrected_low, heard.corrected_high,
       if_enough(voice.n / voice.market_n, voice.market_n) AS share_of_voice,
       earlier.n AS n_before,
       if_enough(coalesce(heard.n, 0) / earlier.n - 1, earlier.n) AS n_change,
       if_enough(heard.net_sentiment - net_sentiment(earlier.positives, earlier.negatives), earlier.n)
           AS net_sentiment_change,
       if_enough(reached.negative_reach, reached.judged) AS negative_reach,
       if_enough(wilson_low(reached.negative_reach * reached.worth, reached.worth), reached.judged)
           AS negative_reach_low,
       if_enough(wilson_high(reached.negative_reach * reached.worth, reached.worth), reached.judged)
           AS negative_reach_high,
       if_enough(reached.negative_level, reached.judged) AS negative_level,
       reached.imputed_share, reached.top_source, coalesce(raised.open_alerts, 0) AS open_alerts, heard.coverage,
       CASE WHEN heard.brand IS NULL THEN too_few(0) ELSE heard.reason END AS reason
FROM brands AS listed
LEFT JOIN trend(brand, since := since, grain := NULL, unit := unit, as_of := as_of) AS heard
  ON heard.brand = listed.brand
LEFT JOIN markets(since, unit, as_of) AS voice ON voice.brand = listed.brand
LEFT JOIN earlier ON earlier.brand = listed.brand
LEFT JOIN negative_reach(brand, since := since, as_of := as_of) AS reached ON reached.brand = listed.brand
LEFT JOIN speaking ON speaking.brand = listed.brand
LEFT JOIN raised ON raised.brand = listed.brand
WHERE brand IS NULL OR listed.brand = brand
ORDER BY n DESC, listed.brand
