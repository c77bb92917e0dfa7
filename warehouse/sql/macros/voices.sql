-- voices(brand, since, unit, as_of, back): what was said of a brand, each unit once.
-- Grain:   one row per brand and unit: of mentions that are one unit, the latest.
-- Reads:   said_in, unit_key.
-- Read by: hotspots, consistency, friction, employer, phrases_that_grew.
-- Takes:   as trend; back, so many periods earlier.
-- Columns: all of opinions, and starts, ends (of the period)
CREATE OR REPLACE MACRO voices(brand, since, unit, as_of, back := 0) AS TABLE
SELECT said.*
FROM said_in(brand, since, as_of, back := back) AS said
QUALIFY row_number() OVER (
    PARTITION BY said.brand, unit_key(unit, said.speaker, said.story_id, said.post_id, said.hour)
    ORDER BY said.published_at DESC, said.post_id DESC) = 1
