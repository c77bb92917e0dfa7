-- alerts: each alert and how it stands.
-- Grain:   one row per alert.
-- Reads:   lake.alerts, its append-only events.
-- Read by: the data team, word_of_mouse, why.
-- Method:  the last event that changes the state gives it; being told (notified) changes nothing.
-- Columns:
--   state: open, acknowledged, snoozed or resolved
--   opened_at: when it was raised
--   told_at: when somebody was first told; NULL if nobody was yet
--   told_to: everybody who was told, by name; empty if nobody was
--   grew: how many times it grew
--   changed_at: when its state last changed
--   resolved_at: when it ended; NULL if it has not
--   since: the first hour of the spike, as evidence has it
--   negatives: negative mentions in the window that told most, as of the last opened or grew
--   expected: how many its past would explain
--   evidence: JSON of the last opened or grew: observed, expected, window, quotes
WITH events AS (
    SELECT *, event <> 'notified' AS changes, event IN ('opened', 'grew') AS tells
    FROM lake.alerts
), folded AS (
    SELECT events.alert_id,  -- by its full name, or the argument of the macro why hides it
           any_value(brand) AS brand,
           any_value(aspect) AS aspect,
           arg_max(event, ("at", event)) FILTER (changes) AS last_event,
           coalesce(min("at") FILTER (event = 'opened'), min("at")) AS opened_at,
           min("at") FILTER (event = 'notified') AS told_at,
           coalesce(list_sort(list(DISTINCT "by") FILTER (event = 'notified')), []) AS told_to,
           count(*) FILTER (event = 'grew') AS grew,
           max("at") FILTER (changes) AS changed_at,
           max("at") FILTER (event = 'resolved') AS resolved_at,
           arg_max(evidence, "at") FILTER (tells) AS evidence
    FROM events
    GROUP BY events.alert_id
)
SELECT folded.alert_id, brand, aspect,
       CASE WHEN last_event IN ('acknowledged', 'snoozed', 'resolved') THEN last_event ELSE 'open' END AS state,
       opened_at, told_at, told_to, grew, changed_at,
       CASE WHEN last_event = 'resolved' THEN resolved_at END AS resolved_at,
       TRY_CAST(TRY(evidence ->> '$.since') AS TIMESTAMP) AS since,
       TRY_CAST(TRY(evidence ->> '$.negatives') AS BIGINT) AS negatives,
       TRY_CAST(TRY(evidence ->> '$.expected') AS DOUBLE) AS expected,
       evidence
FROM folded
