-- brand_handles: what brands are called where accounts have names: @acme, @acme@mastodon.social.
-- Grain:   one row per handle by which somebody named a brand; lower case.
-- Reads:   mentions.
-- Read by: warehouse/evidence.py and warehouse/noticing.py, which leave them when they mask handles of people.
SELECT DISTINCT '@' || ltrim(lower(matched_text), '@') AS handle
FROM mentions
WHERE matched_as = 'handle' AND matched_text IS NOT NULL
