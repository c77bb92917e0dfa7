-- #warn: of what a source said in 24 hours nlp could judge far less than before: has the language of it changed, or its
--        texts been cut?
-- Warns:  what is not judged is counted as unknown, so figures are thinner, not wrong.
-- Reads:  opinions, lake.snapshot, grown_z.
-- Method: opinions of the last 24 hours, 50 at least, against those of the 28 days before, 500 at least. Told if the
--         share of what was not judged (NULL) grew by a fifth or more, beyond chance (5 standard deviations). That of
--         experience and stage unknown is told too where less than a third of what was known is still: a day on which
--         all speak of one piece of news tells little of either, and is none.
WITH params AS (
    SELECT 50 AS opinions_at_least, 500 AS opinions_before_at_least, 0.2 AS grown_at_least, 5 AS deviations_at_least,
           1 / 3 AS still_known_at_most, ['experience', 'stage'] AS told_by_the_text
), counted AS (
    SELECT source, said.hour > snapshot.hour - INTERVAL 24 HOURS AS is_new, count(*) AS opinions,
           count(*) FILTER (sentiment IS NULL) AS sentiment,
           count(*) FILTER (experience = 'unknown') AS experience,
           count(*) FILTER (stage = 'unknown') AS stage,
           count(*) FILTER (intents IS NULL) AS intents,
           count(*) FILTER (aspects IS NULL) AS aspects
    FROM opinions AS said, lake.snapshot AS snapshot
    WHERE known_until IS NULL AND said.hour > snapshot.hour - INTERVAL 29 DAYS
    GROUP BY ALL
), of_judgements AS (
    UNPIVOT counted
    ON sentiment, experience, stage, intents, aspects
    INTO NAME judgement VALUE unknown
), compared AS (
    SELECT source, judgement,
           sum(opinions) FILTER (is_new) AS opinions, sum(unknown) FILTER (is_new) AS unknown,
           sum(opinions) FILTER (NOT is_new) AS opinions_before, sum(unknown) FILTER (NOT is_new) AS unknown_before
    FROM of_judgements
    GROUP BY source, judgement
)
SELECT source, judgement, unknown / opinions AS unknown_share, unknown_before / opinions_before AS unknown_share_before,
       CAST(opinions AS BIGINT) AS opinions
FROM compared, params
WHERE opinions >= opinions_at_least AND opinions_before >= opinions_before_at_least
  AND unknown / opinions - unknown_before / opinions_before >= grown_at_least
  AND (NOT list_contains(told_by_the_text, judgement)
       OR 1 - unknown / opinions <= still_known_at_most * (1 - unknown_before / opinions_before))
  AND grown_z(unknown, opinions, unknown_before, opinions_before) >= deviations_at_least
