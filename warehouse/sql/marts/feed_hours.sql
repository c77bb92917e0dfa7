-- feed_hours: what each feed brought about each brand, hour by hour: the smallest cells that counts are summed from.
-- Grain:   one row per (brand, feed, hour) with mentions.
-- Parts:   brand, CAST(hour AS DATE)
-- Reads:   opinions, voices.
-- Read by: brand_hours, counts, panel.
-- Method:  a voice is an author telling a story on a day: it counts in the feed and hour in which it was first heard
--          that day, with the last side it took that day.
-- Columns:
--   hour: its start, UTC
--   mentions: posts that name the brand
--   positives: mentions for the brand
--   negatives: mentions against it
--   neutrals: mentions that take no side
--   unknowns: mentions whose sentiment was not judged
--   voices: distinct authors, stories and days first heard in this cell
--   voices_positive: voices for the brand
--   voices_negative: voices against it
--   voices_neutral: voices that take no side
--   voices_unknown: voices whose sentiment was not judged
WITH counted AS (
    SELECT brand, feed, hour,
           count(*) AS mentions,
           count(*) FILTER (sentiment = 1) AS positives,
           count(*) FILTER (sentiment = -1) AS negatives,
           count(*) FILTER (sentiment = 0) AS neutrals,
           count(*) FILTER (sentiment IS NULL) AS unknowns
    FROM opinions
    WHERE known_until IS NULL
    GROUP BY ALL
), heard AS (
    SELECT brand, first_feed AS feed, first_hour AS hour,
           count(*) AS voices,
           count(*) FILTER (last_side = 1) AS voices_positive,
           count(*) FILTER (last_side = -1) AS voices_negative,
           count(*) FILTER (last_side = 0) AS voices_neutral,
           count(*) FILTER (last_side IS NULL) AS voices_unknown
    FROM voices
    GROUP BY ALL
)
SELECT counted.*,
       coalesce(heard.voices, 0) AS voices,
       coalesce(heard.voices_positive, 0) AS voices_positive,
       coalesce(heard.voices_negative, 0) AS voices_negative,
       coalesce(heard.voices_neutral, 0) AS voices_neutral,
       coalesce(heard.voices_unknown, 0) AS voices_unknown
FROM counted
LEFT JOIN heard ON heard.brand = counted.brand AND heard.feed = counted.feed AND heard.hour = counted.hour
ORDER BY counted.brand, counted.hour, counted.feed
