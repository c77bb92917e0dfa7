-- lake.alerts: every event in the life of every alert.
-- Grain:   one row per (alert_id, event, at, by): two people told at one moment are two events.
-- Parts:   alert_id
-- Reads:   arrived_alerts.
-- Read by: alerts, accountability, the checks.
SELECT *
FROM arrived_alerts
QUALIFY row_number() OVER (PARTITION BY alert_id, event, "at", "by" ORDER BY evidence,
                           CAST(arrived_alerts AS VARCHAR)) = 1
