-- judged_before: a digest of all that the verdicts on hours before one rest on: another digest, other rows.
-- Grain:   one row.
-- Reads:   judged_series, spike_counts, brand_hours.
-- Read by: warehouse/brand_verdicts.py.
-- Takes:   $until, the first hour that it says nothing of.
-- Method:  hashes of rows, put together so that their order does not matter. The share that usually comes late weighs on
--          history only, and changes by the hour: it counts where there is history. What came late does not.
-- Columns: digest
WITH told AS (
    SELECT brand, aspect, source, hour, mentions, negatives, history
    FROM spike_counts
    WHERE hour < $until AND mentions > 0
), with_history AS (
    SELECT DISTINCT brand, source
    FROM told
    WHERE history > 0
), every AS (
    SELECT 'said' AS what, hash(told) AS hashed
    FROM told
    UNION ALL
    SELECT 'heard', hash(brand, hour, mentions = 0 AND coalesce(coverage, 1) = 0)
    FROM brand_hours
    WHERE hour < $until
    UNION ALL
    SELECT 'judged', hash(series, judged.brand, aspect, judged.source, since, series_in_all,
                          CASE WHEN with_history.brand IS NOT NULL THEN late_share END)
    FROM judged_series AS judged
    LEFT JOIN with_history
      ON with_history.brand = judged.brand AND with_history.source IS NOT DISTINCT FROM judged.source
)
SELECT md5(string_agg(concat_ws(' ', what, counted, hashed), ', ' ORDER BY what)) AS digest
FROM (SELECT what, count(*) AS counted, bit_xor(hashed) AS hashed FROM every GROUP BY what)
