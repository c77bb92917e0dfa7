-- lake.mentions: every mention that the snapshot's nlp_version found, each once.
-- Grain:   one row per (post_id, version, brand).
-- Reads:   arrived_mentions, the files that nlp_version made; lake.posts, lake.snapshot.
-- Read by: mentions, the checks.
-- Columns:
--   is_current: the post's current reading is this version, and it was not taken down
SELECT found.*, standing.post_id IS NOT NULL AS is_current
FROM (
    SELECT *
    FROM arrived_mentions
    WHERE nlp_version = (SELECT nlp_version FROM lake.snapshot)
    QUALIFY row_number() OVER (PARTITION BY post_id, version, brand ORDER BY fetched_at DESC, certainty DESC) = 1
) AS found
LEFT JOIN (
    SELECT post_id, version
    FROM lake.posts
    WHERE is_current AND NOT deleted
) AS standing ON standing.post_id = found.post_id AND standing.version = found.version
