-- alerts: each alert and how it stands.
-- Grain:   one row per alert.
-- Reads:   lake.alerts, its append-only events; lake.snapshot, for a snooze that is over.
-- Read by: the data team, word_of_mouse, why, similar_incidents, accountability.
-- Method:  warehouse/alert_states.py, in SQL. What closed it (resolved, dismissed; a person's word before `watch`'s)
--          holds until it is reopened. Or else a snooze until it is over; or else that somebody acknowledged it since
--          it was opened or reopened; or else whether it is quiet. Being told changes nothing.
-- Columns:
--   kind: of what; negative_spike unless the events name another
--   state: open, quiet (no spike for 3 hours), acknowledged, snoozed, resolved or dismissed (it was none)
--   severity: page if it is rare enough to wake somebody, or else tell
--   opened_at: when it was raised
--   acknowledged_at: when somebody took it on since it was last opened or reopened; NULL if nobody did
--   acknowledged_by: who did
--   snoozed_until: when it may be told again; NULL if nobody put it off
--   told_at: when somebody was first told; NULL if nobody was yet
--   told_to: everybody who was told, by name; empty if nobody was
--   grew: how many times it grew: doubled, took in another aspect or source, or began to page
--   reopened: how many times it was back after it was quiet, closed or put off
--   changed_at: when its state last changed
--   resolved_at: when it was resolved or dismissed; NULL if it stands
--   closed_by: who did that: `watch`, or a person
--   note: what the person, or watch, said who last changed its state; NULL if nothing
--   since: the first hour of the spike, as the first evidence has it
--   negatives: negative mentions in the window that told most, as of the last evidence
--   expected: how many its past would explain
--   aspects: what it is about, by aspect, the strongest first: those that spike of their own
--   sources: where it is said, likewise
--   evidence: JSON of the last opened, grew or reopened: observed, expected, window, what and where, quotes
WITH placed AS (
    SELECT happened.*, event IN ('opened', 'grew', 'reopened') AS tells,
           row_number() OVER (
               PARTITION BY happened.alert_id
               ORDER BY "at", list_position(['opened', 'grew', 'reopened', 'notified', event], event), "by") AS turn
    FROM lake.alerts AS happened
), events AS (
    SELECT placed.*, min(CASE WHEN tells THEN turn END) OVER (PARTITION BY placed.alert_id) AS first_turn
    FROM placed
    QUALIFY turn >= first_turn  -- an alert whose opening was lost with a damaged file begins later
), begun AS (
    SELECT events.*,
           max(CASE WHEN event = 'reopened' OR turn = first_turn THEN turn END) OVER so_far AS began,
           max(CASE WHEN event IN ('resolved', 'dismissed') THEN turn END) OVER before AS closed
    FROM events
    WINDOW so_far AS (PARTITION BY events.alert_id ORDER BY turn),
           before AS (PARTITION BY events.alert_id ORDER BY turn ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)
), counted AS (
    SELECT begun.*, event IN ('resolved', 'dismissed') AS closes, max(began) OVER (PARTITION BY begun.alert_id) AS anew,
           event = 'notified' AND coalesce(TRY(evidence ->> '$.event'), 'opened') IN ('opened', 'grew', 'reopened')
               AS is_telling
    FROM begun
    WHERE tells OR event = 'notified' OR began > coalesce(closed, 0)  -- to what is closed, little happens
       OR (event IN ('resolved', 'dismissed') AND "by" <> 'watch')
), folded AS (
    SELECT counted.alert_id,  -- by its full name, or the argument of the macro why hides it
           any_value(brand) AS brand,
           coalesce(any_value(kind), 'negative_spike') AS kind,
           any_value(aspect) AS aspect,
           coalesce(min("at") FILTER (event = 'opened'), min("at")) AS opened_at,
           arg_max(event, turn) FILTER (closes AND turn > anew) AS closed_as,
           arg_min("at", turn) FILTER (closes AND turn > anew) AS resolved_at,
           arg_max("by", turn) FILTER (closes AND turn > anew) AS closed_by,
           max(turn) FILTER (event = 'quieted' AND turn > anew) AS quiet_turn,
           max(turn) FILTER (event = 'acknowledged' AND turn > anew) AS taken_turn,
           arg_max("at", turn) FILTER (event = 'acknowledged' AND turn > anew) AS taken_at,
           arg_max("by", turn) FILTER (event = 'acknowledged' AND turn > anew) AS taken_by,
           max(turn) FILTER (event = 'snoozed') AS snooze_turn,
           arg_max(evidence, turn) FILTER (event = 'snoozed') AS snooze,
           coalesce(max(turn) FILTER (event = 'acknowledged' OR closes), 0) AS snooze_ends_turn,
           min("at") FILTER (is_telling) AS told_at,
           coalesce(list_sort(list(DISTINCT "by") FILTER (is_telling)), []) AS told_to,
           count(*) FILTER (event = 'grew') AS grew,
           count(*) FILTER (event = 'reopened') AS reopened,
           max("at") FILTER (event NOT IN ('grew', 'notified', 'escalated', 'undelivered')) AS changed_at,
           arg_max(evidence, turn) FILTER (
               turn > anew AND NOT tells AND event NOT IN ('notified', 'escalated', 'undelivered')) AS last_words,
           arg_min(evidence, turn) FILTER (tells) AS first_evidence,
           arg_max(evidence, turn) FILTER (tells) AS evidence
    FROM counted
    GROUP BY counted.alert_id
), read AS (
    SELECT folded.*,
           CASE WHEN taken_turn > coalesce(snooze_turn, 0) THEN taken_at END AS acknowledged_at,
           CASE WHEN taken_turn > coalesce(snooze_turn, 0) THEN taken_by END AS acknowledged_by,
           CASE WHEN snooze_turn > snooze_ends_turn
                THEN TRY_CAST(TRY(snooze ->> '$.until') AS TIMESTAMPTZ) AT TIME ZONE 'UTC' END AS snoozed_until
    FROM folded
)
SELECT read.alert_id, brand, kind, aspect,
       CASE WHEN closed_as IS NOT NULL THEN closed_as
            WHEN snoozed_until > snapshot.published_at THEN 'snoozed'
            WHEN acknowledged_at IS NOT NULL THEN 'acknowledged'
            WHEN quiet_turn IS NOT NULL THEN 'quiet'
            ELSE 'open' END AS state,
       coalesce(TRY(evidence ->> '$.severity'), 'tell') AS severity,
       opened_at, acknowledged_at, acknowledged_by, snoozed_until, told_at, told_to, grew, reopened, changed_at,
       resolved_at, closed_by,
       coalesce(TRY(last_words ->> '$.note'), TRY(last_words ->> '$.reason')) AS note,
       TRY_CAST(TRY(first_evidence ->> '$.since') AS TIMESTAMP) AS since,
       TRY_CAST(TRY(evidence ->> '$.negatives') AS BIGINT) AS negatives,
       TRY_CAST(TRY(evidence ->> '$.expected') AS DOUBLE) AS expected,
       coalesce(TRY_CAST(TRY(evidence -> '$.about.aspects') AS VARCHAR[]), []) AS aspects,
       coalesce(TRY_CAST(TRY(evidence -> '$.about.sources') AS VARCHAR[]), []) AS sources,
       evidence
FROM read, lake.snapshot AS snapshot
