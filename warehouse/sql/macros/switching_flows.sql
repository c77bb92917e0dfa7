-- switching_flows(since, as_of): who loses customers to whom, as they say themselves.
-- Grain:   one row per brand in listening.toml and other brand it exchanges customers with, and one per brand with
--          other NULL: all its moves, those with the other side unnamed among them.
-- Reads:   brands, said_in, speakers_in, coverage_in, wilson_low, wilson_high, too_few, if_enough.
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
WITH told AS (
    SELECT DISTINCT said.speaker, said.switched_from, said.switched_to,
           CASE WHEN said.switch_status = 'considered' THEN 'considered' ELSE 'done' END AS status
    FROM said_in(NULL, since, as_of) AS said
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
), heard AS (
    FROM speakers_in(NULL, since, as_of)
), movers AS (
    SELECT moving.brand, heard.is_judged
    FROM (SELECT DISTINCT sides.brand, sides.speaker FROM sides) AS moving
    LEFT JOIN heard ON heard.brand = moving.brand AND heard.speaker = moving.speaker
), named AS (  -- those who name the brand in a move alone are added, and whose moves are known was judged
    SELECT heard.brand, count(*) AS authors, count(*) FILTER (NOT heard.is_judged) AS unknowns
    FROM heard
    GROUP BY heard.brand
    UNION ALL
    SELECT movers.brand, count(*) FILTER (movers.is_judged IS NULL), -count(*) FILTER (NOT movers.is_judged)
    FROM movers
    GROUP BY movers.brand
), authors AS (
    SELECT named.brand, CAST(sum(named.authors) AS BIGINT) AS authors,
           sum(named.unknowns) / nullif(sum(named.authors), 0) AS unknown_share
    FROM named
    GROUP BY named.brand
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
       coalesce(authors.authors, 0) AS authors, authors.unknown_share,
       if_enough(coalesce(flows.leavers, 0) / authors.authors, authors.authors) AS loss_rate,
       if_enough(wilson_low(coalesce(flows.leavers, 0), authors.authors), authors.authors) AS loss_rate_low,
       if_enough(wilson_high(coalesce(flows.leavers, 0), authors.authors), authors.authors) AS loss_rate_high,
       heard.coverage, too_few(authors.authors) AS reason
FROM pairs
LEFT JOIN flows
  ON flows.brand = pairs.brand AND flows.is_total = pairs.is_total AND flows.other IS NOT DISTINCT FROM pairs.other
LEFT JOIN authors ON authors.brand = pairs.brand
LEFT JOIN coverage_in(since, as_of) AS heard ON heard.brand = pairs.brand
ORDER BY pairs.brand, pairs.is_total DESC, n DESC, pairs.other
