-- aspect_days: what was said about each aspect of each brand, day by day (UTC).
-- Grain:   one row per (brand, aspect, day) with mentions of the aspect.
-- Parts:   brand, CAST(hour AS DATE) AS day
-- Reads:   opinions, net_sentiment, net_sentiment_low, net_sentiment_high, if_enough.
-- Read by: the data team, rising_aspects, the checks.
-- Method:  sums of mention_aspects, of what is meant. The sentiment is that toward the aspect, not the brand's.
-- Columns:
--   aspect: product, reliability, price, billing, delivery, support, staff, place, app, returns, privacy,
--          employer, ethics
--   day: UTC
--   mentions: posts that speak of the aspect
--   authors: different authors among them; posts without one do not count
--   positives: mentions for it
--   negatives: mentions against it
--   neutrals: mentions that take no side, or both
--   net_sentiment: -1 (all against) to 1 (all for); NULL below 5 mentions or if none takes a side
--   net_sentiment_low: lower end of its 95 % interval
--   net_sentiment_high: upper end of its 95 % interval
WITH opened AS (
    SELECT brand, CAST(hour AS DATE) AS day, author, unnest(aspects) AS found
    FROM opinions
    WHERE known_until IS NULL
), counted AS (
    SELECT brand, found.aspect AS aspect, day,
           count(*) AS mentions,
           count(DISTINCT author) AS authors,
           count(*) FILTER (found.sentiment = 1) AS positives,
           count(*) FILTER (found.sentiment = -1) AS negatives,
           count(*) FILTER (found.sentiment = 0) AS neutrals
    FROM opened
    GROUP BY ALL
)
SELECT brand, aspect, day, mentions, authors, positives, negatives, neutrals,
       if_enough(net_sentiment(positives, negatives), mentions) AS net_sentiment,
       if_enough(net_sentiment_low(positives, negatives), mentions) AS net_sentiment_low,
       if_enough(net_sentiment_high(positives, negatives), mentions) AS net_sentiment_high
FROM counted
ORDER BY brand, aspect, day
