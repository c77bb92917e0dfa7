-- voices_in(brand, since, unit, as_of, back): what was said of a brand, each unit once.
-- Grain:   one row per brand and unit: of mentions that are one unit, the latest.
-- Reads:   voices, units_in, span, complained_of, is_of_billing.
-- Read by: consistency, friction, employer, complaints_in.
-- Takes:   as trend; back, so many periods earlier.
-- Method:  voices as known now lie ready in the mart voices; whatever else is asked is counted from opinions.
-- Columns: brand, hour, feed, sentiment, experience, stage, staff, is_early, against, is_billing (as voices has them)
CREATE OR REPLACE MACRO voices_in(brand, since, unit, as_of, back := 0) AS TABLE
SELECT told.brand, told.hour, told.feed, told.sentiment, told.experience, told.stage, told.staff, told.is_early,
       told.against, told.is_billing
FROM voices AS told, span(since, as_of, back := back) AS asked
WHERE unit IS NULL AND as_of IS NULL AND (brand IS NULL OR told.brand = brand)
  AND told.hour >= asked.starts AND told.hour < asked.ends
UNION ALL
SELECT said.brand, said.hour, said.feed, said.sentiment, said.experience, said.stage, said.staff, said.is_early,
       complained_of(said.aspects), is_of_billing(said.stage, said.aspects)
FROM units_in(brand, since, unit, as_of, back := back) AS said
WHERE unit IS NOT NULL OR as_of IS NOT NULL
