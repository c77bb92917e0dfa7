-- unit_key(unit, speaker, story_id, post_id, hour): what makes two mentions of a brand count as one.
-- Grain:   a number; mentions of a brand with the same one are the same unit.
-- Read by: counts, units_in.
-- Takes:   unit: mention, story or author; NULL: a voice, which is an author telling a story on a day.
CREATE OR REPLACE MACRO unit_key(unit, speaker, story_id, post_id, hour) AS
    CASE WHEN unit IS NULL THEN hash(speaker, story_id, CAST(hour AS DATE))
         WHEN unit = 'mention' THEN hash(post_id)
         WHEN unit = 'story' THEN hash(story_id)
         WHEN unit = 'author' THEN hash(speaker)
         ELSE CAST('unit is mention, story, author or NULL, not ' || unit AS UBIGINT) END  -- fails, and says why
