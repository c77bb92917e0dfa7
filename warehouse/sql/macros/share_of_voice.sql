-- share_of_voice(since): how much of what is said in its market is said about each brand.
-- Grain:   one row per brand in listening.toml, the loudest first.
-- Reads:   brands, trend, wilson_low, if_enough.
-- Read by: the data team, word_of_mouse.
-- Takes:   since, a TIMESTAMP or DATE in UTC (NULL: 30 days before the snapshot's hour); whole hours are counted.
-- Method:  a brand's mentions / those of the brand and its competitors, or of all brands if it names none. A post that
--          names k brands counts once for each. NULL where the market has fewer than 5 mentions. The panel of feeds
--          is not fixed yet: a feed added within the period moves the figure.
-- Columns: brand, n (mentions), positives, negatives, neutrals, unknown_share, net_sentiment, net_sentiment_low,
--          net_sentiment_high (95 %), market_n (mentions in its market), share_of_voice (0..1), share_of_voice_low,
--          share_of_voice_high (95 %), coverage (mean of the hours that have one)
CREATE OR REPLACE MACRO share_of_voice(since := NULL) AS TABLE
WITH said AS (
    SELECT listed.brand, listed.competitors,
           coalesce(heard.n, 0) AS n, coalesce(heard.positives, 0) AS positives,
           coalesce(heard.negatives, 0) AS negatives, coalesce(heard.neutrals, 0) AS neutrals, heard.unknown_share,
           heard.net_sentiment, heard.net_sentiment_low, heard.net_sentiment_high, heard.coverage
    FROM brands AS listed
    LEFT JOIN trend(NULL, since := since, grain := NULL) AS heard ON heard.brand = listed.brand
), markets AS (
    SELECT said.brand, CAST(sum(rival.n) AS BIGINT) AS market_n
    FROM said
    JOIN said AS rival
      ON rival.brand = said.brand OR len(said.competitors) = 0 OR list_contains(said.competitors, rival.brand)
    GROUP BY said.brand
)
SELECT said.brand, said.n, said.positives, said.negatives, said.neutrals, said.unknown_share,
       said.net_sentiment, said.net_sentiment_low, said.net_sentiment_high,
       markets.market_n,
       if_enough(said.n / markets.market_n, markets.market_n) AS share_of_voice,
       if_enough(wilson_low(said.n, markets.market_n), markets.market_n) AS share_of_voice_low,
       if_enough(1 - wilson_low(markets.market_n - said.n, markets.market_n), markets.market_n) AS share_of_voice_high,
       said.coverage
FROM said
JOIN markets ON markets.brand = said.brand
ORDER BY said.n DESC, said.brand
