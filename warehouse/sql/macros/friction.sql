-- friction(brand, since, unit, as_of): do newcomers meet more trouble than the rest?
-- Grain:   one row per brand in listening.toml and part: billing, and the rest.
-- Reads:   brands, voices_in, coverage_in, wilson_low, wilson_high, too_few, if_enough.
-- Read by: the data team.
-- Takes:   as trend, without a grain.
-- Method:  of first-hand units that were judged. Early is sign-up, delivery, set-up, the first bill, or words that tell
--          of the first 30 days (opinions.is_early). Billing: stage pay or an aspect billing. Friction is the negative
--          share of early units with its Wilson interval; lift is that share / the negative share of the others, its
--          interval the normal one of the log ratio with 0.5 added (Walter 1975).
-- Columns: brand, part (billing or the rest), n (early units), negatives (of them), others_n, others_negatives,
--          unknown_share (of all units: first-hand or not, or how they feel, is not known), friction, friction_low,
--          friction_high (95 %), lift, lift_low, lift_high (95 %), coverage, reason (why friction is NULL)
CREATE OR REPLACE MACRO friction(brand, since := NULL, unit := NULL, as_of := NULL) AS TABLE
WITH said AS (
    SELECT told.brand, told.sentiment, told.experience, told.is_early,
           CASE WHEN told.is_billing THEN 'billing' ELSE 'the rest' END AS part
    FROM voices_in(brand, since, unit, as_of) AS told
), counted AS (
    SELECT said.brand, said.part,
           avg(CAST(said.experience = 'unknown' OR said.sentiment IS NULL AS INT)) AS unknown_share,
           count(said.sentiment) FILTER (said.is_early) AS n,
           count(*) FILTER (said.is_early AND said.sentiment = -1) AS negatives,
           count(said.sentiment) FILTER (NOT said.is_early AND said.experience = 'first_hand') AS others_n,
           count(*) FILTER (NOT said.is_early AND said.experience = 'first_hand' AND said.sentiment = -1)
               AS others_negatives
    FROM said
    GROUP BY said.brand, said.part
), rated AS (
    SELECT counted.*,
           ln((counted.negatives + 0.5) / (counted.n + 0.5))
               - ln((counted.others_negatives + 0.5) / (counted.others_n + 0.5)) AS log_lift,
           1.96 * sqrt(1 / (counted.negatives + 0.5) - 1 / (counted.n + 0.5)
               + 1 / (counted.others_negatives + 0.5) - 1 / (counted.others_n + 0.5)) AS half_width,
           least(counted.n, counted.others_n) AS both_n
    FROM counted
)
SELECT listed.brand, parts.part, coalesce(rated.n, 0) AS n, coalesce(rated.negatives, 0) AS negatives,
       coalesce(rated.others_n, 0) AS others_n, coalesce(rated.others_negatives, 0) AS others_negatives,
       rated.unknown_share,
       if_enough(rated.negatives / nullif(rated.n, 0), rated.n) AS friction,
       if_enough(wilson_low(rated.negatives, rated.n), rated.n) AS friction_low,
       if_enough(wilson_high(rated.negatives, rated.n), rated.n) AS friction_high,
       if_enough(rated.negatives / nullif(rated.n, 0) / nullif(rated.others_negatives / nullif(rated.others_n, 0), 0),
                 rated.both_n) AS lift,
       if_enough(exp(rated.log_lift - rated.half_width), rated.both_n) AS lift_low,
       if_enough(exp(rated.log_lift + rated.half_width), rated.both_n) AS lift_high,
       heard.coverage, too_few(rated.n) AS reason
FROM brands AS listed
CROSS JOIN (SELECT unnest(['the rest', 'billing']) AS part) AS parts
LEFT JOIN rated ON rated.brand = listed.brand AND rated.part = parts.part
LEFT JOIN coverage_in(since, as_of) AS heard ON heard.brand = listed.brand
WHERE brand IS NULL OR listed.brand = brand
ORDER BY listed.brand, parts.part DESC
