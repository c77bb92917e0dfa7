-- recoveries_as_of(as_of, since): complaints, and what became of those who made them, as was known at a time.
-- Grain:   one row per (post_id, brand) that complains and has an author.
-- Reads:   opinions, brands, is_known.
-- Read by: recoveries, recovery.
-- Takes:   as_of, a TIMESTAMP in UTC (NULL: now); since, a TIMESTAMP in UTC: what was said before does not count (NULL:
--          all does).
-- Method:  a complaint has the intent complain, or, where intents were not judged, speaks against the brand. Its author
--          has recovered with the next mention that speaks for the brand (a resolution has no label of its own), and is
--          won over with the next that recommends it or is for it with a probability of 0.9 or more. The owner is that
--          of the first aspect complained of which has one in listening.toml, else the default. Whether the brand
--          itself answered the lake cannot tell (see opinions): is_answered is true where anybody did.
-- Columns: brand, author, post_id, complained_at, aspect, owner, is_answered, recovered_at, won_at, last_seen_at,
--          complained_before_at
CREATE OR REPLACE MACRO recoveries_as_of(as_of, since := NULL) AS TABLE
WITH said AS (
    SELECT heard.brand, heard.author, heard.post_id, heard.published_at, heard.aspects, heard.replies,
           coalesce(list_contains(heard.intents, 'complain'), heard.sentiment = -1, false) AS complains,
           coalesce(heard.sentiment = 1, false) AND NOT coalesce(list_contains(heard.intents, 'complain'), false)
               AS is_for,
           coalesce(list_contains(heard.intents, 'recommend'), false)
               OR coalesce(heard.sentiment = 1 AND heard.p_positive >= 0.9, false) AS is_won
    FROM opinions AS heard
    WHERE heard.author IS NOT NULL AND is_known(heard.known_from, heard.known_until, as_of)
      AND (since IS NULL OR heard.hour >= CAST(since AS TIMESTAMP) - INTERVAL 1 HOUR)  -- of times a little ahead of their reading, too
), followed AS (
    SELECT said.*,
           min(said.published_at) FILTER (said.is_for OR said.is_won) OVER later AS recovered_at,
           min(said.published_at) FILTER (said.is_won) OVER later AS won_at,
           max(said.published_at) OVER (PARTITION BY said.brand, said.author) AS last_seen_at,
           max(said.published_at) FILTER (said.complains) OVER earlier AS complained_before_at
    FROM said
    WINDOW later AS (PARTITION BY said.brand, said.author ORDER BY said.published_at, said.post_id
                     ROWS BETWEEN 1 FOLLOWING AND UNBOUNDED FOLLOWING),
           earlier AS (PARTITION BY said.brand, said.author ORDER BY said.published_at, said.post_id
                       ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)
), owned AS (
    SELECT followed.*, listed.owners,
           list_transform(list_filter(followed.aspects, lambda found: found.sentiment < 0), lambda found: found.aspect)
               AS against
    FROM followed
    LEFT JOIN brands AS listed ON listed.brand = followed.brand
    WHERE followed.complains
)
SELECT owned.brand, owned.author, owned.post_id, owned.published_at AS complained_at, owned.against[1] AS aspect,
       coalesce(
           owned.owners[list_filter(owned.against, lambda one: list_contains(map_keys(owned.owners), one))[1]],
           owned.owners['default']) AS owner,
       owned.replies > 0 AS is_answered, owned.recovered_at, owned.won_at, owned.last_seen_at,
       owned.complained_before_at
FROM owned
