-- #warn: nothing was fetched in the last 24 hours: is collect running?
-- Warns:  what is there stays right, and an older file would be staler still.
-- Reads:  lake.visits, lake.posts, lake.snapshot.
-- Method: a lake without posts has nothing to be late with.
SELECT newest.fetched_at
FROM (
    SELECT greatest((SELECT max(fetched_at) FROM lake.posts), (SELECT max(started_at) FROM lake.visits)) AS fetched_at
) AS newest, lake.snapshot AS snapshot
WHERE newest.fetched_at < snapshot.published_at - INTERVAL 24 HOURS
