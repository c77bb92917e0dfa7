-- is_of_billing(stage, aspects): whether a mention speaks of billing.
-- Grain:   true or false.
-- Read by: voices, voices_in.
-- Takes:   stage and aspects, as mentions has them.
CREATE OR REPLACE MACRO is_of_billing(stage, aspects) AS
    coalesce(stage = 'pay', false)
        OR coalesce(list_contains(list_transform(aspects, lambda found: found.aspect), 'billing'), false)
