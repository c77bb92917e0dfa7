-- lake.erasures: who or what was forgotten, as keyed hashes, and what that changed.
-- Grain:   one row per erasure, and one more per (erasure_id, nlp_version, brand, day) that it changed.
-- Parts:   erasure_id
-- Reads:   arrived_erasures.
-- Read by: erasures, the checks.
-- Method:  a file that holds erasures which the last one did not know is built anew from the lake, so that nothing of
--          the forgotten is left in it.
SELECT *
FROM arrived_erasures
QUALIFY row_number() OVER (PARTITION BY erasure_id, nlp_version, brand, day ORDER BY "at", signature) = 1
