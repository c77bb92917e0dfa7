-- stories: what was said, told once: posts that carry the same text (reposts, wire copies, quotes) are one story.
-- Grain:   one row per story; most are told by one post.
-- Reads:   mentions, lake.posts.
-- Read by: the data team.
-- Method:  lake.story_posts says which posts are one. Posts that were taken down do not count, but a story keeps the
--          name that the first of them gave it.
-- Columns:
--   story_id: post_id of the first post
--   first_at: when the first post that still stands was published
--   last_at: when the last was
--   posts: how many posts tell it
--   authors: different authors among them; posts without one do not count
--   sources: where it was told, by name
--   brands: the brands it speaks of, by name; empty if none of the names means one
--   title: of the first post; NULL if it has none
--   text: of the first post
--   url: where a person can read the first post; NULL where the source gives no address
--   reach: followers or views of its tellers, whichever is more, each teller once; NULL if no post tells either
WITH told AS (
    SELECT story_id, post_id,
           any_value(coalesce(author, post_id)) AS speaker, any_value(author) AS author, any_value(source) AS source,
           any_value(published_at) AS published_at, any_value(greatest(author_followers, views)) AS reach,
           list(brand) FILTER (is_meant) AS brands
    FROM mentions
    GROUP BY story_id, post_id
), voiced AS (
    SELECT story_id, speaker,
           min((published_at, post_id)) AS first, max(published_at) AS last_at, count(*) AS posts,
           any_value(author) AS author, list(DISTINCT source) AS sources, flatten(list(brands)) AS brands,
           max(reach) AS reach
    FROM told
    GROUP BY story_id, speaker
), summed AS (
    SELECT story_id, min(first) AS first, max(last_at) AS last_at, CAST(sum(posts) AS BIGINT) AS posts,
           count(author) AS authors, flatten(list(sources)) AS sources, flatten(list(brands)) AS brands,
           CAST(sum(reach) AS BIGINT) AS reach
    FROM voiced
    GROUP BY story_id
)
SELECT summed.story_id, opening.published_at AS first_at, summed.last_at, summed.posts, summed.authors,
       list_sort(list_distinct(summed.sources)) AS sources,
       list_sort(list_distinct(coalesce(summed.brands, []))) AS brands,
       opening.title, opening.text, opening.url, summed.reach
FROM summed
JOIN lake.posts AS opening ON opening.post_id = summed.first[2] AND opening.is_current
