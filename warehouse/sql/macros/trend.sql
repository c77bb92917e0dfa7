-- trend(brand, since, grain): how word of mouse about a brand moves.
-- Grain:   one row per brand and period, quiet periods included.
-- Reads:   brand_hours, lake.snapshot, net_sentiment, net_sentiment_low, net_sentiment_high, if_enough.
-- Read by: the data team, share_of_voice.
-- Takes:   brand (NULL: every brand); since, a TIMESTAMP or DATE in UTC (NULL: 30 days before the snapshot's hour);
--          grain: hour, day, week, month, ... as date_trunc takes it (NULL: all of it in one period).
-- Method:  whole hours are counted, from the first that begins at since or later to the running one; so the first and
--          the last period may be partly covered. Net sentiment is NULL below 5 mentions.
-- Columns: brand, period (its start; NULL if grain is), n (mentions), positives, negatives, neutrals, unknown_share,
--          net_sentiment, net_sentiment_low, net_sentiment_high (95 %), coverage (mean of the hours that have one)
CREATE OR REPLACE MACRO trend(brand, since := NULL, grain := 'day') AS TABLE
WITH summed AS (
    SELECT hours.brand, date_trunc(grain, hours.hour) AS period,
           CAST(sum(hours.mentions) AS BIGINT) AS n,
           CAST(sum(hours.positives) AS BIGINT) AS positives,
           CAST(sum(hours.negatives) AS BIGINT) AS negatives,
           CAST(sum(hours.neutrals) AS BIGINT) AS neutrals,
           CAST(sum(hours.unknowns) AS BIGINT) AS unknowns,
           avg(hours.coverage) AS coverage
    FROM brand_hours AS hours, lake.snapshot AS snapshot
    WHERE (brand IS NULL OR hours.brand = brand)
      AND hours.hour >= coalesce(CAST(since AS TIMESTAMP), snapshot.hour - INTERVAL 30 DAYS)
    GROUP BY hours.brand, date_trunc(grain, hours.hour)
)
SELECT summed.brand, summed.period, summed.n, summed.positives, summed.negatives, summed.neutrals,
       summed.unknowns / nullif(summed.n, 0) AS unknown_share,
       if_enough(net_sentiment(summed.positives, summed.negatives), summed.n) AS net_sentiment,
       if_enough(net_sentiment_low(summed.positives, summed.negatives), summed.n) AS net_sentiment_low,
       if_enough(net_sentiment_high(summed.positives, summed.negatives), summed.n) AS net_sentiment_high,
       summed.coverage
FROM summed
ORDER BY summed.brand, summed.period
