-- signatures_of_brands($first, $last): the brand and signature of each mention of the brands from one to another, by
-- name, as far as it is long enough to tell a story by.
-- Grain:   one row per mention.
-- Reads:   lake.mentions.
-- Read by: warehouse/alike_texts.py.
SELECT brand, signature
FROM lake.mentions
WHERE brand BETWEEN $first AND $last AND octet_length(signature) = 64 AND length(TRY(decode(signature))) = 64
