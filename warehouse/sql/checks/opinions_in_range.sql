-- #fail: a mention's probability is not between 0 and 1, the three do not sum to 1, or nlp gave a label that is none
-- Fails:  shares and net sentiment made of it would be wrong, and nobody would see why.
-- Reads:  lake.mentions.
-- Scope:  rows
-- Method: a correction of another program that means nothing is no reason to show nobody anything.
SELECT post_id, brand, certainty, p_negative, p_neutral, p_positive, sentiment, experience, switch_status, staff
FROM lake.mentions
WHERE NOT (
    certainty BETWEEN 0 AND 1
    AND coalesce(p_negative BETWEEN 0 AND 1, true)
    AND coalesce(p_neutral BETWEEN 0 AND 1, true)
    AND coalesce(p_positive BETWEEN 0 AND 1, true)
    AND coalesce(abs(p_negative + p_neutral + p_positive - 1) < 0.01, true)
    AND coalesce(sentiment IN (-1, 0, 1), true)
    AND (corrected_by IS NOT NULL OR experience IN ('first_hand', 'second_hand', 'opinion', 'unknown'))
    AND (corrected_by IS NOT NULL OR coalesce(switch_status IN ('considered', 'done', 'returned'), true))
    AND (corrected_by IS NOT NULL OR coalesce(staff IN ('actor', 'victim', 'both'), true))
)
