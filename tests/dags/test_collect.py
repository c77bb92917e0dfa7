"""Collecting: what feeds give is stored once, whatever becomes of the feed beside it."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from written_by_tests import rss, toml_of

from dags import stages
from dags.feed_state import load_state
from dags.settings import SettingsError
from dags.tombstones import tombstones
from listeners.feed import TakenDown
from warehouse.lake import Lake
from warehouse.tables import POSTS

XML = "application/rss+xml"


def stored(settings):
    """The texts in the lake's posts, one per row stored."""
    lake = stages.open_lake(settings)
    return sorted(row["title"] for path in lake.files("posts") for row in lake.read(path).to_pylist())


def outcome_of(visits):
    return {visit["feed"]: visit["outcome"] for visit in visits}


def test_posts_that_name_no_brand_are_counted_and_not_stored(feeds, settings_of):
    feeds.answers["/a.xml"] = (200, XML, rss(("1", "Acme lost my parcel"), ("2", "Nice weather")))
    settings = settings_of(toml_of({"a": f"{feeds.url}/a.xml"}))
    [visit] = stages.collect(settings)
    assert stored(settings) == ["Acme lost my parcel"]
    assert (visit["outcome"], visit["posts"], dict(visit["left_out"])) == ("new", 1, {"names no brand": 1})


def test_a_feed_about_a_brand_keeps_posts_that_do_not_name_it(feeds, settings_of):
    feeds.answers["/a.xml"] = (200, XML, rss(("1", "Five stars")))
    settings = settings_of(toml_of({"a": f'{feeds.url}/a.xml"\nabout = "Acme'}))
    stages.collect(settings)
    assert stored(settings) == ["Five stars"]


def test_a_second_visit_stores_only_what_is_new_or_edited(feeds, settings_of):
    settings = settings_of(toml_of({"a": f"{feeds.url}/a.xml"}))
    feeds.answers["/a.xml"] = (200, XML, rss(("1", "Acme is fine"), ("2", "Acme is ok")))
    stages.collect(settings)
    feeds.answers["/a.xml"] = (200, XML, rss(("1", "Acme is fine"), ("2", "Acme is bad"), ("3", "Acme is new")))
    [visit] = stages.collect(settings)
    assert stored(settings) == ["Acme is bad", "Acme is fine", "Acme is new", "Acme is ok"]
    assert dict(visit["left_out"]) == {"already stored": 1}


def test_one_feed_that_fails_stops_no_other(feeds, settings_of):
    feeds.answers["/good.xml"] = (200, XML, rss(("1", "Acme is fine")))
    feeds.answers["/page.xml"] = (200, "text/html", b"<!doctype html><html><body>Please log in</body></html>")
    feeds.answers["/broken.xml"] = (200, XML, b"<rss><channel><item><title>Acme")
    feeds.answers["/gone.xml"] = (410, "text/plain", b"")
    addresses = {name: f"{feeds.url}/{name}.xml" for name in ("good", "page", "broken", "gone")}
    settings = settings_of(toml_of({**addresses, "nobody": "http://127.0.0.1:1/feed.xml"}))
    visits = stages.collect(settings)
    assert outcome_of(visits) == {
        "good": "new", "page": "blocked", "broken": "failed", "gone": "gone", "nobody": "failed",
    }  # fmt: skip
    assert all(visit["feed"] in visit["error"] for visit in visits if visit["feed"] != "good")
    assert stored(settings) == ["Acme is fine"]


def test_loopback_is_refused_unless_allowed(feeds, settings_of):
    feeds.answers["/a.xml"] = (200, XML, rss(("1", "Acme is fine")))
    settings = settings_of(toml_of({"a": f"{feeds.url}/a.xml"}).replace('["127.0.0.1"]', "[]"))
    [visit] = stages.collect(settings)
    assert visit["posts"] == 0
    assert "allow_hosts" in visit["error"]


def test_one_impossible_character_or_number_costs_no_other_post(feeds, settings_of):
    feeds.answers["/a.xml"] = (200, XML, rss(("1", "Acme &#xD800; is odd"), ("2", "Acme is fine")))
    json_feed = '{"version": "https://jsonfeed.org/version/1.1", "items": [{"id": %s, "title": "Acme is long"}]}'
    feeds.answers["/b.json"] = (200, "application/json", (json_feed % ("9" * 5_000)).encode())
    settings = settings_of(toml_of({"a": f"{feeds.url}/a.xml", "b": f"{feeds.url}/b.json"}))
    stages.collect(settings)
    assert stored(settings) == ["Acme is fine", "Acme is long", "Acme \ufffd is odd"]


def test_a_feed_named_twice_is_visited_once(feeds, settings_of):
    feeds.answers["/a.xml"] = (200, XML, rss(("1", "Acme is fine")))
    settings = settings_of(toml_of({"a": f"{feeds.url}/a.xml"}))
    assert len(stages.collect(settings, ["a", "a"])) == 1


def test_every_visit_is_a_row_of_visits(feeds, settings_of):
    settings = settings_of(toml_of({"a": f"{feeds.url}/a.xml", "b": "http://127.0.0.1:1/"}))
    feeds.answers["/a.xml"] = (200, XML, rss())
    stages.collect(settings)
    lake = stages.open_lake(settings)
    rows = [row for path in lake.files("visits") for row in lake.read(path).to_pylist()]
    assert outcome_of(rows) == {"a": "empty", "b": "failed"}


def test_a_server_that_asks_for_time_is_left_alone_until_then_by_the_schedule(feeds, settings_of):
    feeds.answers["/a.xml"] = (503, "text/plain", b"")
    feeds.headers["/a.xml"] = {"Retry-After": "18000"}
    feeds.answers["/b.xml"] = (200, XML, rss(("1", "Acme is fine")))
    settings = settings_of(toml_of({"a": f"{feeds.url}/a.xml", "b": f"{feeds.url}/b.xml"}))
    begun = stages.utc_now()
    visits = stages.collect(settings)
    assert [visit["waiting_for"] for visit in visits] == ["its server asks to wait", None]
    assert stages.feed_shards(settings, now=lambda: begun + timedelta(minutes=10)) == []
    assert stages.feed_shards(settings, now=lambda: begun + timedelta(hours=1)) == [["b"]]
    assert stages.feed_shards(settings, now=lambda: begun + timedelta(hours=5)) == [["a", "b"]]


def test_by_hand_every_feed_is_visited_whatever_its_plan(feeds, settings_of):
    feeds.answers["/a.xml"] = (200, XML, rss(("1", "Acme is fine")))
    settings = settings_of(toml_of({"a": f"{feeds.url}/a.xml"}))
    assert [visit["outcome"] for _ in range(2) for visit in stages.collect(settings)] == ["new", "unchanged"]


def test_too_many_unreadable_items_fail_the_visit_and_lose_nothing(feeds, settings_of):
    def items(bad):
        return [{"id": str(n), "content_text": [] if n < bad else f"Acme {n}"} for n in range(10)]

    def answer(bad):
        document = {"version": "https://jsonfeed.org/version/1.1", "items": items(bad)}
        feeds.answers["/a.json"] = (200, "application/json", json.dumps(document).encode())

    settings = settings_of(
        toml_of({"a": f"{feeds.url}/a.json"}).replace('source = "rss"', 'source = "rss"\nkeep = "all"')
    )
    answer(bad=6)
    [visit] = stages.collect(settings)
    assert (visit["outcome"], visit["posts"]) == ("failed", 4)
    assert "6 of 10 items cannot be read (see rejects)" in visit["error"]
    assert load_state(stages.open_lake(settings), settings.feeds[0]).cursor is None
    lake = stages.open_lake(settings)
    assert sum(lake.read(path).num_rows for path in lake.files("rejects")) == 6
    answer(bad=0)  # the source, or our listener, is mended
    [visit] = stages.collect(settings)
    assert (visit["outcome"], visit["posts"]) == ("new", 6)


def test_what_a_feed_says_is_gone_gets_a_tombstone_if_it_is_stored(feeds, settings_of):
    feeds.answers["/a.xml"] = (200, XML, rss(("1", "Acme is fine"), ("2", "Acme is bad"), ("3", "Acme is new")))
    settings = settings_of(toml_of({"a": f"{feeds.url}/a.xml"}))
    stages.collect(settings)
    lake, [feed] = stages.open_lake(settings), settings.feeds
    rows = [row for path in lake.files("posts") for row in lake.read(path).to_pylist()]
    first = next(row["post_id"] for row in rows if row["title"] == "Acme is fine")
    later = stages.utc_now() + timedelta(hours=1)
    gone = TakenDown(frozenset({first, "rss:a:never stored"}))
    [tombstone] = (made := tombstones(lake, [], feed, gone, later)).to_pylist()
    assert (tombstone["post_id"], tombstone["deleted"], tombstone["text"]) == (first, True, "")
    assert (tombstone["title"], tombstone["author"], tombstone["url"]) == (None, None, None)
    lake.append(made, POSTS, "gone")
    assert tombstones(lake, [], feed, gone, later).num_rows == 0
    stages.publish(settings, now=lambda: later)
    from dags.summary import ask, reading

    with reading(settings.database) as database:
        assert ask(database, "SELECT title FROM posts ORDER BY title")[0] == [
            {"title": "Acme is bad"},
            {"title": "Acme is new"},
        ]


def test_a_file_of_posts_that_is_damaged_hides_no_other_from_a_tombstone(feeds, settings_of):
    feeds.answers["/a.xml"] = (200, XML, rss(("1", "Acme is fine")))
    settings = settings_of(toml_of({"a": f"{feeds.url}/a.xml"}))
    stages.collect(settings)
    lake, [feed] = stages.open_lake(settings), settings.feeds
    [path] = lake.files("posts")
    [row] = lake.read(path).to_pylist()
    (Path(settings.lake) / path).with_name("broken.parquet").write_bytes(b"PAR1 and no more")
    gone = TakenDown(frozenset({row["post_id"]}))
    assert tombstones(lake, [], feed, gone, stages.utc_now()).num_rows == 1


def test_a_post_on_its_way_into_the_lake_gets_a_tombstone_too(feeds, settings_of):
    feeds.answers["/a.xml"] = (200, XML, rss(("1", "Acme is fine")))
    settings = settings_of(toml_of({"a": f"{feeds.url}/a.xml"}))
    stages.collect(settings)
    [path] = stages.open_lake(settings).files("posts")
    held = stages.open_lake(settings).read(path).to_batches()
    empty = Lake.open(f"{settings.lake}-other")
    gone = TakenDown(frozenset({held[0]["post_id"][0].as_py()}))
    assert tombstones(empty, held, settings.feeds[0], gone, stages.utc_now()).num_rows == 1


def test_a_changed_question_starts_without_the_old_cursor(feeds, settings_of):
    feeds.answers["/a.xml"] = (200, XML, rss(("1", "Acme is fine")))
    settings = settings_of(toml_of({"a": f"{feeds.url}/a.xml"}))
    stages.collect(settings)
    assert load_state(stages.open_lake(settings), settings.feeds[0]).cursor is not None
    moved = settings_of(toml_of({"a": f"{feeds.url}/elsewhere.xml"}))
    assert load_state(stages.open_lake(moved), moved.feeds[0]).cursor is None


def test_an_unknown_feed_is_named_with_the_known_ones(settings_of):
    settings = settings_of(toml_of({"a": "http://127.0.0.1:1/", "b": "http://127.0.0.1:1/"}))
    with pytest.raises(SettingsError, match="no feed c; valid: a, b"):
        stages.collect(settings, ["a", "c"])


def test_a_backfill_visits_only_feeds_that_keep_a_history(settings_of):
    settings = settings_of(toml_of({"a": "http://127.0.0.1:1/"}) + '\n[[feed]]\nid = "hn"\nsource = "hackernews"\n')
    assert stages.feed_shards(settings, backfill=True) == [["hn"]]
    window = (datetime(2026, 11, 1, tzinfo=UTC), datetime(2026, 11, 2, tzinfo=UTC))
    assert stages.collect(settings, ["a"], window=window) == []


def test_names_with_quotes_are_listened_for_like_any_other(feeds, settings_of):
    name = "O'Reilly \"DROP TABLE"
    feeds.answers["/a.xml"] = (200, XML, rss(("1", "I like O'Reilly &quot;DROP TABLE a lot")))
    settings = settings_of(toml_of({"a": f"{feeds.url}/a.xml"}, brand=name))
    stages.collect(settings)
    stages.enrich(settings)
    stages.publish(settings)
    from dags.summary import ask, reading

    with reading(settings.database) as database:
        rows, _ = ask(database, "FROM trend($brand)", {"brand": name})
    assert sum(row["n"] for row in rows) == 1


def test_a_brand_added_does_not_empty_the_file_before_everything_is_read_again(feeds, settings_of):
    feeds.answers["/a.xml"] = (200, XML, rss(("1", "Acme is fine"), ("2", "Acme and Globex are fine")))
    toml = toml_of({"a": f"{feeds.url}/a.xml"})
    settings = settings_of(toml)
    stages.collect(settings)
    stages.enrich(settings)
    more = settings_of('[[brand]]\nname = "Globex"\n' + toml)
    assert stages.publish(more).rows["mentions"] == 2
    stages.enrich(more)
    assert stages.publish(more).rows["mentions"] == 3
