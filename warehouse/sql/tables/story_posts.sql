-- lake.story_posts: which posts tell one story: reposts, wire copies, a quote with two words added.
-- Grain:   one row per (post_id, version) whose story more than one post tells. A text that is not here, because
--          nobody else has it or because it is too short to tell, is a story of its own, named by its post_id.
-- Parts:   post_id; of all posts that may share a story (warehouse/story_neighbours.py)
-- Reads:   lake.mentions, lake.posts.
-- Read by: mentions, opinions, retold, the checks.
-- Method:  two texts are one story if they name a brand in common and their signatures (nlp/signature.py) agree in so
--          many of their 64 bytes that they share an estimated 0.65 of their shingles, bytes of chance taken off; and
--          so on from each to the next, to a fixed point (connected components). Compared are those that agree in
--          one of 16 bands of 4 bytes: of two texts that share 0.65, 0.7 and 0.8 of their shingles, that meets 95, 99
--          and 100 in 100. Boilerplate makes bands that thousands of texts have: in those each is compared with the
--          first and with its neighbour, in the order of signatures, where equals lie side by side. Every reading
--          takes part, edited and deleted ones too: a story keeps its name when its first post is taken down, and a
--          figure of yesterday its units. Chosen on half of tests/warehouse/data/stories.jsonl.
-- Columns:
--   post_id: the post
--   version: the post's version that carries the text
--   story_id: post_id of its first post: the least (published_at, post_id)
WITH RECURSIVE params AS (
    SELECT 0.65 AS alike_at_least, 24 AS crowd_at_most
), texts AS MATERIALIZED (
    SELECT row_number() OVER () AS node, brand, hash(brand) AS brand_hash, TRY(decode(signature)) AS signature, posts
    FROM (SELECT brand, signature, count(*) AS posts FROM lake.mentions GROUP BY brand, signature)
    WHERE octet_length(signature) = 64 AND length(TRY(decode(signature))) = 64
), bands AS (
    SELECT node, hash(brand_hash, band, substr(signature, 4 * band + 1, 4)) AS bucket
    FROM texts, range(16) AS numbers(band)
), meetings AS MATERIALIZED (  -- counted in a window: to group, and join what was counted, costs twice as much
    SELECT bucket, node, count(*) OVER (PARTITION BY bucket) AS size
    FROM bands
    QUALIFY size > 1
), crowds AS (
    SELECT meetings.node,
           unnest([lag(meetings.node) OVER by_text, first_value(meetings.node) OVER by_text]) AS other
    FROM meetings
    JOIN texts ON texts.node = meetings.node
    WHERE meetings.size > (SELECT crowd_at_most FROM params)
    WINDOW by_text AS (PARTITION BY meetings.bucket ORDER BY texts.signature, texts.node)
), proposed AS (
    SELECT one.node, two.node AS other
    FROM meetings AS one
    JOIN meetings AS two ON two.bucket = one.bucket AND two.node > one.node
    WHERE one.size <= (SELECT crowd_at_most FROM params)
    UNION
    SELECT least(node, other), greatest(node, other)
    FROM crowds
    WHERE other <> node
), compared AS MATERIALIZED (  -- apart: all of a brand's texts with one another would be too many pairs
    SELECT proposed.node, proposed.other, one.brand, one.signature
    FROM proposed
    JOIN texts AS one ON one.node = proposed.node
), alike AS MATERIALIZED (
    SELECT compared.node, compared.other
    FROM compared
    JOIN texts AS two ON two.node = compared.other
    WHERE compared.brand = two.brand  -- hashes may agree by chance
      AND (64 - hamming(compared.signature, two.signature) - 64 / 128) / (64 - 64 / 128)
          >= (SELECT alike_at_least FROM params)
), shared AS (
    SELECT node, brand, encode(signature) AS signature
    FROM texts
    WHERE posts > 1 OR node IN (SELECT node FROM alike UNION ALL SELECT other FROM alike)
), placed AS MATERIALIZED (
    SELECT found.post_id, found.version, shared.node
    FROM lake.mentions AS found
    JOIN shared ON shared.signature = found.signature AND shared.brand = found.brand
), one_text AS (  -- under each of the brands that it names
    SELECT min(node) AS node, unnest(list(node)) AS other
    FROM placed
    GROUP BY post_id, version
    HAVING count(*) > 1
), edges AS MATERIALIZED (
    SELECT node, other FROM alike
    UNION
    SELECT other, node FROM alike
    UNION
    SELECT node, other FROM one_text
    UNION
    SELECT other, node FROM one_text
), reached(node, root) USING KEY (node) AS (
    SELECT DISTINCT node, node
    FROM edges
    UNION
    SELECT edges.other, min(reached.root)
    FROM reached
    JOIN edges ON edges.node = reached.node
    JOIN recurring.reached AS before ON before.node = edges.other
    WHERE reached.root < before.root
    GROUP BY edges.other
), told AS (
    SELECT DISTINCT coalesce(reached.root, placed.node) AS root, placed.post_id, placed.version, reading.published_at
    FROM placed
    LEFT JOIN reached ON reached.node = placed.node
    JOIN lake.posts AS reading ON reading.post_id = placed.post_id AND reading.is_current
)
SELECT post_id, version, first_value(post_id) OVER (PARTITION BY root ORDER BY published_at, post_id) AS story_id
FROM told
WINDOW same_root AS (PARTITION BY root)
QUALIFY min(post_id) OVER same_root < max(post_id) OVER same_root
ORDER BY post_id, version
