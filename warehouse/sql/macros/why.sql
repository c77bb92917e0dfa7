-- why(alert_id, as_of): what the negative word of mouth of an alert is made of, beside what is usual for the brand.
-- Grain:   as what_grew: one row per dimension and value, what is most beyond the usual first.
-- Reads:   alerts, what_grew.
-- Read by: the data team.
-- Takes:   alert_id, of the view alerts, or how it begins if no other does; as_of, as trend.
-- Method:  what_grew from the alert's first hour to the last that was told, or 24 hours where no evidence says. Its
--          first hour is that in which the window that first told of it begins (evidence_since).
-- Columns: dimension, value, n, negatives, share, share_low, share_high, usual_n, usual_share, expected, excess, z,
--          unknown_share, coverage, reason (each as what_grew has it)
CREATE OR REPLACE MACRO why(alert_id, as_of := NULL) AS TABLE
WITH asked AS (
    SELECT raised.brand,
           coalesce(TRY_CAST(TRY(raised.evidence ->> '$.evidence_since') AS TIMESTAMP), raised.since, raised.opened_at)
               AS starts,
           coalesce(TRY_CAST(TRY(raised.evidence ->> '$.until') AS TIMESTAMP),
                    date_trunc('hour', coalesce(raised.since, raised.opened_at)) + INTERVAL 24 HOURS) AS ends
    FROM alerts AS raised
    WHERE starts_with(raised.alert_id, alert_id) AND alert_id <> ''
    QUALIFY count(*) OVER () = 1
)
FROM what_grew((SELECT asked.brand FROM asked), (SELECT asked.starts FROM asked), (SELECT asked.ends FROM asked),
               as_of := as_of)
