-- units_in(brand, since, unit, as_of, back, of_whole_days): what was said of a brand, each unit once, counted from opinions.
-- Grain:   one row per brand and unit: of mentions that are one unit, the latest.
-- Reads:   opinions, span, is_known, unit_key.
-- Read by: voices_in, phrases_that_grew.
-- Takes:   as trend; back, so many periods earlier; of_whole_days: voices of all of the period's first day, too, for
--          whoever draws by the day.
-- Method:  a voice is of its day: it counts where its last mention of the day lies in the period, so that no voice counts
--          in two periods. Of other units the latest mention within the period counts.
-- Columns: all of opinions
CREATE OR REPLACE MACRO units_in(brand, since, unit, as_of, back := 0, of_whole_days := false) AS TABLE
WITH asked AS (
    FROM span(since, as_of, back := back)
), heard AS (
    SELECT said.*
    FROM opinions AS said, asked
    WHERE (brand IS NULL OR said.brand = brand)
      AND said.hour >= CASE WHEN unit IS NULL THEN date_trunc('day', asked.starts) ELSE asked.starts END
      AND said.hour < CASE WHEN unit IS NULL THEN asked.ends + INTERVAL 1 DAY ELSE asked.ends END
      AND is_known(said.known_from, said.known_until, as_of)
    QUALIFY row_number() OVER (
        PARTITION BY said.brand, unit_key(unit, said.speaker, said.story_id, said.post_id, said.hour)
        ORDER BY said.published_at DESC, said.post_id DESC) = 1
)
SELECT heard.*
FROM heard, asked
WHERE heard.hour >= CASE WHEN of_whole_days AND unit IS NULL THEN date_trunc('day', asked.starts) ELSE asked.starts END
  AND heard.hour < asked.ends
