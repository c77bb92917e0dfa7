-- silent_feeds: feeds of listening.toml from which nothing comes any more.
-- Grain:   one row per brand and feed that may name it.
-- Reads:   feed_health, brands, lake.snapshot.
-- Read by: warehouse/noticing.py.
-- Takes:   $brands, names.
-- Method:  a feed is silent that was tried, and has not answered for 24 hours; or that answers, and has brought nothing
--          for as long as 10 posts usually take it, and 24 hours at least: by chance that happens once in 20,000 times.
-- Columns: brand, feed, source, since (when it was last heard), error (of the last visit; NULL: it answers, and has
--          nothing), usual_posts_per_day (NULL: not known)
WITH params AS (
    SELECT INTERVAL 24 HOURS AS patience, 10 AS posts_missed
)
SELECT listed.brand, heard.feed, heard.source,
       CASE WHEN heard.last_success_at < snapshot.published_at - params.patience
            THEN heard.last_success_at ELSE heard.newest_post_at END AS since,
       CASE WHEN heard.last_success_at < snapshot.published_at - params.patience
            THEN coalesce(heard.last_error, heard.last_outcome) END AS error,
       heard.usual_posts_per_day
FROM feed_health AS heard
JOIN brands AS listed ON coalesce(heard.about, listed.brand) = listed.brand, params, lake.snapshot AS snapshot
WHERE list_contains($brands, listed.brand) AND heard.is_configured
  AND ((heard.last_success_at < snapshot.published_at - params.patience AND heard.last_visit_at > heard.last_success_at)
       OR (heard.last_success_at >= snapshot.published_at - params.patience
           AND heard.newest_post_at < snapshot.published_at - params.patience
           AND epoch(snapshot.published_at - heard.newest_post_at) / 86400 * heard.usual_posts_per_day
               >= params.posts_missed))
ORDER BY listed.brand, heard.feed
