-- #warn: a person corrected a mention that nlp does not find now, so that word counts for nothing: does listening.toml
--        still name the brand as this post does?
-- Warns:  the rest stands, and the word is kept for when the brand is found again.
-- Reads:  lake.corrections, lake.brands, lake.posts, lake.mentions.
-- Method: of brands in listening.toml, and of posts that stand: what was taken down or is no longer kept is no loss.
WITH standing AS (
    SELECT post_id, brand, "column", "by", "at"
    FROM lake.corrections
    SEMI JOIN lake.brands USING (brand)
    WHERE is_standing
), of_posts AS (
    SELECT post_id, version
    FROM lake.posts
    WHERE post_id IN (SELECT post_id FROM standing) AND is_current AND NOT deleted
), found AS (
    SELECT post_id, version, brand
    FROM lake.mentions
    WHERE post_id IN (SELECT post_id FROM standing)
)
SELECT standing.post_id, standing.brand, standing."column", standing."by", standing."at"
FROM standing
JOIN of_posts ON of_posts.post_id = standing.post_id
ANTI JOIN found
  ON found.post_id = standing.post_id AND found.version = of_posts.version AND found.brand = standing.brand
