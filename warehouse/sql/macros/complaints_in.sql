-- complaints_in(brand, since, unit, as_of, back): how often what was complained of in a period.
-- Grain:   one row per brand, aspect and stage with complaints; and one per brand with aspect and stage NULL: all units.
-- Reads:   complaint_days, voices, voices_in, span.
-- Read by: hotspots.
-- Takes:   as trend; back, so many periods earlier.
-- Method:  voices as known now are summed from the whole days of complaint_days and, beside these, from voices; whatever
--          else is asked is counted from opinions.
-- Columns: brand, aspect, stage, n (units that complain of it; or all), unknowns (of all units, those whose aspects were
--          not judged)
CREATE OR REPLACE MACRO complaints_in(brand, since, unit, as_of, back := 0) AS TABLE
WITH asked AS (
    SELECT period.starts, period.ends, period.whole_days_from,
           CASE WHEN back = 0 THEN period.ends  -- today is whole, so far
                ELSE date_trunc('day', period.ends) END AS whole_days_until
    FROM span(since, as_of, back := back) AS period
), single AS (
    SELECT told.brand, told.stage, told.against
    FROM voices AS told, asked
    WHERE unit IS NULL AND as_of IS NULL AND (brand IS NULL OR told.brand = brand)
      AND told.hour >= asked.starts AND told.hour < least(asked.whole_days_from, asked.ends)
    UNION ALL
    SELECT told.brand, told.stage, told.against
    FROM voices AS told, asked
    WHERE unit IS NULL AND as_of IS NULL AND (brand IS NULL OR told.brand = brand)
      AND told.hour >= greatest(asked.whole_days_from, asked.whole_days_until) AND told.hour < asked.ends
    UNION ALL
    SELECT told.brand, told.stage, told.against
    FROM voices_in(brand, since, unit, as_of, back := back) AS told
    WHERE unit IS NOT NULL OR as_of IS NOT NULL
), cells AS (
    SELECT told.brand, told.aspect, told.stage, told.voices, told.unknowns
    FROM complaint_days AS told, asked
    WHERE unit IS NULL AND as_of IS NULL AND (brand IS NULL OR told.brand = brand)
      AND told.day >= asked.whole_days_from AND told.day < asked.whole_days_until
    UNION ALL
    SELECT opened.brand, opened.aspect, opened.stage, 1, 0
    FROM (SELECT single.brand, unnest(single.against) AS aspect, single.stage FROM single) AS opened
    UNION ALL
    SELECT single.brand, NULL, NULL, 1, CAST(single.against IS NULL AS INT)
    FROM single
)
SELECT cells.brand, cells.aspect, cells.stage, CAST(sum(cells.voices) AS BIGINT) AS n,
       CAST(sum(cells.unknowns) AS BIGINT) AS unknowns
FROM cells
GROUP BY cells.brand, cells.aspect, cells.stage
