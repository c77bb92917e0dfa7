-- brand_speakers: who speaks of each brand, when last, whether they last recommended it or warned others off, and what
-- they know it from when they speak against it.
-- Grain:   one row per (brand, speaker).
-- Parts:   brand, speaker
-- Built:   a few brands at a time; from opinions, which lie brand by brand
-- Reads:   opinions, advice_of.
-- Read by: speakers_in, complainers_in.
-- Method:  what stands now counts. Whoever was last heard since a time was heard since then, so that different speakers
--          need no counting. A post that both recommends and warns off is no act; of two acts at one moment the
--          recommendation counts.
-- Columns:
--   speaker: an author, or a post without one, which stands for one
--   is_author: it is an author
--   last_hour: in which it last spoke of the brand, UTC
--   last_judged_hour: in which it last said something whose intents were judged; NULL if it never did
--   last_act_hour: in which it last recommended the brand or warned others off; NULL if it never did
--   last_act: 1: recommended it; -1: warned others off; NULL if it never did
--   last_against_hour: in which it last spoke against the brand; NULL if it never did
--   last_opinion_hour: in which it last did so and claimed no experience, its own or another's; NULL if it never did
--   first_hand_since: in which it first did so first-hand; NULL if it never did
--   last_first_hand_hour: in which it last did so first-hand; NULL if it never did
--   second_hand_since: in which it first did so second-hand; NULL if it never did
--   last_second_hand_hour: in which it last did so second-hand; NULL if it never did
WITH said AS (
    SELECT brand, speaker, author, hour, published_at, intents IS NOT NULL AS is_judged,
           advice_of(intents) AS act, CASE WHEN sentiment = -1 THEN hour END AS against_hour, experience
    FROM opinions
    WHERE known_until IS NULL
)
SELECT brand, speaker, bool_or(author IS NOT NULL) AS is_author, max(hour) AS last_hour,
       max(hour) FILTER (is_judged) AS last_judged_hour,
       arg_max(hour, 4 * epoch_us(published_at) + act) FILTER (act <> 0) AS last_act_hour,
       arg_max(act, 4 * epoch_us(published_at) + act) FILTER (act <> 0) AS last_act,
       max(against_hour) AS last_against_hour,
       max(against_hour) FILTER (experience = 'opinion') AS last_opinion_hour,
       min(against_hour) FILTER (experience = 'first_hand') AS first_hand_since,
       max(against_hour) FILTER (experience = 'first_hand') AS last_first_hand_hour,
       min(against_hour) FILTER (experience = 'second_hand') AS second_hand_since,
       max(against_hour) FILTER (experience = 'second_hand') AS last_second_hand_hour
FROM said
GROUP BY brand, speaker
ORDER BY brand, last_hour
