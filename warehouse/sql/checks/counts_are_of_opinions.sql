-- #warn: the hours of a brand do not sum up its opinions: a mistake of ours; `wom publish --rebuild` may mend it
-- Warns:  both are shown, and --verify has to be able to tell how they differ.
-- Reads:  brand_hours, opinions.
SELECT coalesce(hours.brand, said.brand) AS brand, coalesce(hours.mentions, 0) AS mentions_of_hours,
       coalesce(said.mentions, 0) AS mentions_of_opinions
FROM (SELECT brand, CAST(sum(mentions) AS BIGINT) AS mentions FROM brand_hours GROUP BY brand) AS hours
FULL JOIN (SELECT brand, count(*) AS mentions FROM opinions WHERE known_until IS NULL GROUP BY brand) AS said
  ON said.brand = hours.brand
WHERE hours.mentions IS DISTINCT FROM said.mentions
