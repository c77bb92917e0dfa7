-- #warn: a visit ended before it began, or counts less than nothing: was a clock set back, or is a file foreign?
-- Warns:  counts of posts do not rest on it; how much was heard may look a little too good or too bad.
-- Reads:  lake.visits.
SELECT feed, started_at, finished_at, posts, requests, bytes
FROM lake.visits
WHERE finished_at < started_at OR posts < 0 OR requests < 0 OR bytes < 0
