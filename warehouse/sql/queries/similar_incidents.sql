-- similar_incidents: earlier incidents of a brand that are over, and how they ended.
-- Grain:   one row per incident, the most alike first: those that share most aspects, then the latest.
-- Reads:   alerts.
-- Read by: warehouse/evidence.py.
-- Takes:   $brand; $since, a TIMESTAMP in UTC: only incidents that began before it; $aspects, names of those this one
--          is about; $incidents, how many at most.
-- Columns: alert_id, since, ended_at, ended (resolved or dismissed), ended_by, note (NULL: none), negatives, expected,
--          firestorm (score), aspects (that spiked of their own, or grew)
WITH told AS (
    SELECT raised.* REPLACE (list_distinct(list_concat(
               raised.aspects, json_extract_string(raised.evidence, '$.aspects[*].value'))) AS aspects),
           coalesce(raised.since, raised.opened_at) AS began_at
    FROM alerts AS raised
    WHERE raised.brand = $brand AND raised.kind = 'negative_spike' AND raised.resolved_at IS NOT NULL
)
SELECT alert_id, began_at AS since, resolved_at AS ended_at, state AS ended, closed_by AS ended_by, note, negatives,
       expected, TRY_CAST(evidence ->> '$.firestorm.score' AS DOUBLE) AS firestorm, list_sort(aspects) AS aspects
FROM told
WHERE began_at < $since
ORDER BY len(list_intersect(aspects, $aspects)) DESC, ended_at DESC, alert_id
LIMIT $incidents
