-- employer(brand, since, unit, as_of): what is said of a brand's staff, and of how it treats them.
-- Grain:   one row per brand in listening.toml and lens: actor (how staff treat customers) and victim (how the company
--          treats its people).
-- Reads:   brands, voices_in, coverage_in, net_sentiment, net_sentiment_low, net_sentiment_high, too_few, if_enough.
-- Read by: the data team.
-- Takes:   as trend, without a grain.
-- Method:  what tells of both counts in both. Sentiment is that toward the brand.
-- Columns: brand, lens (actor or victim), n (units), positives, negatives, neutrals, unknown_share (of n, not judged),
--          net_sentiment, net_sentiment_low, net_sentiment_high (95 %), share (n / all units of the brand), coverage,
--          reason (why net sentiment is NULL)
CREATE OR REPLACE MACRO employer(brand, since := NULL, unit := NULL, as_of := NULL) AS TABLE
WITH lenses AS (
    SELECT unnest(['actor', 'victim']) AS lens
), told AS (
    SELECT said.brand, said.staff, said.sentiment, count(*) AS n
    FROM voices_in(brand, since, unit, as_of) AS said
    GROUP BY said.brand, said.staff, said.sentiment
), counted AS (
    SELECT told.brand, lenses.lens, CAST(sum(told.n) AS BIGINT) AS whole,
           coalesce(CAST(sum(told.n) FILTER (told.staff IN (lenses.lens, 'both')) AS BIGINT), 0) AS n,
           coalesce(CAST(sum(told.n) FILTER (told.staff IN (lenses.lens, 'both') AND told.sentiment = 1) AS BIGINT), 0)
               AS positives,
           coalesce(CAST(sum(told.n) FILTER (told.staff IN (lenses.lens, 'both') AND told.sentiment = -1) AS BIGINT), 0)
               AS negatives,
           coalesce(CAST(sum(told.n) FILTER (told.staff IN (lenses.lens, 'both') AND told.sentiment = 0) AS BIGINT), 0)
               AS neutrals
    FROM told, lenses
    GROUP BY told.brand, lenses.lens
)
SELECT listed.brand, lenses.lens, coalesce(counted.n, 0) AS n, coalesce(counted.positives, 0) AS positives,
       coalesce(counted.negatives, 0) AS negatives, coalesce(counted.neutrals, 0) AS neutrals,
       (counted.n - counted.positives - counted.negatives - counted.neutrals) / nullif(counted.n, 0) AS unknown_share,
       if_enough(net_sentiment(counted.positives, counted.negatives), counted.n) AS net_sentiment,
       if_enough(net_sentiment_low(counted.positives, counted.negatives), counted.n) AS net_sentiment_low,
       if_enough(net_sentiment_high(counted.positives, counted.negatives), counted.n) AS net_sentiment_high,
       if_enough(counted.n / counted.whole, counted.whole) AS share,
       heard.coverage,
       coalesce(too_few(counted.n),
                CASE WHEN counted.positives + counted.negatives = 0 THEN 'nobody takes a side' END) AS reason
FROM brands AS listed
CROSS JOIN lenses
LEFT JOIN counted ON counted.brand = listed.brand AND counted.lens = lenses.lens
LEFT JOIN coverage_in(since, as_of) AS heard ON heard.brand = listed.brand
WHERE brand IS NULL OR listed.brand = brand
ORDER BY listed.brand, lenses.lens
