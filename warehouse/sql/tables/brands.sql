-- lake.brands: the brands of listening.toml when the snapshot was published.
-- Grain:   one row per brand.
-- Reads:   arrived_brands.
-- Read by: brands, heard_until, the checks.
SELECT *
FROM arrived_brands
