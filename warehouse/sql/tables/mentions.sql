-- lake.mentions: every mention that the snapshot's nlp_version found, each once, as people have corrected it.
-- Grain:   one row per (post_id, version, brand).
-- Parts:   post_id
-- Reads:   arrived_mentions, the files that nlp_version made; lake.posts, lake.corrections, lake.snapshot.
-- Read by: lake.story_posts, mentions, opinions, signatures_of_brands, the checks.
-- Method:  a column that a person put right is what that person said, in every version of the post: an edit does not
--          undo it. Its sentiment corrected, a mention is of that side with probability 1. Corrected aspects keep the
--          words of those that were found too; others have none.
-- Columns:
--   corrected_by: who last put one of its columns right; NULL if nobody did
--   is_current: the post's current reading is this version, and it was not taken down
WITH several AS (
    SELECT hash(post_id, version, brand) AS hashed
    FROM arrived_mentions
    GROUP BY hashed
    HAVING count(*) > 1
), found AS (
    SELECT *
    FROM arrived_mentions
    WHERE nlp_version = (SELECT nlp_version FROM lake.snapshot)
      AND hash(post_id, version, brand) NOT IN (FROM several)
    UNION ALL
    SELECT *
    FROM arrived_mentions
    WHERE nlp_version = (SELECT nlp_version FROM lake.snapshot)
      AND hash(post_id, version, brand) IN (FROM several)
    QUALIFY row_number() OVER (
        PARTITION BY post_id, version, brand
        ORDER BY fetched_at DESC, certainty DESC, CAST(arrived_mentions AS VARCHAR)
    ) = 1
), shaken AS (  -- few, unlike those that stand
    SELECT DISTINCT post_id, version
    FROM lake.posts
    WHERE NOT is_current OR deleted
), fallen AS (
    SELECT shaken.*
    FROM shaken
    ANTI JOIN lake.posts AS standing
      ON standing.post_id = shaken.post_id AND standing.version = shaken.version
     AND standing.is_current AND NOT standing.deleted
), said AS (
    SELECT post_id, brand, map_from_entries(list(("column", value))) AS told, arg_max("by", ("at", "by")) AS corrected_by
    FROM lake.corrections
    WHERE is_standing
    GROUP BY post_id, brand
), labels AS (
    SELECT post_id, brand, corrected_by, map_keys(told) AS corrected,
           TRY_CAST(told['certainty'] AS DOUBLE) AS certainty,
           TRY_CAST(told['sentiment'] AS TINYINT) AS sentiment,
           told['emotion'] ->> '$' AS emotion,
           told['experience'] ->> '$' AS experience,
           from_json(told['intents'], '["VARCHAR"]') AS intents,
           told['switched_from'] ->> '$' AS switched_from,
           told['switched_to'] ->> '$' AS switched_to,
           told['switch_status'] ->> '$' AS switch_status,
           told['stage'] ->> '$' AS stage,
           told['staff'] ->> '$' AS staff,
           from_json(told['aspects'], '[{"aspect": "VARCHAR", "sentiment": "TINYINT"}]') AS aspects
    FROM said
)
SELECT found.* REPLACE (
           coalesce(labels.certainty, found.certainty) AS certainty,
           CASE WHEN labels.sentiment IS NULL THEN found.p_negative ELSE CAST(labels.sentiment = -1 AS INT) END
               AS p_negative,
           CASE WHEN labels.sentiment IS NULL THEN found.p_neutral ELSE CAST(labels.sentiment = 0 AS INT) END
               AS p_neutral,
           CASE WHEN labels.sentiment IS NULL THEN found.p_positive ELSE CAST(labels.sentiment = 1 AS INT) END
               AS p_positive,
           coalesce(labels.sentiment, found.sentiment) AS sentiment,
           coalesce(labels.emotion, found.emotion) AS emotion,
           coalesce(labels.experience, found.experience) AS experience,
           coalesce(labels.intents, found.intents) AS intents,
           CASE WHEN list_contains(corrected, 'switched_from') THEN labels.switched_from ELSE found.switched_from END
               AS switched_from,
           CASE WHEN list_contains(corrected, 'switched_to') THEN labels.switched_to ELSE found.switched_to END
               AS switched_to,
           CASE WHEN list_contains(corrected, 'switch_status') THEN labels.switch_status ELSE found.switch_status END
               AS switch_status,
           coalesce(labels.stage, found.stage) AS stage,
           CASE WHEN list_contains(corrected, 'staff') THEN labels.staff ELSE found.staff END AS staff,
           CASE WHEN labels.aspects IS NULL THEN found.aspects ELSE list_transform(labels.aspects, lambda told: {
               'aspect': told.aspect,
               'sentiment': told.sentiment,
               'start': list_filter(found.aspects, lambda seen: seen.aspect = told.aspect)[1].start,
               'end': list_filter(found.aspects, lambda seen: seen.aspect = told.aspect)[1]."end"
           }) END AS aspects
       ),
       CASE WHEN labels.post_id IS NOT NULL THEN {
           'certainty': found.certainty, 'p_negative': found.p_negative, 'p_neutral': found.p_neutral,
           'p_positive': found.p_positive, 'sentiment': found.sentiment, 'emotion': found.emotion,
           'experience': found.experience, 'intents': found.intents, 'switched_from': found.switched_from,
           'switched_to': found.switched_to, 'switch_status': found.switch_status, 'stage': found.stage,
           'staff': found.staff, 'aspects': found.aspects
       } END AS as_arrived,
       labels.corrected_by,
       fallen.post_id IS NULL AS is_current
FROM found
LEFT JOIN labels ON labels.post_id = found.post_id AND labels.brand = found.brand
LEFT JOIN fallen ON fallen.post_id = found.post_id AND fallen.version = found.version
