-- grown_z(n, whole, n_before, whole_before): how surely a share grew, beyond chance.
-- Grain:   a number, about a standard normal deviate: beyond 1.96 it grew, below -1.96 it fell; NULL below 5 of either
--          whole.
-- Reads:   log_likelihood_part.
-- Read by: what_grew, rising_aspects, the checks.
-- Method:  signed root of the log-likelihood ratio of two shares (Dunning 1993), which holds for rare things too: what
--          was never said before has no log odds. It takes the mentions as independent, which reposts are not.
CREATE OR REPLACE MACRO grown_z(n, whole, n_before, whole_before) AS
    CASE WHEN whole >= 5 AND whole_before >= 5 THEN
        sign(n / whole - n_before / whole_before) * sqrt(2 * greatest(0.0,
            log_likelihood_part(n, (n + n_before) * whole / (whole + whole_before))
            + log_likelihood_part(n_before, (n + n_before) * whole_before / (whole + whole_before))
            + log_likelihood_part(whole - n, (whole + whole_before - n - n_before) * whole / (whole + whole_before))
            + log_likelihood_part(whole_before - n_before,
                                  (whole + whole_before - n - n_before) * whole_before / (whole + whole_before)))) END
