-- praise_hours: what was said of brands, and for them, hour by hour: what spikes of praise are found in.
-- Grain:   one row per brand and hour, quiet hours included, in order.
-- Reads:   spike_counts, brand_hours.
-- Read by: warehouse/noticing.py.
-- Takes:   $brands, names.
-- Method:  as series_hours: an author counts once a day, as things stood at the first look; what nobody heard is NULL.
-- Columns: brand, hour, mentions, positives
SELECT hours.brand, hours.hour,
       CASE WHEN NOT (hours.mentions = 0 AND coalesce(hours.coverage, 1) = 0) THEN coalesce(said.mentions, 0) END
           AS mentions,
       CASE WHEN NOT (hours.mentions = 0 AND coalesce(hours.coverage, 1) = 0) THEN coalesce(said.positives, 0) END
           AS positives
FROM brand_hours AS hours
LEFT JOIN spike_counts AS said
  ON said.brand = hours.brand AND said.hour = hours.hour AND said.aspect IS NULL AND said.source IS NULL
WHERE list_contains($brands, hours.brand)
ORDER BY hours.brand, hours.hour
