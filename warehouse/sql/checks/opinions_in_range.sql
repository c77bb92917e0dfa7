-- #fail: a probability is not between 0 and 1, the three do not sum to 1, or sentiment is none of -1, 0 and 1
-- Reads: lake.mentions.
-- Scope: rows
SELECT post_id, brand, certainty, p_negative, p_neutral, p_positive, sentiment
FROM lake.mentions
WHERE NOT (
    certainty BETWEEN 0 AND 1
    AND coalesce(p_negative BETWEEN 0 AND 1, true)
    AND coalesce(p_neutral BETWEEN 0 AND 1, true)
    AND coalesce(p_positive BETWEEN 0 AND 1, true)
    AND coalesce(abs(p_negative + p_neutral + p_positive - 1) < 0.01, true)
    AND coalesce(sentiment IN (-1, 0, 1), true)
)
