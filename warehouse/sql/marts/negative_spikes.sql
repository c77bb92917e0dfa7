-- negative_spikes: hours in which a brand draws more negative word of mouth than its own past explains.
-- Grain:   one row per (brand, hour) that spikes; most brands have none.
-- Reads:   brand_hours, whose zeros for quiet hours count in the past.
-- Read by: warehouse/alerts.py.
-- Method:  both the number of negative mentions and their share must be out of line, or a campaign that makes
--          everybody talk would raise an alert. Windows of the last 1, 3, 6, 12 and 24 hours are tried; the one that
--          tells most is shown. The past of an hour is the 28 days that end 48 hours before it, so that a slow burn
--          does not become its own excuse; loud hours in it are cut to twice the usual volume, and negative ones to
--          one standard deviation over the usual share, so that an old storm does not hide a new one. Expected
--          negatives are the mean of the past's same hour of day and of all its hours. A score is the signed root of
--          the deviance (McCullagh & Nelder 1989, 2.3), nearly a standard normal z: of the count as negative binomial
--          with dispersion alpha, and of the share as binomial with intra-window correlation rho, both by moments
--          from the brand's own past windows. The correlation is not carried beyond twice the usual volume, where it was
--          never seen: else the loudest storms would count least. The smaller of the two scores decides.
--          A brand heard for less than 7 days is warming up: no spike. Backfilled history counts as heard.
-- Columns:
--   hour: its start, UTC; only what was published up to its end decides
--   window_hours: length of the window that tells most, which ends with this hour
--   negatives: negative mentions in that window
--   expected: negative mentions that the brand's past would explain there
--   mentions: all mentions in that window
--   negative_share: negatives / mentions
--   expected_share: the negative share that its past would explain
--   score: the smaller of two z, of the count and of the share; 3.4 is the least that spikes
WITH params AS (
    SELECT 5 AS negatives_at_least, 1.5 AS times_expected_at_least, 0.05 AS share_above_at_least,
           INTERVAL 7 DAYS AS history_at_least,
           3.4 AS score_at_least,  -- chosen on simulated brands of 2 to 5,000 mentions an hour, for few false runs
           0.02 AS alpha_at_least, 0.003 AS rho_at_least,  -- a calm past does not promise a calm future
           0.25 AS expected_at_least  -- else the first complaints about a silent brand are beyond all measure
), roughly AS (
    SELECT brand, hour, mentions, negatives,
           hour - min(hour) OVER (PARTITION BY brand) AS history,
           coalesce(avg(mentions) OVER past, 0) AS usual_mentions,
           (coalesce(sum(negatives) OVER past, 0) + 1) / (coalesce(sum(mentions) OVER past, 0) + 5) AS usual_share
    FROM brand_hours
    WINDOW past AS (PARTITION BY brand ORDER BY hour
                    RANGE BETWEEN INTERVAL 28 DAYS PRECEDING AND INTERVAL 48 HOURS PRECEDING)
), cut_volume AS (
    SELECT *, least(mentions, 2 * usual_mentions + 2) AS tame_mentions
    FROM roughly
), cut AS (
    SELECT *, least(
        negatives * tame_mentions / greatest(mentions, 1),
        tame_mentions * usual_share + 0.5 + sqrt(
            tame_mentions * usual_share * (1 - usual_share) * (1 + 0.01 * greatest(tame_mentions - 1, 0)))
    ) AS tame_negatives
    FROM cut_volume
), usual AS (
    SELECT brand, hour, history, mentions, negatives, tame_mentions, tame_negatives,
           (avg(tame_negatives) OVER same_hour + avg(tame_negatives) OVER past) / 2 AS expected,
           (avg(tame_negatives) OVER past + 0.1) / (avg(tame_mentions) OVER past + 0.5) AS share
    FROM cut
    WINDOW past AS (PARTITION BY brand ORDER BY hour
                    RANGE BETWEEN INTERVAL 28 DAYS PRECEDING AND INTERVAL 48 HOURS PRECEDING),
           same_hour AS (PARTITION BY brand, extract(hour FROM hour) ORDER BY hour
                         RANGE BETWEEN INTERVAL 28 DAYS PRECEDING AND INTERVAL 48 HOURS PRECEDING)
), windows AS (
    SELECT brand, hour, history, window_hours, share,
           sum(mentions) OVER latest AS mentions,
           sum(negatives) OVER latest AS negatives,
           sum(expected) OVER latest AS expected,
           sum(expected / share) OVER latest AS usual_mentions,
           sum(tame_mentions) OVER latest AS tame_mentions,
           sum(tame_negatives) OVER latest AS tame_negatives
    FROM usual, (SELECT unnest([1, 3, 6, 12, 24]) AS window_hours)
    WHERE expected IS NOT NULL
    WINDOW latest AS (PARTITION BY brand, window_hours ORDER BY hour
                      RANGE BETWEEN to_hours(window_hours - 1) PRECEDING AND CURRENT ROW)
), spread AS (
    SELECT *,
           sum((tame_negatives - expected) ^ 2 - expected) OVER past / nullif(sum(expected ^ 2) OVER past, 0) AS alpha,
           sum((tame_negatives - tame_mentions * share) ^ 2 - tame_mentions * share * (1 - share)) OVER past
               / nullif(sum(tame_mentions * greatest(tame_mentions - 1, 0) * share * (1 - share)) OVER past, 0) AS rho
    FROM windows
    WINDOW past AS (PARTITION BY brand, window_hours ORDER BY hour
                    RANGE BETWEEN INTERVAL 28 DAYS PRECEDING AND INTERVAL 48 HOURS PRECEDING)
), suspect AS (
    SELECT brand, hour, window_hours, negatives, expected, mentions, share AS expected_share,
           negatives / mentions AS negative_share,
           greatest(expected, expected_at_least) AS mu,
           1 / greatest(coalesce(alpha, 0), alpha_at_least) AS size,
           1 + greatest(least(mentions, 2 * usual_mentions) - 1, 0) * greatest(coalesce(rho, 0), rho_at_least)
               AS inflation  -- never below 1: correlation does not make a small window more certain
    FROM spread, params
    WHERE history >= history_at_least
      AND negatives >= negatives_at_least
      AND negatives >= times_expected_at_least * greatest(expected, expected_at_least)
      AND negatives / mentions >= share + share_above_at_least
), scored AS (
    SELECT *,
           sqrt(2 * (negatives * ln(negatives / mu)
                     - (negatives + size) * ln((negatives + size) / (mu + size)))) AS count_score,
           sqrt(2 * mentions / inflation * (
               negative_share * ln(negative_share / expected_share)
               + CASE WHEN negative_share < 1
                      THEN (1 - negative_share) * ln((1 - negative_share) / (1 - expected_share)) ELSE 0 END
           )) AS share_score
    FROM suspect
)
SELECT brand, hour, window_hours, CAST(negatives AS BIGINT) AS negatives, expected,
       CAST(mentions AS BIGINT) AS mentions, negative_share, expected_share, least(count_score, share_score) AS score
FROM scored
WHERE score >= (SELECT score_at_least FROM params)
QUALIFY row_number() OVER (PARTITION BY brand, hour ORDER BY score DESC, window_hours) = 1
ORDER BY brand, hour
