-- coverage_in(since, as_of): how well each brand was listened for.
-- Grain:   one row per brand in listening.toml or spoken of.
-- Reads:   coverage_hours, span, brands, brand_days.
-- Read by: hotspots, advocates, contagion, friction, employer, switching_flows, recovery, consistency, share_of_voice,
--          amplification.
-- Method:  the share of visits that were answered, to feeds that may name the brand: the mean of the hours that have
--          visits. NULL if none has.
-- Columns: brand, coverage
CREATE OR REPLACE MACRO coverage_in(since, as_of) AS TABLE
WITH visited AS (
    SELECT told.brand, told.hour, told.visits, told.answered
    FROM coverage_hours(as_of) AS told, span(since, as_of) AS asked
    WHERE told.hour >= asked.starts AND told.hour < asked.ends
), known AS (
    SELECT listed.brand FROM brands AS listed
    UNION
    SELECT spoken.brand FROM brand_days AS spoken
), by_hour AS (
    SELECT known.brand, visited.hour, sum(visited.answered) / sum(visited.visits) AS coverage
    FROM known
    LEFT JOIN visited ON visited.brand IS NULL OR visited.brand = known.brand
    GROUP BY known.brand, visited.hour
)
SELECT by_hour.brand, avg(by_hour.coverage) AS coverage
FROM by_hour
GROUP BY by_hour.brand
