-- brands: the brands listened for, whom they are compared with, and who owns what is said about them.
-- Grain:   one row per brand in listening.toml when the snapshot was published.
-- Reads:   lake.brands.
-- Read by: the data team, advocates, consistency, contagion, coverage_in, employer, friction, hotspots,
--          recoveries_as_of, recovery, switching_flows, word_of_mouse, amplification, accountability, unowned,
--          silent_feeds, competitor_spikes, markets.
SELECT *
FROM lake.brands
