-- brand_days: what was said about each brand, day by day (UTC), quiet days included.
-- Grain:   one row per (brand, day); the last day is still running.
-- Reads:   brand_hours, brand_authors, net_sentiment, net_sentiment_low, net_sentiment_high, if_enough.
-- Read by: the data team, coverage_in, rising_aspects, the checks.
-- Method:  sums of brand_hours; authors are counted once a day. Net sentiment is (P - N) / (P + N) with the 95 % Wilson
--          interval, NULL below 5 mentions. Coverage is the mean of the hours that have one.
-- Columns:
--   day: UTC
--   mentions: posts that name the brand
--   authors: different authors among them; posts without one do not count
--   positives: mentions for the brand
--   negatives: mentions against it
--   neutrals: mentions that take no side
--   unknowns: mentions whose sentiment was not judged
--   unknown_share: unknowns / mentions; NULL on a day without mentions
--   net_sentiment: -1 (all against) to 1 (all for); NULL below 5 mentions or if none takes a side
--   net_sentiment_low: lower end of its 95 % interval
--   net_sentiment_high: upper end of its 95 % interval
--   coverage: share, 0 to 1, of visits to feeds that were answered; NULL if none told
WITH summed AS (
    SELECT brand, CAST(hour AS DATE) AS day,
           CAST(sum(mentions) AS BIGINT) AS mentions,
           CAST(sum(positives) AS BIGINT) AS positives,
           CAST(sum(negatives) AS BIGINT) AS negatives,
           CAST(sum(neutrals) AS BIGINT) AS neutrals,
           CAST(sum(unknowns) AS BIGINT) AS unknowns,
           avg(CAST(coverage AS DECIMAL(18, 15))) AS coverage  -- exact, so the same in whatever order
    FROM brand_hours
    GROUP BY ALL
), speakers AS (
    SELECT brand, day, authors
    FROM brand_authors
    WHERE hour IS NULL
)
SELECT summed.brand, summed.day, mentions, coalesce(authors, 0) AS authors, positives, negatives, neutrals, unknowns,
       unknowns / nullif(mentions, 0) AS unknown_share,
       if_enough(net_sentiment(positives, negatives), mentions) AS net_sentiment,
       if_enough(net_sentiment_low(positives, negatives), mentions) AS net_sentiment_low,
       if_enough(net_sentiment_high(positives, negatives), mentions) AS net_sentiment_high,
       coverage
FROM summed
LEFT JOIN speakers ON speakers.brand = summed.brand AND speakers.day = summed.day
ORDER BY summed.brand, summed.day
