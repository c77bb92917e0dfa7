-- #warn: of what a feed brought in 24 hours, a column is NULL far oftener than before: has its source changed format?
-- Warns:  the posts are real; what is built on the column says less, and a figure of it is not wrong.
-- Reads:  lake.posts, lake.snapshot, grown_z.
-- Method: readings of one kind fetched in the last 24 hours, 30 at least, against those of the 28 days before, 100 at
--         least. Told if the share of NULL grew by a quarter or more, and beyond chance (5 standard deviations). What
--         few posts have anyway, such as an answered or a quoted post, is not looked at.
WITH params AS (
    SELECT 30 AS posts_at_least, 100 AS posts_before_at_least, 0.25 AS grown_at_least, 5 AS deviations_at_least
), counted AS (
    SELECT feed, kind, read.fetched_at > snapshot.published_at - INTERVAL 24 HOURS AS is_new, count(*) AS posts,
           count(url) AS url, count(title) AS title, count("language") AS "language", count(author) AS author,
           count(author_followers) AS author_followers, count(likes) AS likes, count(replies) AS replies,
           count(shares) AS shares, count("views") AS "views", count(rating) AS rating
    FROM lake.posts AS read, lake.snapshot AS snapshot
    WHERE NOT deleted AND read.fetched_at > snapshot.published_at - INTERVAL 29 DAYS
    GROUP BY ALL
), of_columns AS (
    UNPIVOT counted
    ON url, title, "language", author, author_followers, likes, replies, shares, "views", rating
    INTO NAME column_name VALUE filled
), compared AS (
    SELECT feed, kind, column_name,
           sum(posts) FILTER (is_new) AS posts, sum(posts - filled) FILTER (is_new) AS nulls,
           sum(posts) FILTER (NOT is_new) AS posts_before, sum(posts - filled) FILTER (NOT is_new) AS nulls_before
    FROM of_columns
    GROUP BY feed, kind, column_name
)
SELECT feed, kind, column_name, nulls / posts AS null_share, nulls_before / posts_before AS null_share_before,
       CAST(posts AS BIGINT) AS posts
FROM compared, params
WHERE posts >= posts_at_least AND posts_before >= posts_before_at_least
  AND nulls / posts - nulls_before / posts_before >= grown_at_least
  AND grown_z(nulls, posts, nulls_before, posts_before) >= deviations_at_least
