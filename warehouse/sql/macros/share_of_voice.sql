-- share_of_voice(since): how much of what is said in its market is said about each brand.
-- Grain:   one row per brand in listening.toml, the loudest first.
-- Reads:   brand_hours, brands, lake.snapshot, wilson_low, net_sentiment, net_sentiment_low, net_sentiment_high.
-- Read by: the data team, word_of_mouse.
-- Takes:   since, a TIMESTAMP or DATE in UTC (NULL: 30 days before the snapshot's hour).
-- Method:  a brand's mentions / those of the brand and its competitors, or of all brands if it names none. A post that
--          names k brands counts once for each. NULL where the market has fewer than 5 mentions. The panel of feeds
--          is not fixed yet: a feed added within the period moves the figure.
-- Columns: brand, n (mentions), positives, negatives, neutrals, unknown_share, net_sentiment, net_sentiment_low,
--          net_sentiment_high (95 %), market_n (mentions in its market), share_of_voice (0..1), share_of_voice_low,
--          share_of_voice_high (95 %), coverage (mean of the hours that have one)
CREATE OR REPLACE MACRO share_of_voice(since := NULL) AS TABLE
WITH summed AS (
    SELECT hours.brand,
           CAST(sum(hours.mentions) AS BIGINT) AS n,
           CAST(sum(hours.positives) AS BIGINT) AS positives,
           CAST(sum(hours.negatives) AS BIGINT) AS negatives,
           CAST(sum(hours.neutrals) AS BIGINT) AS neutrals,
           CAST(sum(hours.unknowns) AS BIGINT) AS unknowns,
           avg(hours.coverage) AS coverage
    FROM brand_hours AS hours, lake.snapshot AS snapshot
    WHERE hours.hour >= coalesce(CAST(since AS TIMESTAMP), snapshot.hour - INTERVAL 30 DAYS)
    GROUP BY hours.brand
), said AS (
    SELECT listed.brand, listed.competitors, coalesce(summed.n, 0) AS n,
           coalesce(summed.positives, 0) AS positives, coalesce(summed.negatives, 0) AS negatives,
           coalesce(summed.neutrals, 0) AS neutrals, coalesce(summed.unknowns, 0) AS unknowns, summed.coverage
    FROM brands AS listed
    LEFT JOIN summed ON summed.brand = listed.brand
), markets AS (
    SELECT said.brand, CAST(sum(rival.n) AS BIGINT) AS market_n
    FROM said
    JOIN said AS rival
      ON rival.brand = said.brand OR len(said.competitors) = 0 OR list_contains(said.competitors, rival.brand)
    GROUP BY said.brand
)
SELECT said.brand, said.n, said.positives, said.negatives, said.neutrals,
       said.unknowns / nullif(said.n, 0) AS unknown_share,
       CASE WHEN said.n >= 5 THEN net_sentiment(said.positives, said.negatives) END AS net_sentiment,
       CASE WHEN said.n >= 5 THEN net_sentiment_low(said.positives, said.negatives) END AS net_sentiment_low,
       CASE WHEN said.n >= 5 THEN net_sentiment_high(said.positives, said.negatives) END AS net_sentiment_high,
       markets.market_n,
       CASE WHEN markets.market_n >= 5 THEN said.n / markets.market_n END AS share_of_voice,
       CASE WHEN markets.market_n >= 5 THEN wilson_low(said.n, markets.market_n) END AS share_of_voice_low,
       CASE WHEN markets.market_n >= 5
            THEN 1 - wilson_low(markets.market_n - said.n, markets.market_n) END AS share_of_voice_high,
       said.coverage
FROM said
JOIN markets ON markets.brand = said.brand
ORDER BY said.n DESC, said.brand
