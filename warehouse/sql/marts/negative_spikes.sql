-- negative_spikes: hours in which a brand, or an aspect or source of it, draws more negative word of mouth than its own
-- past explains.
-- Grain:   one row per (brand, aspect, source, hour) that spikes; most brands have none. aspect and source NULL: all
--          that is said of the brand. No row has both.
-- Reads:   spike_counts and brand_hours, whose zeros for quiet hours count in the past, and the verdicts on them, which
--          warehouse/brand_verdicts.py gives while the file is built.
-- Read by: warehouse/alerts.py, warehouse/evidence.py, incident_figures, incident_hours, rising_aspects,
--          competitor_spikes, warehouse/noticing.py, the checks.
-- Method:  warehouse/spikes.py. Both the number of negative mentions and their share must be out of line, or a campaign
--          that makes everybody talk would raise an alert. Windows of the last 1, 3, 6, 12 and 24 hours are tried; the
--          one that tells most is shown. What is expected follows the level, the hour of the day and of the week, and
--          was learned from days that ended a whole day before, so that a slow burn does not become its own excuse.
--          False discoveries are kept few over all series of an hour. A spike costs to enter and is free to leave; an
--          aspect or a source, of which a brand has many, costs 2.25 more, or 1 where the brand itself scores 3. What
--          speaks against an aspect is compared with all that is said of the brand. An author counts once a day for
--          each side taken, when it is first taken, and an hour by what was known of it at its first look
--          (spike_counts): late mentions are in brand_hours, but raise no spike. A series heard on fewer than 14 days
--          is warming up: no spike. Backfilled history counts as heard, thinned by the share that usually comes late;
--          an hour of which nothing came while every visit failed does not. Aspects and sources are judged in the last
--          120 days or up to 30 more, which are forgotten at once.
-- Columns:
--   hour: its start, UTC; only what was published up to its end decides
--   window_hours: length of the window that tells most, which ends with this hour
--   negatives: negative mentions in that window, one an author and day, as they stood at the first look
--   expected: negative mentions that the series' past would explain there
--   mentions: all mentions of the brand, or of it at the source, in that window, counted likewise
--   negative_share: negatives / mentions
--   expected_share: the negative share that its past would explain
--   score: standard deviations, midway between those of the share and of the count; 3.75 opens a spike, 2.5 holds it
--   severity: page if it is rare enough to wake somebody, or else tell
--   late: mentions of the brand, or of it at the source, in this hour that came too late to count
--   coverage: of the hour, as brand_hours has it
SELECT found.brand, found.aspect, found.source, found.hour, found.window_hours,
       CAST(round(found.negatives) AS BIGINT) AS negatives, found.expected,
       CAST(round(found.mentions) AS BIGINT) AS mentions, found.negatives / found.mentions AS negative_share,
       found.expected_share, found.score, CASE WHEN found.is_paged THEN 'page' ELSE 'tell' END AS severity,
       coalesce(said.late, 0) AS late, hours.coverage
FROM verdicts AS found
JOIN brand_hours AS hours ON hours.brand = found.brand AND hours.hour = found.hour
LEFT JOIN spike_counts AS said
  ON said.brand = found.brand AND said.hour = found.hour AND said.aspect IS NULL
 AND said.source IS NOT DISTINCT FROM found.source
ORDER BY found.brand, found.hour, found.aspect, found.source
