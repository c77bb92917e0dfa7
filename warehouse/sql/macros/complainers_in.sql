-- complainers_in(brand, since, as_of): who spoke against a brand in a period, and what they know it from.
-- Grain:   one row per brand and speaker.
-- Reads:   brand_speakers, opinions, span, is_known.
-- Read by: contagion.
-- Takes:   brand (NULL: every brand), since and as_of, as trend.
-- Method:  who complained, as known now, lies ready in the mart brand_speakers; as known earlier, it is counted from
--          opinions.
-- Columns: brand, speaker, is_first_hand, is_second_hand, is_opinion (in the period it spoke against the brand
--          first-hand, second-hand, claiming neither), first_hand_since, second_hand_since (the hour in which it first
--          ever did; NULL: never)
CREATE OR REPLACE MACRO complainers_in(brand, since, as_of) AS TABLE
WITH complaining AS (
    SELECT told.brand, told.speaker, told.last_against_hour, told.last_opinion_hour, told.first_hand_since,
           told.last_first_hand_hour, told.second_hand_since, told.last_second_hand_hour
    FROM brand_speakers AS told
    WHERE as_of IS NULL AND (brand IS NULL OR told.brand = brand)
    UNION ALL
    SELECT said.brand, said.speaker, max(said.hour),
           max(said.hour) FILTER (said.experience = 'opinion'),
           min(said.hour) FILTER (said.experience = 'first_hand'),
           max(said.hour) FILTER (said.experience = 'first_hand'),
           min(said.hour) FILTER (said.experience = 'second_hand'),
           max(said.hour) FILTER (said.experience = 'second_hand')
    FROM opinions AS said, span(since, as_of) AS asked
    WHERE as_of IS NOT NULL AND (brand IS NULL OR said.brand = brand) AND said.sentiment = -1
      AND said.hour < asked.ends AND is_known(said.known_from, said.known_until, as_of)
    GROUP BY said.brand, said.speaker
)
SELECT complaining.brand, complaining.speaker,
       coalesce(complaining.last_first_hand_hour >= asked.starts, false) AS is_first_hand,
       coalesce(complaining.last_second_hand_hour >= asked.starts, false) AS is_second_hand,
       coalesce(complaining.last_opinion_hour >= asked.starts, false) AS is_opinion,
       complaining.first_hand_since, complaining.second_hand_since
FROM complaining, span(since, as_of) AS asked
WHERE complaining.last_against_hour >= asked.starts
