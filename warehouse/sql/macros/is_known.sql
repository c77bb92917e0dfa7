-- is_known(known_from, known_until, as_of): whether a reading was the newest one at a time.
-- Grain:   true or false.
-- Read by: counts, said_in, units_in, recoveries_as_of, word_of_mouse, trend, what_grew, amplification,
--          complainers_in, negative_reach.
-- Takes:   as_of, a TIMESTAMP in UTC (NULL: now, that is when the snapshot was published).
CREATE OR REPLACE MACRO is_known(known_from, known_until, as_of) AS
    CASE WHEN as_of IS NULL THEN known_until IS NULL
         ELSE known_from <= CAST(as_of AS TIMESTAMP)
              AND (known_until IS NULL OR known_until > CAST(as_of AS TIMESTAMP)) END
