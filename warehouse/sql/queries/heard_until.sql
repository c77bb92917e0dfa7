-- heard_until: until when each brand was heard, for silence after that is no calm.
-- Grain:   one row per brand in listening.toml when the snapshot was published.
-- Reads:   lake.brands, lake.feeds, lake.visits, lake.snapshot.
-- Read by: dags/watching.py.
-- Method:  the last answered visit to a feed that may name the brand, but for those that look for nothing new
--          (backfills, second looks at kept posts). Where no visit is known, as of files from elsewhere, until the
--          snapshot was published.
-- Columns: brand, heard_until
SELECT listed.brand,
       least(coalesce(max(visit.started_at), any_value(snapshot.published_at)), any_value(snapshot.published_at))
           AS heard_until
FROM lake.snapshot AS snapshot, lake.brands AS listed
LEFT JOIN lake.feeds AS feed ON coalesce(feed.about, listed.brand) = listed.brand
LEFT JOIN lake.visits AS visit ON visit.feed = feed.feed AND visit.is_answer AND visit.next_visit_at IS NOT NULL
GROUP BY listed.brand
ORDER BY listed.brand
