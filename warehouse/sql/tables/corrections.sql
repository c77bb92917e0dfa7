-- lake.corrections: every time a person put a column of a mention right, or took that back.
-- Grain:   one row per (post_id, brand, column, at, by).
-- Parts:   post_id, brand, "column"
-- Reads:   arrived_corrections.
-- Read by: lake.mentions, corrected_mentions, the checks.
-- Method:  of the same post, brand and column the latest holds, for every version of the post and every nlp_version. What
--          is no JSON is left out.
-- Columns:
--   is_standing: it holds: nothing later was said, and it takes nothing back
WITH once AS (
    SELECT *
    FROM arrived_corrections
    WHERE value IS NULL OR json_valid(value)
    QUALIFY row_number() OVER (PARTITION BY post_id, brand, "column", "at", "by" ORDER BY value, note,
                               CAST(arrived_corrections AS VARCHAR)) = 1
)
SELECT *,
       value IS NOT NULL
           AND row_number() OVER (PARTITION BY post_id, brand, "column" ORDER BY "at" DESC, "by" DESC) = 1 AS is_standing
FROM once
