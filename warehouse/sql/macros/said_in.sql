-- said_in(brand, since, as_of, back): what was said of a brand in a period, as it was known at a time.
-- Grain:   one row per post and brand.
-- Reads:   opinions, span, is_known.
-- Read by: speakers_in, switching_flows, negative_reach, amplification.
-- Takes:   as trend; back, so many periods earlier.
-- Columns: all of opinions, and starts, ends (of the period)
CREATE OR REPLACE MACRO said_in(brand, since, as_of, back := 0) AS TABLE
SELECT said.*, asked.starts, asked.ends
FROM opinions AS said, span(since, as_of, back := back) AS asked
WHERE (brand IS NULL OR said.brand = brand)
  AND said.hour >= asked.starts AND said.hour < asked.ends
  AND is_known(said.known_from, said.known_until, as_of)
