-- kaplan_meier_low(staying, greenwood, n): the lower end of the 95 % interval of 1 - a Kaplan-Meier estimate.
-- Grain:   a number from 0 to 1.
-- Reads:   wilson_low.
-- Read by: recovery, accountability.
-- Takes:   staying, the estimate; greenwood, the sum of d / (n (n - d)) over its steps.
-- Method:  log-log interval (Kalbfleisch & Prentice 1980), which stays within 0 and 1. Where nobody or everybody came
--          round it has no width, and that of a share of n stands for it (Wilson).
CREATE OR REPLACE MACRO kaplan_meier_low(staying, greenwood, n) AS
    CASE WHEN staying > 0 AND staying < 1 THEN 1 - staying ^ exp(-1.96 * sqrt(greenwood) / abs(ln(staying)))
         WHEN staying <= 0 THEN wilson_low(n, n) ELSE 0.0 END
