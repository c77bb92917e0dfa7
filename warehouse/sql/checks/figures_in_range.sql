-- #fail: a figure of a day or spike lies beyond what it can be: a mistake of ours; `wom publish --rebuild` may mend it
-- Fails:  it would be quoted.
-- Reads:  brand_hours, brand_days, aspect_days, reach_days, negative_spikes.
-- Method: counts make up their whole; net sentiment lies between -1 and 1 and in its interval, shares between 0 and 1.
SELECT 'brand_hours' AS mart, brand, NULL AS aspect, CAST(hour AS VARCHAR) AS at, mentions, NULL AS figure, coverage
FROM brand_hours
WHERE positives + negatives + neutrals + unknowns <> mentions OR authors NOT BETWEEN 0 AND mentions
   OR least(positives, negatives, neutrals, unknowns) < 0
   OR voices_positive + voices_negative + voices_neutral + voices_unknown <> voices
   OR coverage NOT BETWEEN 0 AND 1
UNION ALL
SELECT 'brand_days', brand, NULL, CAST(day AS VARCHAR), mentions, net_sentiment, coverage
FROM brand_days
WHERE positives + negatives + neutrals + unknowns <> mentions OR authors NOT BETWEEN 0 AND mentions
   OR NOT (-1 <= net_sentiment_low AND net_sentiment_low <= net_sentiment + 1e-9
           AND net_sentiment <= net_sentiment_high + 1e-9 AND net_sentiment_high <= 1)
   OR unknown_share NOT BETWEEN 0 AND 1 OR coverage NOT BETWEEN 0 AND 1
UNION ALL
SELECT 'aspect_days', brand, aspect, CAST(day AS VARCHAR), mentions, net_sentiment, NULL
FROM aspect_days
WHERE positives + negatives + neutrals > mentions OR authors NOT BETWEEN 0 AND mentions
   OR NOT (-1 <= net_sentiment_low AND net_sentiment_low <= net_sentiment + 1e-9
           AND net_sentiment <= net_sentiment_high + 1e-9 AND net_sentiment_high <= 1)
UNION ALL
SELECT 'reach_days', days.brand, NULL, CAST(days.day AS VARCHAR), coalesce(reached.mentions, 0), NULL, NULL
FROM brand_days AS days
LEFT JOIN (SELECT brand, day, sum(mentions) AS mentions FROM reach_days GROUP BY brand, day) AS reached
  ON reached.brand = days.brand AND reached.day = days.day
WHERE coalesce(reached.mentions, 0) <> days.mentions
UNION ALL
SELECT 'negative_spikes', brand, aspect, CAST(hour AS VARCHAR), mentions, negative_share, coverage
FROM negative_spikes
WHERE negatives NOT BETWEEN 0 AND mentions OR expected < 0
   OR negative_share NOT BETWEEN 0 AND 1 OR expected_share NOT BETWEEN 0 AND 1
