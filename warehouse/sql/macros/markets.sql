-- markets(since, unit, as_of): how much is said of each brand, and in its market: of it and its competitors.
-- Grain:   one row per brand in listening.toml.
-- Reads:   brands, counts.
-- Read by: share_of_voice, word_of_mouse.
-- Takes:   since, unit and as_of, as trend.
-- Method:  as share_of_voice says.
-- Columns: brand, n (units, on the panel as all counts here), positives, negatives, neutrals, unknown_share, market_n
CREATE OR REPLACE MACRO markets(since, unit, as_of) AS TABLE
WITH said AS (
    SELECT listed.brand, listed.competitors,
           coalesce(heard.n, 0) AS n, coalesce(heard.positives, 0) AS positives,
           coalesce(heard.negatives, 0) AS negatives, coalesce(heard.neutrals, 0) AS neutrals,
           heard.unknowns / heard.n AS unknown_share
    FROM brands AS listed
    LEFT JOIN counts(NULL, since, NULL, unit, as_of, on_panel := true) AS heard ON heard.brand = listed.brand
), summed AS (
    SELECT said.brand, CAST(sum(rival.n) AS BIGINT) AS market_n
    FROM said
    JOIN said AS rival
      ON rival.brand = said.brand OR len(said.competitors) = 0 OR list_contains(said.competitors, rival.brand)
    GROUP BY said.brand
)
SELECT said.brand, said.n, said.positives, said.negatives, said.neutrals, said.unknown_share, summed.market_n
FROM said
JOIN summed ON summed.brand = said.brand
