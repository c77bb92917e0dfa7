-- speakers_in(brand, since, as_of): who spoke of a brand in a period.
-- Grain:   one row per brand and speaker.
-- Reads:   brand_speakers, said_in, span, advice_of.
-- Read by: advocates, switching_flows, word_of_mouse.
-- Takes:   brand (NULL: every brand), since and as_of, as trend.
-- Method:  who spoke, as known now, lies ready in the mart brand_speakers; as known earlier, it is counted from opinions.
-- Columns: brand, speaker, is_author, is_judged (intents of something it said were judged), act (of the period the last,
--          as brand_speakers has it)
CREATE OR REPLACE MACRO speakers_in(brand, since, as_of) AS TABLE
SELECT told.brand, told.speaker, told.is_author, coalesce(told.last_judged_hour >= asked.starts, false) AS is_judged,
       CASE WHEN told.last_act_hour >= asked.starts THEN told.last_act END AS act
FROM brand_speakers AS told, span(since, as_of) AS asked
WHERE as_of IS NULL AND (brand IS NULL OR told.brand = brand) AND told.last_hour >= asked.starts
UNION ALL
SELECT heard.brand, heard.speaker, bool_or(heard.author IS NOT NULL), bool_or(heard.intents IS NOT NULL),
       arg_max(heard.act, 4 * epoch_us(heard.published_at) + heard.act) FILTER (heard.act <> 0)
FROM (
    SELECT said.*, advice_of(said.intents) AS act
    FROM said_in(brand, since, as_of) AS said
    WHERE as_of IS NOT NULL
) AS heard
GROUP BY heard.brand, heard.speaker
