-- corrected_mentions: mentions that people put right, with what they said of them.
-- Grain:   one row per (post_id, brand) of the view mentions that somebody corrected.
-- Reads:   mentions, lake.corrections.
-- Read by: dags/corrected_lines.py, to evaluate and train on.
-- Method:  the labels are those of the view; `corrected` names those that a person said, the others are nlp's.
SELECT found.post_id, found.brand, found.title, found.text, found.matched_text, found.certainty, found.sentiment,
       found.emotion, found.experience, found.intents, found.switched_from, found.switched_to, found.switch_status,
       found.stage, found.staff, found.aspects, list_sort(list(said."column")) AS corrected
FROM mentions AS found
JOIN lake.corrections AS said
  ON said.post_id = found.post_id AND said.brand = found.brand AND said.is_standing
GROUP BY ALL
ORDER BY found.post_id, found.brand
