-- net_sentiment_low(positives, negatives): the lower end of the 95 % interval of net sentiment.
-- Grain:   a number from -1 to 1; NULL if nobody takes a side.
-- Reads:   wilson_low.
-- Read by: brand_days, trend, aspect_days, employer, share_of_voice.
-- Method:  net sentiment is 2 p - 1 for the share p of voices that are for the brand, so its ends are p's.
CREATE OR REPLACE MACRO net_sentiment_low(positives, negatives) AS
    2 * wilson_low(positives, positives + negatives) - 1
