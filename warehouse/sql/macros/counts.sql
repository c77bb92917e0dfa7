-- counts(brand, since, grain, unit, as_of, back, on_panel): how many spoke for and against a brand, period by period.
-- Grain:   one row per brand and period in which something was said.
-- Reads:   brand_hours, feed_hours, opinions, span, panel, unit_key, is_known.
-- Read by: trend, word_of_mouse, markets.
-- Takes:   as trend; back, so many times the whole length earlier; on_panel, only feeds that panel names.
-- Method:  voices and mentions as known now are sums of brand_hours, or of feed_hours on a panel; whatever else is asked is counted from opinions. A
--          unit counts where it was first heard in its period (a voice: in its day), with the last side it took there.
-- Columns: brand, period (its start; NULL if grain is), n, positives, negatives, neutrals, unknowns
CREATE OR REPLACE MACRO counts(brand, since, grain, unit, as_of, back := 0, on_panel := false) AS TABLE
WITH asked AS (
    FROM span(since, as_of, back := back)
), stored AS (
    SELECT cell.brand, cell.feed, cell.hour,
           CASE WHEN unit IS NULL THEN cell.voices ELSE cell.mentions END AS n,
           CASE WHEN unit IS NULL THEN cell.voices_positive ELSE cell.positives END AS positives,
           CASE WHEN unit IS NULL THEN cell.voices_negative ELSE cell.negatives END AS negatives,
           CASE WHEN unit IS NULL THEN cell.voices_neutral ELSE cell.neutrals END AS neutrals,
           CASE WHEN unit IS NULL THEN cell.voices_unknown ELSE cell.unknowns END AS unknowns
    FROM feed_hours AS cell
    WHERE on_panel AND as_of IS NULL AND coalesce(unit, 'mention') = 'mention'
      AND (brand IS NULL OR cell.brand = brand)
    UNION ALL
    SELECT cell.brand, NULL, cell.hour,
           CASE WHEN unit IS NULL THEN cell.voices ELSE cell.mentions END,
           CASE WHEN unit IS NULL THEN cell.voices_positive ELSE cell.positives END,
           CASE WHEN unit IS NULL THEN cell.voices_negative ELSE cell.negatives END,
           CASE WHEN unit IS NULL THEN cell.voices_neutral ELSE cell.neutrals END,
           CASE WHEN unit IS NULL THEN cell.voices_unknown ELSE cell.unknowns END
    FROM brand_hours AS cell
    WHERE NOT on_panel AND as_of IS NULL AND coalesce(unit, 'mention') = 'mention'
      AND (brand IS NULL OR cell.brand = brand)
), units AS (
    SELECT said.brand, arg_min(said.feed, (said.hour, said.post_id)) AS feed, min(said.hour) AS hour,
           arg_max(said.sentiment, (said.published_at, said.post_id)) AS sentiment
    FROM opinions AS said, asked
    WHERE (as_of IS NOT NULL OR coalesce(unit, 'mention') <> 'mention') AND (brand IS NULL OR said.brand = brand)
      AND said.hour >= CASE WHEN unit IS NULL THEN date_trunc('day', asked.starts) ELSE asked.starts END
      AND said.hour < CASE WHEN unit IS NULL THEN asked.ends + INTERVAL 1 DAY ELSE asked.ends END
      AND is_known(said.known_from, said.known_until, as_of)
    GROUP BY said.brand, CASE WHEN unit IS NOT NULL THEN date_trunc(grain, said.hour) END,
             unit_key(unit, said.speaker, said.story_id, said.post_id, said.hour)
), cells AS (
    FROM stored
    UNION ALL
    SELECT units.brand, units.feed, units.hour, 1, CAST(coalesce(units.sentiment = 1, false) AS INT),
           CAST(coalesce(units.sentiment = -1, false) AS INT), CAST(coalesce(units.sentiment = 0, false) AS INT),
           CAST(units.sentiment IS NULL AS INT)
    FROM units
)
SELECT cells.brand, date_trunc(grain, cells.hour) AS period,
       CAST(sum(cells.n) AS BIGINT) AS n,
       CAST(sum(cells.positives) AS BIGINT) AS positives,
       CAST(sum(cells.negatives) AS BIGINT) AS negatives,
       CAST(sum(cells.neutrals) AS BIGINT) AS neutrals,
       CAST(sum(cells.unknowns) AS BIGINT) AS unknowns
FROM cells, asked
WHERE cells.hour >= asked.starts AND cells.hour < asked.ends
  AND (NOT on_panel OR cells.feed IN (SELECT kept.feed FROM panel(since, as_of) AS kept))
GROUP BY cells.brand, date_trunc(grain, cells.hour)
HAVING sum(cells.n) > 0
