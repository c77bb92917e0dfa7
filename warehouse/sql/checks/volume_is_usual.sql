-- #warn: in 24 hours a source brought less than a quarter of what it brings on this weekday, or more than eight times
--        that: has its format, its limit or our query changed, or is something going on?
-- Warns:  a storm or a holiday looks alike; the posts are real, so readers get them.
-- Reads:  lake.visits, lake.snapshot.
-- Method: what each feed's visits brought in the last 24 hours is compared with the median of the same 24 hours of the
--         8 weeks before, of which 3 must have been heard. Heard is a window whose answered visits reach back 18 to 30
--         hours in all, each to the answer before it: an outage, or the visit that catches up after one, is no window,
--         and neither is a feed's first visit, which brings its past. Of a source those feeds are summed that were
--         heard today. It is told if it also lies beyond the highest or lowest of those weeks and beyond chance: 4
--         standard deviations of a count, on the scale of square roots (Anscombe 1948). A storm of words makes a day
--         four times as loud; a query that is too wide, far more.
WITH params AS (
    SELECT 8 AS weeks, 3 AS weeks_at_least, 4 AS times_less, 8 AS times_more, 4 AS deviations_at_least
), visited AS (
    SELECT feed, source, posts,
           date_diff('second', started_at, snapshot.published_at) AS ago,  -- seconds
           date_diff('second', lag(started_at) OVER (PARTITION BY feed ORDER BY started_at), started_at) / 3600
               AS covers_hours
    FROM lake.visits, lake.snapshot AS snapshot, params
    WHERE is_answer AND next_visit_at IS NOT NULL  -- not planned: a backfill, or a second look at kept posts
      AND started_at > snapshot.published_at - to_days(7 * weeks + 2)
), windows AS (
    SELECT feed, source, ago // 604_800 AS week, CAST(sum(posts) AS BIGINT) AS posts
    FROM visited, params
    WHERE ago >= 0 AND ago % 604_800 < 86_400 AND covers_hours IS NOT NULL
    GROUP BY ALL
    HAVING sum(covers_hours) BETWEEN 18 AND 30
), of_feeds AS (
    SELECT feed, source,
           any_value(posts) FILTER (week = 0) AS today,
           median(posts) FILTER (week > 0) AS usual,
           min(posts) FILTER (week > 0) AS lowest,
           max(posts) FILTER (week > 0) AS highest,
           count(*) FILTER (week > 0) AS weeks_heard
    FROM windows
    GROUP BY feed, source
), of_sources AS (
    SELECT source, list(feed ORDER BY feed) AS feeds, CAST(sum(today) AS BIGINT) AS today, sum(usual) AS usual,
           sum(lowest) AS lowest, sum(highest) AS highest
    FROM of_feeds, params
    WHERE today IS NOT NULL AND weeks_heard >= weeks_at_least
    GROUP BY source
)
SELECT source, today, usual, feeds
FROM of_sources, params
WHERE (today * times_less < usual AND today < lowest OR today > usual * times_more AND today > highest)
  AND 2 * abs(sqrt(today + 3 / 8) - sqrt(usual + 3 / 8)) >= deviations_at_least
