-- complaint_phrases: nothing more than the brands and days whose voices changed: under its version no text changes.
-- Grain:   one row per part of complaint_phrases; none.
-- Reads:   changed.posts (the posts that came, went or differ).
-- Read by: warehouse/renewing.py.
SELECT CAST(NULL AS VARCHAR) AS part_0, CAST(NULL AS DATE) AS part_1
FROM changed.posts
WHERE false
