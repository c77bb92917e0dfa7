-- #warn: there are mentions of a brand that listening.toml does not name. Was it renamed or removed? They go once `wom
--        enrich` has read all posts for the brands of now
-- Warns:  nothing is lost, and until then the old name is the one to ask for.
-- Reads:  brand_days, lake.brands.
SELECT brand, CAST(sum(mentions) AS BIGINT) AS mentions, max(day) AS last_day
FROM brand_days
ANTI JOIN lake.brands USING (brand)
GROUP BY brand
