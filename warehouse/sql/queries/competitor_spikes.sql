-- competitor_spikes: hours in which competitors of a brand draw more negative word of mouth than their past explains.
-- Grain:   one row per brand, competitor and hour that spikes, of the last 30 days, in order.
-- Reads:   brands, negative_spikes, lake.snapshot.
-- Read by: warehouse/noticing.py.
-- Takes:   $brands, names.
-- Method:  of competitors that are listened for themselves; of all that is said of them.
-- Columns: brand, competitor, hour, window_hours, negatives, expected, score
SELECT listed.brand, spike.brand AS competitor, spike.hour, spike.window_hours, spike.negatives, spike.expected,
       spike.score
FROM brands AS listed
JOIN negative_spikes AS spike ON list_contains(listed.competitors, spike.brand), lake.snapshot AS snapshot
WHERE list_contains($brands, listed.brand) AND spike.brand <> listed.brand
  AND spike.aspect IS NULL AND spike.source IS NULL AND spike.hour >= snapshot.hour - INTERVAL 30 DAYS
ORDER BY listed.brand, spike.brand, spike.hour
