-- incident_hours: what was said against a brand hour by hour, up to the end of an incident, beside what is usual.
-- Grain:   one row per hour, the oldest first: 48 of them, or all of the incident where it is longer.
-- Reads:   brand_hours, negative_spikes.
-- Read by: warehouse/evidence.py.
-- Takes:   $brand; $since and $until, TIMESTAMPs in UTC: the incident, from its first hour to before $until.
-- Method:  usual are the means of the hours of the 28 days before the incident that are at most one hour of the day
--          away. Hours of earlier spikes and hours that nobody heard are left out; of fewer than 14 days there are
--          none. It is coarser than what the spike was told by (warehouse/spikes.py), and can be checked by hand.
-- Columns: hour (UTC), negatives, mentions (NULL: not heard, or before the brand's first mention), expected (negatives)
WITH params AS (
    SELECT INTERVAL 28 DAYS AS usual, INTERVAL 48 HOURS AS shown, 14 AS days_at_least, 1 AS hours_away
), asked AS (
    SELECT date_trunc('hour', CAST($since AS TIMESTAMP)) AS starts,
           date_trunc('hour', CAST($until AS TIMESTAMP) - INTERVAL 1 MICROSECOND) AS last_hour
), heard AS (
    SELECT hour, negatives, mentions
    FROM brand_hours
    WHERE brand = $brand AND NOT (mentions = 0 AND coalesce(coverage, 1) = 0)
), past AS (
    SELECT heard.hour, heard.negatives
    FROM heard, asked, params
    WHERE heard.hour >= asked.starts - params.usual AND heard.hour < asked.starts
      AND heard.hour NOT IN (SELECT hour FROM negative_spikes WHERE brand = $brand)
), usual AS (
    SELECT clock.hour_of_day, avg(past.negatives) AS negatives
    FROM (SELECT unnest(range(24)) AS hour_of_day) AS clock, params, past
    WHERE (hour(past.hour) - clock.hour_of_day + params.hours_away + 24) % 24 <= 2 * params.hours_away
    GROUP BY clock.hour_of_day, params.days_at_least
    HAVING count(DISTINCT CAST(past.hour AS DATE)) >= params.days_at_least
), shown AS (
    SELECT unnest(generate_series(least(asked.starts, asked.last_hour - params.shown + INTERVAL 1 HOUR),
                                  asked.last_hour, INTERVAL 1 HOUR)) AS hour
    FROM asked, params
)
SELECT shown.hour, heard.negatives, heard.mentions, usual.negatives AS expected
FROM shown
LEFT JOIN heard ON heard.hour = shown.hour
LEFT JOIN usual ON usual.hour_of_day = hour(shown.hour)
ORDER BY shown.hour
