-- erasures: by how much figures fell because somebody was forgotten: the one reason why a figure once quoted cannot be
-- had again.
-- Grain:   one row per erasure, nlp_version, brand and day that it changed.
-- Reads:   lake.erasures.
-- Read by: the data team.
-- Method:  counted are the mentions that stood and were meant (certainty 0.5 or more) when they were erased, as people
--          had corrected them. What was read before and had been edited or taken down by then is erased too, and not
--          counted here.
SELECT erasure_id, "at", scope, nlp_version, brand, day, mentions_change, negatives_change, neutrals_change,
       positives_change, signature
FROM lake.erasures
WHERE brand IS NOT NULL
