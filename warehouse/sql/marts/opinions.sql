-- opinions: what each post says of each brand, narrow, and from when until when it stood so: what every count is made
-- of.
-- Grain:   one row per reading of a post and brand it names; known_until IS NULL: as it stands now, once per (post_id,
--          brand). The others are what was read before: edited, re-dated or taken down since.
-- Parts:   post_id
-- Running: hour; of the hour that runs, posts dated ahead may move to the next
-- Reads:   lake.mentions, lake.posts, lake.story_posts, lake.snapshot.
-- Read by: feed_hours, voices, brand_speakers, units_in, brand_authors, switching, counts, trend, said_in,
--          recoveries_as_of, word_of_mouse, aspect_days, what_grew, incident_figures, spike_counts, unowned,
--          complaints_to_answer, complainers_in, negative_reach, reach_days, retold, the checks.
-- Method:  only mentions that are meant (certainty 0.5 or more). The labels are those of the snapshot's nlp_version, as
--          people have corrected them by now, in old readings too. Accounts that a brand owns, pays or employs are NOT
--          left out: authors are keyed hashes, and the lake does not hold whose they are. Stories are grouped over all
--          readings (lake.story_posts).
-- Columns:
--   hour: in which it was said, UTC; sources' clocks may be ahead, so never after it was read
--   story_id: posts of one story carry the same text
--   speaker: the author; where none is told, the post stands for one
--   reach: followers or views, whichever is more; NULL if neither is told
--   is_early: first-hand, of sign-up, delivery, set-up or the first 30 days (stage onboard, or words such as "my
--          first bill"; English only)
--   is_root: it answers and quotes nothing, and is the first of its story
--   known_from: when this reading was fetched
--   known_until: when the next reading of the post was fetched; NULL if this is the newest
SELECT found.brand,
       least(date_trunc('hour', reading.published_at), date_trunc('hour', reading.fetched_at), snapshot.hour) AS hour,
       reading.published_at, found.post_id, found.version,
       coalesce(story.story_id, found.post_id) AS story_id,
       reading.author, coalesce(reading.author, found.post_id) AS speaker,
       reading.feed, found.source, found.sentiment, found.p_positive, found.experience, found.intents, found.stage,
       found.staff, found.switched_from, found.switched_to, found.switch_status, found.aspects,
       greatest(reading.author_followers, reading.views) AS reach, reading.replies,
       found.experience = 'first_hand' AND (
           found.stage = 'onboard'
           OR CASE WHEN found.experience = 'first_hand' THEN regexp_matches(
               lower(concat_ws(' ', reading.title, reading.text)),
               '\b(?:(?:my|our|the) (?:very )?first (?:bill|invoice|statement|delivery|order|day|week|month)'
               '|(?:just|only just|recently) (?:joined|signed up|subscribed|moved to|switched to)|new customer'
               '|(?:[1-9]|[12][0-9]|30|two|three|few|couple of) days (?:in|ago (?:i|we) (?:joined|signed))'
               '|(?:first|one|two|three|[1-4]) weeks? (?:in|with (?:them|you))|since (?:i|we) signed up)\b') END
       ) AS is_early,
       coalesce(reading.parent_id, reading.quoted_id) IS NULL AND coalesce(story.story_id, found.post_id) = found.post_id
           AS is_root,
       reading.fetched_at AS known_from, reading.superseded_at AS known_until
FROM lake.mentions AS found
JOIN lake.posts AS reading ON reading.post_id = found.post_id AND reading.version = found.version
LEFT JOIN lake.story_posts AS story ON story.post_id = found.post_id AND story.version = found.version
CROSS JOIN lake.snapshot AS snapshot
-- One condition on both, not one on each: DuckDB would take each to leave a fifth, the rest for less than the stories,
-- and hold it all in memory, texts too, to look stories up.
WHERE CASE WHEN reading.deleted THEN false ELSE found.certainty >= 0.5 END
ORDER BY found.brand, hour  -- a brand's days lie together, so that a question reads little
