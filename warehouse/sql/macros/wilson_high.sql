-- wilson_high(hits, trials): the upper end of the 95 % interval of a share.
-- Grain:   a number from 0 to 1; NULL if there were no trials.
-- Reads:   wilson_low.
-- Read by: share_of_voice, hotspots, friction, switching_flows, word_of_mouse, kaplan_meier_high,
--          what_grew.
-- Method:  as wilson_low, from the other side.
CREATE OR REPLACE MACRO wilson_high(hits, trials) AS
    1 - wilson_low(trials - hits, trials)
