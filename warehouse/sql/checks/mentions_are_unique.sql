-- #fail: a post's mention of a brand is in mentions more than once
-- Fails:  every count that is made of it would be too high.
-- Reads:  mentions.
-- Scope:  rows
SELECT post_id, brand, count(*) AS times
FROM mentions
GROUP BY post_id, brand
HAVING count(*) > 1
