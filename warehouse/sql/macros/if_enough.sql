-- if_enough(figure, mentions): a figure, where there are mentions enough for it to say something.
-- Grain:   the figure; NULL below 5 mentions.
-- Read by: brand_days, trend, share_of_voice, word_of_mouse, advocates, aspect_days, consistency, contagion, employer,
--          friction, hotspots, recovery, switching_flows, what_grew, amplification, accountability.
-- Method:  of fewer than 5, one voice more or less moves a share by a fifth or more.
CREATE OR REPLACE MACRO if_enough(figure, mentions) AS
    CASE WHEN mentions >= 5 THEN figure END
