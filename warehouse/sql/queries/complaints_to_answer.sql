-- complaints_to_answer: complaints that nobody answered, of people who are heard by many or complain again and again.
-- Grain:   one row per brand and author: the last complaint; of each brand the weightiest 5.
-- Reads:   recoveries, opinions, mentions, lake.snapshot.
-- Read by: warehouse/noticing.py.
-- Takes:   $brands, names.
-- Method:  complaints of the last 72 hours, though not of the last 3, in which somebody may still answer. Where the
--          source does not tell of answers, nobody knows: such are left out. Heard by many: more followers or views
--          than 19 of 20 mentions of the brand at that source in 90 days, and 1,000 at least. Again and again: 3
--          complaints of the brand in 30 days. Who has come round since complains no more.
-- Columns: brand, author, post_id, published_at, aspect, complaints (in 30 days), reach (NULL: not told), is_heard,
--          words, url, source
WITH params AS (
    SELECT INTERVAL 72 HOURS AS shown, INTERVAL 3 HOURS AS patience, INTERVAL 90 DAYS AS compared,
           1000 AS reach_at_least, 3 AS complaints_at_least, INTERVAL 30 DAYS AS repeated_within, 5 AS at_most
), usual AS (
    SELECT said.brand, said.source, quantile_cont(said.reach, 0.95) AS reach
    FROM opinions AS said, params, lake.snapshot AS snapshot
    WHERE list_contains($brands, said.brand) AND said.known_until IS NULL
      AND said.hour >= snapshot.hour - params.compared
    GROUP BY said.brand, said.source
), last AS (
    SELECT complaint.*, row_number() OVER (PARTITION BY complaint.brand, complaint.author
                                           ORDER BY complaint.complained_at DESC, complaint.post_id) AS place,
           count(*) OVER (PARTITION BY complaint.brand, complaint.author) AS complaints
    FROM recoveries AS complaint, params, lake.snapshot AS snapshot
    WHERE list_contains($brands, complaint.brand)
      AND complaint.complained_at >= snapshot.published_at - params.repeated_within
), weighed AS (
    SELECT last.brand, last.author, last.post_id, last.complained_at AS published_at, last.aspect, last.complaints,
           said.reach,
           coalesce(said.reach > usual.reach AND said.reach >= params.reach_at_least, false) AS is_heard
    FROM last
    JOIN opinions AS said ON said.post_id = last.post_id AND said.brand = last.brand AND said.known_until IS NULL
    LEFT JOIN usual ON usual.brand = last.brand AND usual.source = said.source,
         params, lake.snapshot AS snapshot
    WHERE last.place = 1 AND last.is_answered = false AND last.recovered_at IS NULL
      AND last.complained_at >= snapshot.published_at - params.shown
      AND last.complained_at <= snapshot.published_at - params.patience
)
SELECT weighed.*, coalesce(nullif(mentions.text, ''), mentions.title, '') AS words, mentions.url, mentions.source
FROM weighed
JOIN mentions ON mentions.post_id = weighed.post_id AND mentions.brand = weighed.brand, params
WHERE weighed.is_heard OR weighed.complaints >= params.complaints_at_least
QUALIFY row_number() OVER (PARTITION BY weighed.brand
                           ORDER BY weighed.is_heard DESC, weighed.reach DESC NULLS LAST, weighed.complaints DESC,
                                    weighed.post_id) <= any_value(params.at_most) OVER ()
ORDER BY weighed.brand, weighed.author
