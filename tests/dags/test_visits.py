"""What a visit makes of the pages a listener gives: posts, tombstones, cursors, its own row."""

import os
import signal
from datetime import timedelta

import pyarrow as pa
import pytest
import scripted_source
from scripted_source import item

from dags import stages
from dags.feed_state import load_state
from dags.tombstones import tombstones
from listeners.feed import TakenDown
from listeners.post import empty_page, to_page
from listeners.registry import SOURCES, network_of
from warehouse.lake import Lake
from warehouse.tables import POSTS

TOML = '[[brand]]\nname = "Acme"\n[[feed]]\nid = "a"\nsource = "scripted"\n'


class Visiting:
    """Visit the scripted source, an hour after the last time: give pages, get the visit's row."""

    def __init__(self, settings):
        self.settings = settings
        self.now = stages.utc_now()

    def __call__(self, *pages):
        scripted_source.script[:] = pages
        self.now += timedelta(hours=1)
        [row] = stages.collect(self.settings, now=lambda: self.now)
        return row


@pytest.fixture
def visiting(settings_of, monkeypatch):
    monkeypatch.setitem(SOURCES, "scripted", "scripted_source")
    return Visiting(settings_of(TOML))


def page(*texts, cursor="c", **more):
    """A page of posts numbered from 0; None stands for one that was taken down."""

    def of(visit):
        rows = [item(visit, n, text or "", deleted=text is None) for n, text in enumerate(texts)]
        return to_page(visit, rows, lambda row: row, cursor=cursor, **more)

    return of


def readings(visiting):
    """(number, text, deleted) of what is stored, oldest first."""
    lake = stages.open_lake(visiting.settings)
    rows = [row for path in lake.files("posts") for row in lake.read(path).to_pylist()]
    rows.sort(key=lambda row: (row["fetched_at"], row["post_id"]))
    return [(int(row["post_id"].split(":")[1]), row["text"], row["deleted"]) for row in rows]


def cursor(visiting):
    return load_state(stages.open_lake(visiting.settings), visiting.settings.feeds[0]).cursor


def test_what_is_taken_down_gets_a_tombstone_though_it_names_no_brand_any_more(visiting):
    visiting(page("Acme is bad"))
    row = visiting(page(None))
    assert readings(visiting) == [(0, "Acme is bad", False), (0, "", True)]
    assert (row["posts"], row["outcome"]) == (1, "new")


def test_what_was_never_stored_gets_none(visiting):
    visiting(page("Nice weather"))
    row = visiting(page(None))
    assert readings(visiting) == []
    assert row["posts"] == 0


def test_a_tombstone_is_written_once(visiting):
    visiting(page("Acme is bad"))
    visiting(page(None))
    assert visiting(page(None))["posts"] == 0


def test_a_post_that_comes_back_stands_again(visiting):
    for told in ("Acme is bad", None, "Acme is bad"):
        visiting(page(told))
    assert [deleted for _, _, deleted in readings(visiting)] == [False, True, False]


def test_all_posts_of_an_author_who_went_are_taken_down(visiting):
    def gone(visit):
        return empty_page("d", taken_down=TakenDown(authors=frozenset({visit.pseudonym("ann")})))

    visiting(page("Acme is bad", "Acme is worse"))
    visiting(gone)
    assert [number for number, _, deleted in readings(visiting) if deleted] == [0, 1]
    assert cursor(visiting) == "d"


def test_a_post_that_came_and_went_in_one_visit_is_taken_down(visiting):
    visiting(page("Acme is bad"), lambda visit: empty_page("d", taken_down=TakenDown(frozenset({"scripted:0"}))))
    assert sorted(readings(visiting)) == [(0, "", True), (0, "Acme is bad", False)]


def test_a_post_whose_author_went_is_stored_again_without_the_name(visiting):
    def by(account):
        return lambda visit: to_page(
            visit, [item(visit, 0, "Acme is bad", account=account)], lambda row: row, cursor="c"
        )

    assert [visiting(by(account))["posts"] for account in ("ann", "ann", None, None)] == [1, 0, 1, 0]


def test_an_empty_answer_that_is_not_believed_says_so_and_moves_nothing(visiting):
    visiting(page("Acme is bad"))
    row = visiting(lambda visit: empty_page(visit.cursor, suspect="no entries, where 20 were before"))
    assert (row["outcome"], row["error"]) == ("empty", "no entries, where 20 were before")
    assert cursor(visiting) == "c"


def test_the_pause_that_a_feed_asks_for_is_planned(visiting):
    row = visiting(page("Acme is bad", rest=timedelta(hours=10)))
    assert row["next_visit_at"] - row["started_at"] == timedelta(hours=10)
    assert row["waiting_for"] == "it asks for this pause"


def test_a_quiet_feed_is_planned_less_often_from_visit_to_visit(visiting):
    pauses = [visiting(lambda visit: empty_page("c")) for _ in range(3)]
    assert [(row["next_visit_at"] - row["started_at"]) / timedelta(hours=1) for row in pauses] == [1.5, 2.25, 3.375]


def test_a_broken_off_run_keeps_the_visits_that_were_made(visiting):
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background jobs begin deaf to it

    def broken_off(visit):
        os.kill(os.getpid(), signal.SIGINT)
        return empty_page("d")

    visiting(page("Acme is bad"))
    with pytest.raises(KeyboardInterrupt):
        visiting(page("Acme is bad", "Acme is new"), broken_off, page("Acme is late", cursor="e"))
    assert cursor(visiting) == "d"
    assert [text for _, text, _ in readings(visiting)] == ["Acme is bad", "Acme is new"]


def test_a_listener_is_told_which_posts_are_wanted(visiting):
    heard = []

    def listening(visit):
        heard.extend(visit.wanted(None, text) for text in ("Acme is bad", "Nice weather"))
        return empty_page("c")

    visiting(listening)
    assert heard == [True, False]


def test_a_listener_gets_the_secrets_its_feed_names_and_no_others(settings_of, monkeypatch):
    monkeypatch.setitem(SOURCES, "scripted", "scripted_source")
    toml = '[[brand]]\nname = "Acme"\n[[feed]]\nid = "g"\nsource = "github"\nquery = "Acme"\ntoken_env = "OURS"\n'
    [feed] = settings_of(toml).feeds
    assert feed.secrets_in({"OURS": "abc", "ANOTHER": "def"}) == {"OURS": "abc"}
    assert feed.secrets_in({}) == {}


def test_a_network_read_in_two_ways_has_one_pseudonym_an_author_and_one_tombstone_a_post(settings_of, tmp_path):
    toml = TOML.replace('"scripted"', '"bluesky_search"\nhandle = "h"\npassword_env = "P"\nquery = "Acme"')
    [search] = settings_of(toml).feeds
    [stream] = settings_of(TOML.replace('"scripted"', '"bluesky"')).feeds
    assert network_of(search.source) == network_of(stream.source) == "bluesky"
    lake = Lake.open(str(tmp_path / "lake"))
    stored = scripted_source.row_of(search, "bluesky:at://did:plc:ann/app.bsky.feed.post/1", "Acme is bad")
    lake.append(pa.RecordBatch.from_pylist([stored], schema=POSTS), POSTS, "run")
    gone = TakenDown(frozenset({stored["post_id"]}))
    assert tombstones(lake, [], stream, gone, stages.utc_now()).num_rows == 1
