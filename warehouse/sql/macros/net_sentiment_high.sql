-- net_sentiment_high(positives, negatives): the upper end of the 95 % interval of net sentiment.
-- Grain:   a number from -1 to 1; NULL if nobody takes a side.
-- Reads:   wilson_low.
-- Read by: brand_days, trend, aspect_days, employer, share_of_voice.
-- Method:  as net_sentiment_low, from the other side.
CREATE OR REPLACE MACRO net_sentiment_high(positives, negatives) AS
    1 - 2 * wilson_low(negatives, positives + negatives)
