-- spike_counts: the brands and days whose hours may have another first look, now that visits came or went.
-- Grain:   one row per part of spike_counts.
-- Reads:   changed.visits (the visits that came, went or differ), lake.visits, opinions.
-- Read by: warehouse/renewing.py.
-- Method:  a visit is the first look at the hours since the answered one before it. Where there is none before it, all
--          earlier hours of the feed turn from history to looked at, or back.
WITH moved AS (
    SELECT feed, min(started_at) AS first_at, max(started_at) AS last_at
    FROM changed.visits
    WHERE is_answer
    GROUP BY feed
), spans AS (
    SELECT moved.feed, moved.last_at, max(before.started_at) AS looked_at
    FROM moved
    LEFT JOIN lake.visits AS before
      ON before.feed = moved.feed AND before.is_answer AND before.started_at < moved.first_at
    GROUP BY moved.feed, moved.last_at
)
SELECT DISTINCT said.brand AS part_0, CAST(said.hour AS DATE) AS part_1
FROM opinions AS said
JOIN spans ON spans.feed = said.feed
WHERE said.hour <= spans.last_at AND coalesce(said.hour >= spans.looked_at - INTERVAL 1 HOUR, true)
  AND said.hour >= (SELECT min(coalesce(looked_at, '-infinity')) - INTERVAL 1 HOUR FROM spans)  -- spares most the join
