-- #warn: an alert stands of a brand that listening.toml does not name: nobody is told how it goes on. Was the brand
--        renamed or removed? `wom resolve` closes it
-- Warns:  somebody may be waiting for it, and nothing else is wrong.
-- Reads:  lake.alerts, lake.brands.
-- Method: it stands if it was not closed since it was last opened; the view alerts tells more exactly, and costs more.
SELECT alert_id, brand, arg_max(event, "at") AS last_event, max("at") AS last_at
FROM lake.alerts
ANTI JOIN lake.brands USING (brand)
WHERE event IN ('opened', 'grew', 'reopened', 'resolved', 'dismissed')
GROUP BY alert_id, brand
HAVING arg_max(event, "at") NOT IN ('resolved', 'dismissed')
