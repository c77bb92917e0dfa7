-- share_of_voice(since, unit, as_of): how much of what is said in its market is said about each brand.
-- Grain:   one row per brand in listening.toml, the loudest first.
-- Reads:   markets, coverage_in, net_sentiment, net_sentiment_low, net_sentiment_high, wilson_low, wilson_high,
--          if_enough, too_few.
-- Read by: the data team.
-- Takes:   since, unit and as_of, as trend; whole hours are counted.
-- Method:  a brand's units / those of the brand and its competitors, or of all brands if it names none. A post that
--          names k brands counts once for each. Only feeds on the panel count: those heard throughout the period and
--          the equally long one before it; a feed that is added moves nothing (see panel). NULL where the market has
--          fewer than 5.
-- Columns: brand, n (units, on the panel as all counts here), positives, negatives, neutrals, unknown_share,
--          net_sentiment, net_sentiment_low, net_sentiment_high (95 %), market_n (units in its market), share_of_voice
--          (0..1), share_of_voice_low, share_of_voice_high (95 %), coverage (mean of the hours that have one), reason
--          (why there is no share)
CREATE OR REPLACE MACRO share_of_voice(since := NULL, unit := NULL, as_of := NULL) AS TABLE
SELECT said.brand, said.n, said.positives, said.negatives, said.neutrals, said.unknown_share,
       if_enough(net_sentiment(said.positives, said.negatives), said.n) AS net_sentiment,
       if_enough(net_sentiment_low(said.positives, said.negatives), said.n) AS net_sentiment_low,
       if_enough(net_sentiment_high(said.positives, said.negatives), said.n) AS net_sentiment_high,
       said.market_n,
       if_enough(said.n / said.market_n, said.market_n) AS share_of_voice,
       if_enough(wilson_low(said.n, said.market_n), said.market_n) AS share_of_voice_low,
       if_enough(wilson_high(said.n, said.market_n), said.market_n) AS share_of_voice_high,
       heard.coverage, too_few(said.market_n) AS reason
FROM markets(since, unit, as_of) AS said
LEFT JOIN coverage_in(since, as_of) AS heard ON heard.brand = said.brand
ORDER BY said.n DESC, said.brand
