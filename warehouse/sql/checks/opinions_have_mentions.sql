-- #fail: an opinion that is counted is of a mention that the lake does not hold, or of a post that was taken down: a
--        mistake of ours; `wom publish --rebuild` may mend it
-- Fails:  words that somebody took back, or that were erased, would be counted on.
-- Reads:  opinions, lake.mentions.
-- Scope:  rows
SELECT said.post_id, said.version, said.brand, said.known_until
FROM opinions AS said
LEFT JOIN lake.mentions AS found
  ON found.post_id = said.post_id AND found.version = said.version AND found.brand = said.brand
WHERE found.post_id IS NULL OR (said.known_until IS NULL AND NOT found.is_current)
