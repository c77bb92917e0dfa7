-- rising_aspects: aspects of which more is complained than before, too slowly for a spike.
-- Grain:   one row per brand and aspect, the most surely risen first.
-- Reads:   aspect_days, brand_days, negative_spikes, grown_z, lake.snapshot.
-- Read by: warehouse/noticing.py.
-- Takes:   $brands, names.
-- Method:  negative mentions of the aspect, among all mentions of the brand, in the last 3 whole days against the 28
--          before them. Told where there are 10, 1.5 times what is usual, and z is 3.9 or more: once in 10,000 times by
--          chance. Nothing rises of a brand that spiked in those days: that is told.
-- Columns: brand, value (the aspect), n, expected, usual_n, z, since (the first of the 3 days)
WITH params AS (
    SELECT 3 AS days, 28 AS usual_days, 10 AS negatives_at_least, 1.5 AS times_at_least, 3.9 AS z_at_least
), asked AS (
    SELECT CAST(snapshot.hour AS DATE) - params.days AS starts, CAST(snapshot.hour AS DATE) AS ends,
           CAST(snapshot.hour AS DATE) - params.days - params.usual_days AS usual_starts
    FROM params, lake.snapshot AS snapshot
), wholes AS (
    SELECT told.brand, sum(told.mentions) FILTER (told.day >= asked.starts) AS whole,
           sum(told.mentions) FILTER (told.day < asked.starts) AS usual_whole
    FROM brand_days AS told, asked
    WHERE list_contains($brands, told.brand) AND told.day >= asked.usual_starts AND told.day < asked.ends
    GROUP BY told.brand
), counted AS (
    SELECT told.brand, told.aspect, coalesce(sum(told.negatives) FILTER (told.day >= asked.starts), 0) AS n,
           coalesce(sum(told.negatives) FILTER (told.day < asked.starts), 0) AS usual_n
    FROM aspect_days AS told, asked
    WHERE list_contains($brands, told.brand) AND told.day >= asked.usual_starts AND told.day < asked.ends
    GROUP BY told.brand, told.aspect
), weighed AS (
    SELECT counted.*, counted.usual_n * wholes.whole / nullif(wholes.usual_whole, 0) AS expected,
           grown_z(counted.n, wholes.whole, counted.usual_n, wholes.usual_whole) AS z
    FROM counted
    JOIN wholes ON wholes.brand = counted.brand
)
SELECT weighed.brand, weighed.aspect AS value, CAST(weighed.n AS BIGINT) AS n,
       CAST(weighed.expected AS DOUBLE) AS expected, CAST(weighed.usual_n AS BIGINT) AS usual_n, weighed.z, CAST(asked.starts AS TIMESTAMP) AS since
FROM weighed, params, asked
WHERE weighed.n >= params.negatives_at_least AND weighed.n >= params.times_at_least * weighed.expected
  AND weighed.z >= params.z_at_least
  AND weighed.brand NOT IN (SELECT spike.brand FROM negative_spikes AS spike, asked
                            WHERE spike.hour >= asked.starts AND spike.aspect IS NULL AND spike.source IS NULL)
ORDER BY weighed.brand, weighed.z DESC, weighed.aspect
