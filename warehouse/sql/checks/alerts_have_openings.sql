-- #warn: something happened to an alert that was never opened, so it is in no list: is a file of the lake lost? `wom
--        doctor` tells
-- Warns:  the others stand, and are more urgent than this.
-- Reads:  lake.alerts.
SELECT alert_id, any_value(brand) AS brand, min("at") AS since, list(DISTINCT event) AS events
FROM lake.alerts
GROUP BY alert_id
HAVING NOT bool_or(event IN ('opened', 'grew', 'reopened'))
