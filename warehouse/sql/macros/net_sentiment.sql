-- net_sentiment(positives, negatives): how far the voices for a brand outweigh those against it.
-- Grain:   a number from -1 to 1; NULL if nobody takes a side.
-- Read by: brand_days, trend, word_of_mouse, aspect_days, employer, share_of_voice.
-- Method:  (P - N) / (P + N); those who take no side do not count.
CREATE OR REPLACE MACRO net_sentiment(positives, negatives) AS
    (positives - negatives) / nullif(positives + negatives, 0)
