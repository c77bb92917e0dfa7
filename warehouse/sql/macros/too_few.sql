-- too_few(n): why a figure of n cannot be told.
-- Grain:   words; NULL where there are enough.
-- Read by: trend, share_of_voice, word_of_mouse, hotspots, advocates, contagion, friction, employer, switching_flows,
--          recovery, what_grew, amplification.
-- Method:  the floor is 5, as in if_enough.
CREATE OR REPLACE MACRO too_few(n) AS
    CASE WHEN coalesce(n, 0) = 0 THEN 'nothing was heard' WHEN n < 5 THEN 'fewer than 5' END
