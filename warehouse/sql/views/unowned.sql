-- unowned: what people say against brands in the last 30 days that nobody has to act on.
-- Grain:   one row per brand of listening.toml and aspect that is complained of and has no owner; aspect NULL: no
--          aspect was found, and the brand has no default owner. None for brands with a default owner, who has the
--          rest.
-- Reads:   brands, opinions, complained_of, lake.snapshot.
-- Read by: the data team.
-- Method:  mentions of the 30 days before the snapshot. One that complains of several aspects counts for each of them
--          that nobody owns.
-- Columns:
--   negatives: mentions against the aspect; of no aspect, against the brand
--   authors: different authors of them; posts without one do not count
--   share: of all mentions against the brand in that time, those that have this part; NULL below 5
--   last_at: when the last of them was published, UTC
WITH params AS (
    SELECT INTERVAL 30 DAYS AS looked_back
), without_default AS (
    SELECT brand, map_keys(owners) AS owned
    FROM brands
    WHERE NOT list_contains(map_keys(owners), 'default')
), against AS (
    SELECT without_default.brand, without_default.owned, said.author, said.published_at,
           complained_of(said.aspects) AS aspects
    FROM without_default
    JOIN opinions AS said ON said.brand = without_default.brand, params, lake.snapshot AS snapshot
    WHERE said.sentiment = -1 AND said.known_until IS NULL AND said.hour >= snapshot.hour - params.looked_back
), opened AS (
    SELECT brand, owned, author, published_at, count(*) OVER (PARTITION BY brand) AS all_negatives,
           CASE WHEN len(aspects) > 0 THEN aspects ELSE [NULL] END AS aspects
    FROM against
)
SELECT brand, aspect, count(*) AS negatives, count(DISTINCT author) AS authors,
       CASE WHEN any_value(all_negatives) >= 5 THEN count(*) / any_value(all_negatives) END AS share,
       max(published_at) AS last_at
FROM (SELECT * EXCLUDE (aspects), unnest(aspects) AS aspect FROM opened)
WHERE NOT coalesce(list_contains(owned, aspect), false)
GROUP BY brand, aspect
