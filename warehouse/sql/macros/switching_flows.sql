-- switching_flows(since, as_of): who loses customers to whom, as they say themselves.
-- Grain:   one row per brand in listening.toml and other brand it exchanges customers with, and one per brand with
--          other NULL: all its moves, those with the other side unnamed among them.
-- Reads:   brands, said_in, coverage_in, wilson_low, wilson_high, too_few, if_enough.
-- Read by: the data team.
-- Takes:   since and as_of, as trend.
-- Method:  distinct authors who tell of a move, once for each pair and status; posts without an author stand for one
--          each. Lost and won are moves done or returned; "returned" is a move to the brand come back to. Net is won -
--          lost. The loss rate is authors who left / all who name the brand, as theirs or in a move, with its Wilson
--          interval.
-- Columns: brand, other, n (authors and moves, of any status), lost, won, net, considering_leaving,
--          considering_joining, authors (who name the brand), unknown_share (of them, none of whose posts was judged
--          for moves), loss_rate, loss_rate_low, loss_rate_high (95 %), coverage, reason (why there is no rate)
CREATE OR REPLACE MACRO switching_flows(since := NULL, as_of := NULL) AS TABLE
WITH said AS (
    FROM said_in(NULL, since, as_of)
), told AS (
    SELECT DISTINCT said.speaker, said.switched_from, said.switched_to,
           CASE WHEN said.switch_status = 'considered' THEN 'considered' ELSE 'done' END AS status
    FROM said
    WHERE said.switch_status IS NOT NULL
), sides AS (
    SELECT told.switched_from AS brand, told.switched_to AS other, told.speaker, told.status, true AS leaves FROM told
    UNION ALL
    SELECT told.switched_to, told.switched_from, told.speaker, told.status, false FROM told
), flows AS (
    SELECT sides.brand, sides.other, grouping(sides.other) AS is_total,
           count(*) AS n,
           count(*) FILTER (sides.leaves AND sides.status = 'done') AS lost,
           count(*) FILTER (NOT sides.leaves AND sides.status = 'done') AS won,
           count(DISTINCT sides.speaker) FILTER (sides.leaves AND sides.status = 'done') AS leavers,
           count(*) FILTER (sides.leaves AND sides.status = 'considered') AS considering_leaving,
           count(*) FILTER (NOT sides.leaves AND sides.status = 'considered') AS considering_joining
    FROM sides
    GROUP BY GROUPING SETS ((sides.brand, sides.other), (sides.brand))
    HAVING grouping(sides.other) = 1 OR sides.other IS NOT NULL
), speakers AS (
    SELECT judged.brand, count(*) AS authors, avg(CAST(NOT judged.is_judged AS INT)) AS unknown_share
    FROM (
        SELECT named.brand, named.speaker, bool_or(named.is_judged) AS is_judged
        FROM (
            SELECT said.brand, said.speaker, said.intents IS NOT NULL AS is_judged FROM said
            UNION ALL
            SELECT sides.brand, sides.speaker, true FROM sides
        ) AS named
        GROUP BY named.brand, named.speaker
    ) AS judged
    GROUP BY judged.brand
), pairs AS (
    SELECT listed.brand, NULL AS other, 1 AS is_total FROM brands AS listed
    UNION ALL
    SELECT listed.brand, flows.other, 0
    FROM brands AS listed
    JOIN flows ON flows.brand = listed.brand AND flows.is_total = 0
)
SELECT pairs.brand, pairs.other, coalesce(flows.n, 0) AS n, coalesce(flows.lost, 0) AS lost,
       coalesce(flows.won, 0) AS won, coalesce(flows.won - flows.lost, 0) AS net,
       coalesce(flows.considering_leaving, 0) AS considering_leaving,
       coalesce(flows.considering_joining, 0) AS considering_joining,
       coalesce(speakers.authors, 0) AS authors, speakers.unknown_share,
       if_enough(coalesce(flows.leavers, 0) / speakers.authors, speakers.authors) AS loss_rate,
       if_enough(wilson_low(coalesce(flows.leavers, 0), speakers.authors), speakers.authors) AS loss_rate_low,
       if_enough(wilson_high(coalesce(flows.leavers, 0), speakers.authors), speakers.authors) AS loss_rate_high,
       heard.coverage, too_few(speakers.authors) AS reason
FROM pairs
LEFT JOIN flows
  ON flows.brand = pairs.brand AND flows.is_total = pairs.is_total AND flows.other IS NOT DISTINCT FROM pairs.other
LEFT JOIN speakers ON speakers.brand = pairs.brand
LEFT JOIN coverage_in(since, as_of) AS heard ON heard.brand = pairs.brand
ORDER BY pairs.brand, pairs.is_total DESC, n DESC, pairs.other
