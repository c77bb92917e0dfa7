-- wilson_low(hits, trials): the lower end of the 95 % interval of a share.
-- Grain:   a number from 0 to 1; NULL if there were no trials.
-- Read by: net_sentiment_low, net_sentiment_high, share_of_voice, friction, hotspots, kaplan_meier_low,
--          switching_flows, what_grew, wilson_high, word_of_mouse.
-- Method:  Wilson score interval, z = 1.96 (E. B. Wilson 1927); unlike the textbook one it stays within 0 and 1 and
--          holds for few trials. It takes the trials as independent, which reposts are not.
--          The upper end is 1 - wilson_low(trials - hits, trials).
CREATE OR REPLACE MACRO wilson_low(hits, trials) AS
    CASE WHEN trials > 0 THEN greatest(0.0,
        (hits / trials + 1.96 ^ 2 / (2 * trials)
            - 1.96 * sqrt(hits / trials * (1 - hits / trials) / trials + 1.96 ^ 2 / (4 * trials ^ 2)))
        / (1 + 1.96 ^ 2 / trials)) END
