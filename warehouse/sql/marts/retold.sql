-- retold: what is said in stories that more than one post tells: what copies are found in.
-- Grain:   one row per (brand, post_id).
-- Parts:   post_id
-- Reads:   opinions, lake.story_posts.
-- Read by: amplification.
-- Method:  what stands now counts.
-- Columns:
--   hour: in which it was said, UTC
--   story_id: posts of one story carry the same text
--   speaker: the author; where none is told, the post stands for one
--   is_root: it answers and quotes nothing, and is the first of its story
SELECT said.brand, said.hour, said.published_at, said.post_id, said.story_id, said.author, said.speaker, said.sentiment,
       said.is_root
FROM opinions AS said
SEMI JOIN lake.story_posts AS told ON told.post_id = said.post_id AND told.version = said.version
WHERE said.known_until IS NULL
ORDER BY said.brand, said.hour
