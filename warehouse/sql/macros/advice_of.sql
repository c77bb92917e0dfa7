-- advice_of(intents): whether a mention recommends a brand or warns others off.
-- Grain:   1: recommends it; -1: warns off; 0: neither, or both, or intents were not judged.
-- Read by: brand_speakers, speakers_in.
-- Takes:   intents, as mentions has them.
CREATE OR REPLACE MACRO advice_of(intents) AS
    CAST(coalesce(list_contains(intents, 'recommend'), false) AS INT)
        - CAST(coalesce(list_contains(intents, 'warn_off'), false) AS INT)
