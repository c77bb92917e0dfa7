-- incident_stories: how stories begin, to show what went round in an incident.
-- Grain:   one row per story asked for.
-- Reads:   mentions.
-- Read by: warehouse/evidence.py.
-- Takes:   $brand; $stories, a list of story_id.
-- Columns: story_id, first_at, authors (different ones, who name the brand), source, url, words (of its first post that
--          names the brand and still stands)
SELECT story_id, min(published_at) AS first_at, count(DISTINCT author) AS authors,
       arg_min(source, (published_at, post_id)) AS source,
       arg_min(struct_pack(url := url), (published_at, post_id)).url AS url,  -- arg_min passes over what is NULL
       arg_min(coalesce(nullif(text, ''), title, ''), (published_at, post_id)) AS words
FROM mentions
WHERE brand = $brand AND list_contains($stories, story_id)
GROUP BY story_id
