-- recovery(brand, since, as_of): of those who complain, how many come round within 14 days, and how many are won over?
-- Grain:   one row per brand in listening.toml with owner and is_answered NULL: all; then one per owner (is_answered
--          NULL), and one per is_answered (owner NULL), of complaints that have one.
-- Reads:   brands, recoveries, recoveries_as_of, span, coverage_in, kaplan_meier_low, kaplan_meier_high, too_few,
--          if_enough.
-- Read by: the data team.
-- Takes:   brand (NULL: every brand), since and as_of, as trend.
-- Method:  the cohort are authors by their first complaint in the period; the event is a later mention for the brand
--          (see recoveries_as_of), followed for 14 days. The rate is 1 - the Kaplan-Meier estimate of not having come
--          round (1958): who is not heard of the brand again leaves the count when last heard, and so do those whose 14
--          days are not over. Intervals are log-log ones with Greenwood's variance. won is the same with being won
--          over.
-- Columns: brand, owner, is_answered, n (authors), heard_again (of them), recovered, won, unknown_share (of authors:
--          not heard again, nothing is known of them), recovery_rate, recovery_rate_low, recovery_rate_high (95 %),
--          won_rate, won_rate_low, won_rate_high (95 %), median_hours (to come round, of those who did), coverage,
--          reason (why there is no rate)
CREATE OR REPLACE MACRO recovery(brand, since := NULL, as_of := NULL) AS TABLE
WITH params AS (
    SELECT INTERVAL 14 DAYS AS followed
), complaints AS (
    SELECT told.* FROM recoveries AS told WHERE as_of IS NULL AND (brand IS NULL OR told.brand = brand)
    UNION ALL
    SELECT told.*
    FROM recoveries_as_of(as_of, since := (SELECT asked.starts FROM span(since, as_of) AS asked)) AS told
    WHERE as_of IS NOT NULL AND (brand IS NULL OR told.brand = brand)
), cohort AS (
    SELECT told.brand, told.owner, told.is_answered, told.complained_at, told.last_seen_at,
           told.complained_at + params.followed AS followed_until,
           [told.recovered_at, told.won_at] AS events,
           told.last_seen_at = told.complained_at AND told.recovered_at IS NULL AS is_gone  -- won is recovered, too
    FROM complaints AS told, span(since, as_of) AS asked, params
    WHERE told.complained_at >= asked.starts AND told.complained_at < asked.ends
      AND coalesce(told.complained_before_at < asked.starts, true)
), alike AS (  -- those who were not heard again are many and alike: counted first, they cost little
    SELECT heard.brand, heard.owner, heard.is_answered, heard.outcome, false AS is_gone, 1 AS n,
           coalesce(heard.event_at <= heard.followed_until, false) AS is_event,
           date_diff('microsecond', heard.complained_at,
                     least(heard.event_at, heard.last_seen_at, heard.followed_until)) / 3.6e9 AS hours
    FROM (
        SELECT cohort.*, unnest([1, 2]) AS outcome, unnest(cohort.events) AS event_at
        FROM cohort
        WHERE NOT cohort.is_gone
    ) AS heard
    UNION ALL
    SELECT gone.brand, gone.owner, gone.is_answered, unnest([1, 2]), true, gone.n, false, 0
    FROM (
        SELECT cohort.brand, cohort.owner, cohort.is_answered, count(*) AS n
        FROM cohort
        WHERE cohort.is_gone
        GROUP BY cohort.brand, cohort.owner, cohort.is_answered
    ) AS gone
), followed AS (
    SELECT alike.*, NULL AS by_owner, NULL AS by_answer FROM alike
    UNION ALL
    SELECT alike.*, alike.owner, NULL FROM alike WHERE alike.owner IS NOT NULL
    UNION ALL
    SELECT alike.*, NULL, alike.is_answered FROM alike WHERE alike.is_answered IS NOT NULL
), at_times AS (
    SELECT followed.brand, followed.by_owner, followed.by_answer, followed.outcome, followed.hours,
           count(*) FILTER (followed.is_event) AS came,  -- each is one
           sum(sum(followed.n)) OVER (
               PARTITION BY followed.brand, followed.by_owner, followed.by_answer, followed.outcome
               ORDER BY followed.hours DESC) AS at_risk
    FROM followed
    GROUP BY followed.brand, followed.by_owner, followed.by_answer, followed.outcome, followed.hours
), estimated AS (
    SELECT at_times.brand, at_times.by_owner, at_times.by_answer, at_times.outcome,
           product(1 - at_times.came / at_times.at_risk) AS staying,
           sum(at_times.came / (at_times.at_risk * nullif(at_times.at_risk - at_times.came, 0))) AS greenwood
    FROM at_times
    GROUP BY ALL
), counted AS (
    SELECT followed.brand, followed.by_owner, followed.by_answer, followed.outcome,
           CAST(sum(followed.n) AS BIGINT) AS n, count(*) FILTER (followed.is_event) AS came,
           coalesce(CAST(sum(followed.n) FILTER (NOT followed.is_gone) AS BIGINT), 0) AS heard_again,
           median(followed.hours) FILTER (followed.is_event) AS median_hours
    FROM followed
    GROUP BY ALL
), rated AS (
    SELECT counted.*, 1 - estimated.staying AS rate,
           kaplan_meier_low(estimated.staying, estimated.greenwood, counted.heard_again) AS low,
           kaplan_meier_high(estimated.staying, estimated.greenwood, counted.heard_again) AS high
    FROM counted
    JOIN estimated
      ON estimated.brand = counted.brand AND estimated.by_owner IS NOT DISTINCT FROM counted.by_owner
     AND estimated.by_answer IS NOT DISTINCT FROM counted.by_answer AND estimated.outcome = counted.outcome
)
SELECT listed.brand, came.by_owner AS owner, came.by_answer AS is_answered, coalesce(came.n, 0) AS n,
       coalesce(came.heard_again, 0) AS heard_again,
       coalesce(came.came, 0) AS recovered, coalesce(won.came, 0) AS won,
       1 - came.heard_again / came.n AS unknown_share,
       if_enough(came.rate, came.heard_again) AS recovery_rate,
       if_enough(came.low, came.heard_again) AS recovery_rate_low,
       if_enough(came.high, came.heard_again) AS recovery_rate_high,
       if_enough(won.rate, won.heard_again) AS won_rate,
       if_enough(won.low, won.heard_again) AS won_rate_low,
       if_enough(won.high, won.heard_again) AS won_rate_high,
       if_enough(came.median_hours, came.came) AS median_hours,
       heard.coverage,
       coalesce(too_few(came.n), CASE WHEN came.heard_again < 5 THEN 'fewer than 5 were heard again' END) AS reason
FROM brands AS listed
LEFT JOIN rated AS came ON came.brand = listed.brand AND came.outcome = 1
LEFT JOIN rated AS won
  ON won.brand = listed.brand AND won.outcome = 2 AND won.by_owner IS NOT DISTINCT FROM came.by_owner
 AND won.by_answer IS NOT DISTINCT FROM came.by_answer
LEFT JOIN coverage_in(since, as_of) AS heard ON heard.brand = listed.brand
WHERE brand IS NULL OR listed.brand = brand
ORDER BY listed.brand, owner NULLS FIRST, is_answered NULLS FIRST
