-- recoveries: complaints, and whether those who made them came round: from complaint to "wow".
-- Grain:   one row per (post_id, brand) that complains and has an author.
-- Parts:   brand, speaker AS author
-- Built:   a few brands at a time; from opinions, which lie brand by brand
-- Reads:   recoveries_as_of.
-- Read by: the data team, recovery, accountability, complaints_to_answer.
-- Method:  as recoveries_as_of says.
-- Columns:
--   author: pseudonym of who complains
--   complained_at: the post's time
--   aspect: the first aspect complained of; NULL if none was found
--   owner: who owns that aspect in listening.toml; NULL if nobody does
--   is_answered: somebody answered the complaint in public; NULL if the source does not tell
--   recovered_at: when the author next spoke for the brand; NULL if not since
--   won_at: when the author next recommended it or was strongly for it; NULL if not since
--   last_seen_at: when the author was last heard to speak of the brand
--   complained_before_at: when the author had last complained of the brand before; NULL if never
FROM recoveries_as_of(NULL)
ORDER BY brand, complained_at, post_id
