-- negative_spikes: hours in which a brand draws more negative word of mouth than its own past explains.
-- Grain:   one row per (brand, hour) that spikes; most brands have none.
-- Reads:   brand_hours, whose zeros for quiet hours count in the past, and the verdicts on its rows, which
--          warehouse/brand_verdicts.py gives while the file is built.
-- Read by: warehouse/alerts.py.
-- Method:  warehouse/spikes.py. Both the number of negative mentions and their share must be out of line, or a campaign
--          that makes everybody talk would raise an alert. Windows of the last 1, 3, 6, 12 and 24 hours are tried; the
--          one that tells most is shown. What is expected follows the level, the hour of the day and of the week, and
--          was learned from days that ended a whole day before, so that a slow burn does not become its own excuse.
--          False discoveries are kept few over all brands of an hour. A spike costs to enter and is free to leave.
--          An author counts once a day for each side taken, when it is first taken. A brand heard on fewer than 14
--          days is warming up: no spike. Backfilled history counts as heard; an hour of which nothing came while
--          every visit failed does not.
-- Columns:
--   hour: its start, UTC; only what was published up to its end decides
--   window_hours: length of the window that tells most, which ends with this hour
--   negatives: negative mentions in that window, one an author and day
--   expected: negative mentions that the brand's past would explain there
--   mentions: all mentions in that window, counted likewise
--   negative_share: negatives / mentions
--   expected_share: the negative share that its past would explain
--   score: standard deviations, midway between those of the share and of the count; 3.75 opens a spike, 2.5 holds it
SELECT brand, hour, window_hours, CAST(verdicts.negatives AS BIGINT) AS negatives, verdicts.expected,
       CAST(verdicts.mentions AS BIGINT) AS mentions, verdicts.negatives / verdicts.mentions AS negative_share,
       verdicts.expected_share, verdicts.score
FROM brand_hours
JOIN verdicts USING (brand, hour)
WHERE told
ORDER BY brand, hour
