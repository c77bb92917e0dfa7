-- mentions: what is said about each brand, one opinion a row, with the post that says it.
-- Grain:   one row per (post_id, brand), of the post's current version and the snapshot's nlp_version.
-- Reads:   lake.mentions, lake.posts, lake.story_posts.
-- Read by: the data team, mention_aspects, incident_quotes, incident_stories, brand_handles, corrected_mentions,
--          stories, the checks, complaints_to_answer, praise_quotes.
-- Columns:
--   corrected_by: who last put one of its columns right; NULL if nobody did
--   story_id: post_id of the first post that carried the same text (lake.story_posts); its own if none did before
--   is_meant: certainty is 0.5 or more: marts and macros count only such mentions
SELECT found.* EXCLUDE (file, as_arrived, is_current) REPLACE (reading.published_at AS published_at),
       found.certainty >= 0.5 AS is_meant, coalesce(story.story_id, found.post_id) AS story_id,
       reading.feed, reading.kind, reading.url, reading.title, reading.text, reading.author,
       reading.author_followers, reading.parent_id, reading.root_id, reading.quoted_id,
       reading.likes, reading.replies, reading.shares, reading.views, reading.rating
FROM lake.mentions AS found
JOIN lake.posts AS reading ON reading.post_id = found.post_id AND reading.is_current
LEFT JOIN lake.story_posts AS story ON story.post_id = found.post_id AND story.version = found.version
WHERE found.is_current
