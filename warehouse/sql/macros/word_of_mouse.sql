-- word_of_mouse(brand, since): the word of mouse about a brand in one line.
-- Grain:   one row per brand in listening.toml, those nobody speaks of included; the most talked about first.
-- Reads:   share_of_voice, brand_hours, mentions, alerts, lake.snapshot, net_sentiment, if_enough.
-- Read by: the data team, the command line.
-- Takes:   brand (NULL: every brand); since, a TIMESTAMP or DATE in UTC (NULL: 30 days before the snapshot's hour).
-- Method:  the period runs from the first whole hour since then to the running one; "before" is the equally long one
--          before it, and is NULL where the brand's first mention lies within it, since then nobody knows what was
--          not heard. Figures that need 5 mentions are NULL below that.
-- Columns: brand, n (mentions), authors (different ones), positives, negatives, neutrals, unknown_share, net_sentiment,
--          net_sentiment_low, net_sentiment_high (95 %), share_of_voice (0..1, among it and its competitors),
--          n_before, n_change (n / n_before - 1), net_sentiment_change, top_source, open_alerts (not yet resolved),
--          coverage (mean of the hours that have one)
CREATE OR REPLACE MACRO word_of_mouse(brand, since := NULL) AS TABLE
WITH period AS (
    SELECT coalesce(CAST(since AS TIMESTAMP), snapshot.hour - INTERVAL 30 DAYS) AS starts,
           snapshot.hour + INTERVAL 1 HOUR AS ends
    FROM lake.snapshot AS snapshot
), earlier AS (
    SELECT hours.brand,
           CAST(sum(hours.mentions) AS BIGINT) AS n,
           CAST(sum(hours.positives) AS BIGINT) AS positives,
           CAST(sum(hours.negatives) AS BIGINT) AS negatives
    FROM brand_hours AS hours, period
    WHERE hours.hour < period.starts AND hours.hour >= period.starts - (period.ends - period.starts)
    GROUP BY hours.brand
    HAVING min(hours.hour) < any_value(period.starts - (period.ends - period.starts)) + INTERVAL 1 HOUR
), voices AS (
    SELECT found.brand, count(DISTINCT found.author) AS authors, mode(found.source) AS top_source
    FROM mentions AS found, period
    WHERE found.is_meant AND date_trunc('hour', found.published_at) >= period.starts
      AND (brand IS NULL OR found.brand = brand)
    GROUP BY found.brand
), raised AS (
    SELECT told.brand, count(*) AS open_alerts
    FROM alerts AS told
    WHERE told.state <> 'resolved'
    GROUP BY told.brand
)
SELECT voice.brand, voice.n, coalesce(voices.authors, 0) AS authors, voice.positives, voice.negatives, voice.neutrals,
       voice.unknown_share, voice.net_sentiment, voice.net_sentiment_low, voice.net_sentiment_high,
       voice.share_of_voice,
       earlier.n AS n_before,
       if_enough(voice.n / earlier.n - 1, earlier.n) AS n_change,
       if_enough(voice.net_sentiment - net_sentiment(earlier.positives, earlier.negatives), earlier.n)
           AS net_sentiment_change,
       voices.top_source, coalesce(raised.open_alerts, 0) AS open_alerts, voice.coverage
FROM share_of_voice(since := since) AS voice
LEFT JOIN earlier ON earlier.brand = voice.brand
LEFT JOIN voices ON voices.brand = voice.brand
LEFT JOIN raised ON raised.brand = voice.brand
WHERE brand IS NULL OR voice.brand = brand
ORDER BY voice.n DESC, voice.brand
