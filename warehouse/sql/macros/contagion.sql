-- contagion(brand, since, lag_hours, as_of): does bad word spread to people who were never there?
-- Grain:   one row per brand in listening.toml, the most contagious first.
-- Reads:   brands, complainers_in, span, coverage_in, too_few, if_enough.
-- Read by: the data team.
-- Takes:   brand (NULL: every brand), since and as_of, as trend; lag_hours, how long word takes to travel.
-- Method:  authors who speak against the brand second-hand / authors who do so first-hand; who does both was there.
--          Opinions claim neither and are reported alone. The bounds take authors of unknown experience all as
--          first-hand and all as second-hand. The interval is the normal one of the log ratio of two counts, 0.5 added
--          to each. Lagged: authors new to second-hand complaint in the last lag_hours, who never complained
--          first-hand / authors new to first-hand complaint in the lag_hours before those, new being the first heard of.
-- Columns: brand, n (authors against it, first- or second-hand), first_hand, second_hand, opinions, unknowns (authors),
--          unknown_share (of all authors against it), contagion, contagion_low, contagion_high (95 %),
--          if_unknowns_first_hand, if_unknowns_second_hand, lagged_contagion, coverage, reason (why it is NULL)
CREATE OR REPLACE MACRO contagion(brand, since := NULL, lag_hours := 24, as_of := NULL) AS TABLE
WITH asked AS (
    SELECT period.ends - to_hours(2 * lag_hours) AS first_hand_from, period.ends - to_hours(lag_hours) AS second_hand_from
    FROM span(since, as_of) AS period
), counted AS (
    SELECT told.brand, count(*) AS authors,
           count(*) FILTER (told.is_first_hand) AS first_hand,
           count(*) FILTER (told.is_second_hand AND NOT told.is_first_hand) AS second_hand,
           count(*) FILTER (told.is_opinion AND NOT told.is_first_hand AND NOT told.is_second_hand) AS opinions,
           count(*) FILTER (told.first_hand_since IS NULL AND told.second_hand_since >= asked.second_hand_from)
               AS lately_second_hand,
           count(*) FILTER (told.first_hand_since >= asked.first_hand_from
                            AND told.first_hand_since < asked.second_hand_from) AS before_first_hand
    FROM complainers_in(brand, since, as_of) AS told, asked
    GROUP BY told.brand
), rated AS (
    SELECT counted.*, counted.first_hand + counted.second_hand AS n,
           counted.authors - counted.first_hand - counted.second_hand - counted.opinions AS unknowns,
           ln((counted.second_hand + 0.5) / (counted.first_hand + 0.5)) AS log_ratio,
           1.96 * sqrt(1 / (counted.second_hand + 0.5) + 1 / (counted.first_hand + 0.5)) AS half_width
    FROM counted
)
SELECT listed.brand, coalesce(rated.n, 0) AS n, coalesce(rated.first_hand, 0) AS first_hand,
       coalesce(rated.second_hand, 0) AS second_hand, coalesce(rated.opinions, 0) AS opinions,
       coalesce(rated.unknowns, 0) AS unknowns, rated.unknowns / rated.authors AS unknown_share,
       if_enough(rated.second_hand / nullif(rated.first_hand, 0), rated.n) AS contagion,
       if_enough(CASE WHEN rated.first_hand > 0 THEN exp(rated.log_ratio - rated.half_width) END, rated.n)
           AS contagion_low,
       if_enough(CASE WHEN rated.first_hand > 0 THEN exp(rated.log_ratio + rated.half_width) END, rated.n)
           AS contagion_high,
       if_enough(rated.second_hand / nullif(rated.first_hand + rated.unknowns, 0), rated.n) AS if_unknowns_first_hand,
       if_enough((rated.second_hand + rated.unknowns) / nullif(rated.first_hand, 0), rated.n)
           AS if_unknowns_second_hand,
       if_enough(rated.lately_second_hand / nullif(rated.before_first_hand, 0),
                 rated.lately_second_hand + rated.before_first_hand) AS lagged_contagion,
       heard.coverage,
       coalesce(too_few(rated.n), CASE WHEN rated.first_hand = 0 THEN 'nobody tells of it first-hand' END) AS reason
FROM brands AS listed
LEFT JOIN rated ON rated.brand = listed.brand
LEFT JOIN coverage_in(since, as_of) AS heard ON heard.brand = listed.brand
WHERE brand IS NULL OR listed.brand = brand
ORDER BY contagion DESC NULLS LAST, listed.brand
