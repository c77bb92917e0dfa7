-- corrected_net_sentiment(positives, negatives, neutrals): net sentiment, nlp's usual errors taken out.
-- Grain:   a number from -1 to 1; NULL if nobody takes a side or no confusion matrix was measured.
-- Reads:   lake.confusion.
-- Read by: trend.
-- Method:  each true share is the sum of the given ones times lake.confusion.weight, the inverse of the matrix; one
--          below 0 is taken as 0. That they sum to 1 cancels out of (P - N) / (P + N).
CREATE OR REPLACE MACRO corrected_net_sentiment(positives, negatives, neutrals) AS (
    SELECT (greatest(share.positive, 0) - greatest(share.negative, 0))
               / nullif(greatest(share.positive, 0) + greatest(share.negative, 0), 0)
    FROM (
        SELECT sum(given.weight * given.n) FILTER (given.true_sentiment = 1) AS positive,
               sum(given.weight * given.n) FILTER (given.true_sentiment = -1) AS negative
        FROM (
            SELECT told.true_sentiment, told.weight,
                   CASE told.given_sentiment WHEN 1 THEN positives WHEN -1 THEN negatives ELSE neutrals END AS n
            FROM lake.confusion AS told
        ) AS given
    ) AS share
)
