-- span(since, as_of, back): the whole hours that a question is about.
-- Grain:   one row.
-- Reads:   lake.snapshot.
-- Read by: counts, said_in, units_in, voices_in, speakers_in, phrases_that_grew, panel, coverage_in, trend,
--          word_of_mouse, recovery, amplification, complainers_in, contagion, negative_reach, complaints_in.
-- Takes:   since, a TIMESTAMP or DATE in UTC (NULL: 30 days before the last hour); as_of, what is read later does not
--          count (NULL: the snapshot's own time); back, so many times its length earlier.
-- Columns: starts, ends (the end of the hour that was running then), whole_days_from (the first midnight from starts on)
CREATE OR REPLACE MACRO span(since, as_of, back := 0) AS TABLE
WITH running AS (
    SELECT least(hour, coalesce(date_trunc('hour', CAST(as_of AS TIMESTAMP)), hour)) AS last_hour
    FROM lake.snapshot
), whole AS (
    SELECT coalesce(CAST(since AS TIMESTAMP), last_hour - INTERVAL 30 DAYS) AS starts,
           last_hour + INTERVAL 1 HOUR AS ends
    FROM running
), asked AS (
    SELECT starts - back * (ends - starts) AS starts, ends - back * (ends - starts) AS ends
    FROM whole
)
SELECT starts, ends, CAST(starts - INTERVAL 1 MICROSECOND AS DATE) + INTERVAL 1 DAY AS whole_days_from
FROM asked
