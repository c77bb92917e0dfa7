-- #warn: more than half of a brand's mentions of the last 7 days have no sentiment: a language nlp does not cover?
-- Warns:  what is not judged is counted as unknown, so figures are thinner, not wrong.
-- Reads:  brand_hours, lake.snapshot.
-- Method: from 20 mentions on, below which a share says little.
SELECT hours.brand, sum(hours.mentions) AS mentions, sum(hours.unknowns) / sum(hours.mentions) AS unknown_share
FROM brand_hours AS hours, lake.snapshot AS snapshot
WHERE hours.hour >= snapshot.hour - INTERVAL 7 DAYS
GROUP BY hours.brand
HAVING sum(hours.mentions) >= 20 AND sum(hours.unknowns) / sum(hours.mentions) > 0.5
