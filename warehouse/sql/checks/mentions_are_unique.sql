-- #fail: a post's mention of a brand is in mentions more than once
-- Fails:  every count that is made of it would be too high.
-- Reads:  mentions.
-- Scope:  rows
-- Method: a hash takes less room than what it is of; few share one by chance, and these are looked at.
WITH several AS (
    SELECT hash(post_id, brand) AS hashed
    FROM mentions
    GROUP BY hashed
    HAVING count(*) > 1
)
SELECT post_id, brand, count(*) AS times
FROM mentions
WHERE hash(post_id, brand) IN (FROM several)
GROUP BY post_id, brand
HAVING count(*) > 1
