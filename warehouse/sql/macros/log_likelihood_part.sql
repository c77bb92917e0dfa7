-- log_likelihood_part(seen, expected): what one cell of a table adds to its log-likelihood ratio.
-- Grain:   a number; 0 where nothing was seen.
-- Read by: grown_z.
CREATE OR REPLACE MACRO log_likelihood_part(seen, expected) AS
    CASE WHEN seen > 0 THEN seen * ln(seen / expected) ELSE 0.0 END
