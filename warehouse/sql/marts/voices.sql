-- voices: what voices say of each brand; a voice is an author telling a story on a day, and counts once.
-- Grain:   one row per (brand, post_id), the post being the last of a voice on its day.
-- Parts:   brand, CAST(hour AS DATE)
-- Built:   a few brands at a time; from opinions, which lie brand by brand
-- Reads:   opinions, complained_of, is_of_billing.
-- Read by: feed_hours, complaint_phrases, voices_in, complaint_days, complaints_in.
-- Method:  of the mentions that make one voice the last one tells what it says, and where and when. What stands now
--          counts. Most voices speak once: they are spared the sorting.
-- Columns:
--   hour: in which it last spoke that day, UTC
--   post_id: its last post of the day
--   version: of that post
--   feed: where it last spoke
--   first_hour: in which it first spoke that day
--   first_feed: where it first spoke
--   last_side: its last sentiment of the day that was judged; NULL if none was
--   is_early: as opinions has it
--   against: aspects that it complains of, by name; NULL if its aspects were not judged
--   is_billing: it speaks of billing: stage pay, or the aspect
WITH standing AS NOT MATERIALIZED (  -- wide: to read it again is cheaper
    SELECT brand, hour, published_at, post_id, version, speaker, story_id, feed, sentiment, experience, stage, staff,
           is_early, aspects, hash(brand, speaker, story_id, CAST(hour AS DATE)) AS hashed
    FROM opinions
    WHERE known_until IS NULL
), several AS (  -- that two voices share a hash costs a little work and changes nothing
    SELECT hashed FROM standing GROUP BY hashed HAVING count(*) > 1
), told AS (
    SELECT * EXCLUDE (hashed), hour AS first_hour, feed AS first_feed, sentiment AS last_side
    FROM standing
    WHERE hashed NOT IN (FROM several)
    UNION ALL BY NAME
    SELECT * EXCLUDE (hashed), min(hour) OVER voice AS first_hour,
           arg_min(feed, (hour, post_id)) OVER voice AS first_feed,
           arg_max(sentiment, (published_at, post_id)) OVER voice AS last_side
    FROM standing
    WHERE hashed IN (FROM several)
    WINDOW voice AS (PARTITION BY brand, speaker, story_id, CAST(hour AS DATE))
    QUALIFY row_number() OVER (
        PARTITION BY brand, speaker, story_id, CAST(hour AS DATE) ORDER BY published_at DESC, post_id DESC) = 1
)
SELECT brand, hour, post_id, version, feed, first_hour, first_feed, last_side, sentiment, experience, stage, staff,
       is_early, complained_of(aspects) AS against, is_of_billing(stage, aspects) AS is_billing
FROM told
ORDER BY brand, hour  -- a brand's days lie together, so that a question reads little
