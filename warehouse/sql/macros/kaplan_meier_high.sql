-- kaplan_meier_high(staying, greenwood, n): the upper end of the 95 % interval of 1 - a Kaplan-Meier estimate.
-- Grain:   a number from 0 to 1.
-- Reads:   wilson_high.
-- Read by: recovery, accountability.
-- Takes:   as kaplan_meier_low.
-- Method:  as kaplan_meier_low, from the other side.
CREATE OR REPLACE MACRO kaplan_meier_high(staying, greenwood, n) AS
    CASE WHEN staying > 0 AND staying < 1 THEN 1 - staying ^ exp(1.96 * sqrt(greenwood) / abs(ln(staying)))
         WHEN staying <= 0 THEN 1.0 ELSE wilson_high(0, n) END
