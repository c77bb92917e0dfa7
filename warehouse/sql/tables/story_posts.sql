-- lake.story_posts: which posts tell one story: reposts, wire copies, a quote with two words added.
-- Grain:   one row per (post_id, version) whose story more than one post tells. A text that is not here, because
--          nobody else has it or because it is too short to tell, is a story of its own, named by its post_id.
-- Parts:   post_id; of all posts that may share a story (warehouse/story_neighbours.py)
-- Reads:   lake.mentions, lake.posts; alike_texts, which warehouse/alike_texts.py gives while the file is built.
-- Read by: mentions, opinions, retold, the checks.
-- Method:  posts are of one story if they carry texts that are alike (warehouse/alike_texts.py says which), and so on
--          from each to the next, to a fixed point (connected components). Every reading takes part, edited and deleted
--          ones too: a story keeps its name when its first post is taken down, and a figure of yesterday its units.
-- Columns:
--   post_id: the post
--   version: the post's version that carries the text
--   story_id: post_id of its first post: the least (published_at, post_id)
WITH RECURSIVE alike AS (
    SELECT node, unnest(alike) AS other
    FROM alike_texts
), placed AS MATERIALIZED (
    SELECT found.post_id, found.version, text.node
    FROM lake.mentions AS found
    JOIN alike_texts AS text ON text.signature = found.signature AND text.brand = found.brand
), one_text AS (  -- under each of the brands that it names
    SELECT min(node) AS node, unnest(list(node)) AS other
    FROM placed
    GROUP BY post_id, version
    HAVING count(*) > 1
), edges AS MATERIALIZED (
    SELECT node, other FROM alike
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
