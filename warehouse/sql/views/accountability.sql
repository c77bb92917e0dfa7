-- accountability: what became of what each owner was told: how soon somebody attended to it, how soon it was closed,
-- and how many of those who had complained came round.
-- Grain:   one row per owner in listening.toml, and per owner who was ever told and is no longer in it.
-- Reads:   brands, alerts, lake.alerts, recoveries, lake.snapshot, kaplan_meier_low, kaplan_meier_high, if_enough.
-- Read by: the data team.
-- Method:  an alert is an owner's from the first message about it that reached the owner. It is attended to with the
--          first thing a person does to it after that (acknowledged, snoozed, resolved, dismissed), whoever does it:
--          people have other names than addresses. What `watch` closes ended by itself. The recovery rate is that of
--          the authors who complained of the brand while an alert of negative word of mouth stood, of its aspects where
--          it names some: of each author and owner the first complaint, followed for 14 days as the macro recovery does
--          (Kaplan-Meier).
-- Columns:
--   owner: a name, address or target of listening.toml
--   brands: those whose owner it is, or of which it was told
--   alerts: it was told of
--   attended: of them, those to which a person attended since
--   passed_on: of them, those that went to somebody else because this owner did not acknowledge or was not reached
--   median_minutes_to_attend: from the first message to a person's first act; NULL below 5 attended
--   closed: of the alerts, those that a person resolved
--   median_hours_to_close: from the first message to that; NULL below 5 closed
--   dismissed: of the alerts, those of which a person said that they were none
--   ended: of the alerts, those that ended by themselves
--   standing: of the alerts, those that are neither closed, dismissed nor ended
--   complained: authors who complained while these alerts stood
--   heard_again: of them, those who were heard of the brand again; of the others nothing is known
--   recovered: of them, those who spoke for the brand within 14 days
--   recovery_rate: how many come round within 14 days; NULL below 5 heard again
--   recovery_rate_low: lower end of its 95 % interval
--   recovery_rate_high: upper end of its 95 % interval
WITH params AS (
    SELECT INTERVAL 14 DAYS AS followed
), tellings AS (
    SELECT happened.alert_id, happened."by" AS owner, any_value(happened.brand) AS brand, min(happened."at") AS told_at
    FROM lake.alerts AS happened
    WHERE happened.event = 'notified'
      AND coalesce(TRY(happened.evidence ->> '$.event'), 'opened') IN ('opened', 'grew', 'reopened')
    GROUP BY happened.alert_id, happened."by"
), named AS (
    SELECT owner, brand FROM (SELECT brand, unnest(map_values(owners)) AS owner FROM brands)
    UNION
    SELECT owner, brand FROM tellings
), acts AS (
    SELECT told.owner, told.alert_id, any_value(told.told_at) AS told_at, min(happened."at") AS attended_at,
           min(happened."at") FILTER (happened.event = 'resolved') AS resolved_at
    FROM tellings AS told
    JOIN lake.alerts AS happened ON happened.alert_id = told.alert_id AND happened."at" >= told.told_at
    WHERE happened.event IN ('acknowledged', 'snoozed', 'resolved', 'dismissed') AND happened."by" <> 'watch'
    GROUP BY told.owner, told.alert_id
), passed AS (
    SELECT DISTINCT alert_id, evidence ->> '$.from' AS owner
    FROM lake.alerts
    WHERE event = 'escalated'
), counted AS (
    SELECT told.owner, count(*) AS alerts, count(acts.attended_at) AS attended, count(passed.owner) AS passed_on,
           median(date_diff('second', told.told_at, acts.attended_at)) / 60 AS minutes_to_attend,
           count(*) FILTER (raised.state = 'resolved' AND raised.closed_by <> 'watch') AS closed,
           median(date_diff('second', told.told_at, acts.resolved_at))
               FILTER (raised.state = 'resolved' AND raised.closed_by <> 'watch') / 3600 AS hours_to_close,
           count(*) FILTER (raised.state = 'dismissed') AS dismissed,
           count(*) FILTER (raised.state = 'resolved' AND raised.closed_by = 'watch') AS ended,
           count(*) FILTER (raised.state NOT IN ('resolved', 'dismissed')) AS standing
    FROM tellings AS told
    JOIN alerts AS raised ON raised.alert_id = told.alert_id
    LEFT JOIN acts ON acts.owner = told.owner AND acts.alert_id = told.alert_id
    LEFT JOIN passed ON passed.owner = told.owner AND passed.alert_id = told.alert_id
    GROUP BY told.owner
), complaints AS (
    SELECT told.owner, complaint.brand, complaint.author, complaint.complained_at, complaint.recovered_at,
           complaint.last_seen_at
    FROM tellings AS told
    JOIN alerts AS raised ON raised.alert_id = told.alert_id AND raised.kind = 'negative_spike'
    JOIN recoveries AS complaint
      ON complaint.brand = raised.brand AND complaint.complained_at >= coalesce(raised.since, raised.opened_at)
    CROSS JOIN lake.snapshot AS snapshot
    WHERE complaint.complained_at < coalesce(raised.resolved_at, snapshot.published_at)
      AND (len(raised.aspects) = 0 OR list_contains(raised.aspects, complaint.aspect))
    QUALIFY row_number() OVER (PARTITION BY told.owner, complaint.brand, complaint.author
                               ORDER BY complaint.complained_at, complaint.post_id) = 1
), followed AS (
    SELECT owner, last_seen_at > complained_at AS is_heard_again,
           coalesce(recovered_at <= complained_at + followed, false) AS is_recovered,
           date_diff('microsecond', complained_at, least(recovered_at, last_seen_at, complained_at + followed)) AS after
    FROM complaints, params
), at_times AS (
    SELECT owner, after, count(*) FILTER (is_recovered) AS came,
           sum(count(*)) OVER (PARTITION BY owner ORDER BY after DESC) AS at_risk
    FROM followed
    GROUP BY owner, after
), estimated AS (
    SELECT owner, product(1 - came / at_risk) AS staying,
           sum(came / (at_risk * nullif(at_risk - came, 0))) AS greenwood
    FROM at_times
    GROUP BY owner
), came_round AS (
    SELECT owner, count(*) AS complained, count(*) FILTER (is_heard_again) AS heard_again,
           count(*) FILTER (is_recovered) AS recovered
    FROM followed
    GROUP BY owner
)
SELECT named.owner, list(named.brand ORDER BY named.brand) AS brands,
       coalesce(any_value(counted.alerts), 0) AS alerts,
       coalesce(any_value(counted.attended), 0) AS attended,
       coalesce(any_value(counted.passed_on), 0) AS passed_on,
       if_enough(any_value(counted.minutes_to_attend), any_value(counted.attended)) AS median_minutes_to_attend,
       coalesce(any_value(counted.closed), 0) AS closed,
       if_enough(any_value(counted.hours_to_close), any_value(counted.closed)) AS median_hours_to_close,
       coalesce(any_value(counted.dismissed), 0) AS dismissed,
       coalesce(any_value(counted.ended), 0) AS ended,
       coalesce(any_value(counted.standing), 0) AS standing,
       coalesce(any_value(came_round.complained), 0) AS complained,
       coalesce(any_value(came_round.heard_again), 0) AS heard_again,
       coalesce(any_value(came_round.recovered), 0) AS recovered,
       if_enough(1 - any_value(estimated.staying), any_value(came_round.heard_again)) AS recovery_rate,
       if_enough(kaplan_meier_low(any_value(estimated.staying), any_value(estimated.greenwood),
                                  any_value(came_round.heard_again)), any_value(came_round.heard_again))
           AS recovery_rate_low,
       if_enough(kaplan_meier_high(any_value(estimated.staying), any_value(estimated.greenwood),
                                   any_value(came_round.heard_again)), any_value(came_round.heard_again))
           AS recovery_rate_high
FROM named
LEFT JOIN counted ON counted.owner = named.owner
LEFT JOIN came_round ON came_round.owner = named.owner
LEFT JOIN estimated ON estimated.owner = named.owner
GROUP BY named.owner
