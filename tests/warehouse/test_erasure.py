"""What is forgotten leaves every file of the lake, does not come back, and says by how much figures fell."""

import json
import shutil
from datetime import timedelta
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from warehouse_rows import NOW, VERSION, batch, correction, event, hours_ago, mention, post, store, visit

from warehouse import snapshot, tables
from warehouse.erasure import Target, erase
from warehouse.forgotten import Forgotten, erasures, is_genuine
from warehouse.lake import Lake
from warehouse.storage import Storage

KEY = b"the author key"
ANN, BOB = "a1" * 16, "b0" * 16
WORDS = "Quillon let my heating die on Christmas Eve"
EDITED = f"{WORDS}, they came today"
TRACES = (
    "heating die",
    "they came today",
    "christmas eve",
    ANN,
    "109471100004711",
    "109471100004712",
    "x.example/ann",
    "annabel",
)


def quote(text, author, url):
    return {"text": text, "author": author, "url": url, "source": "mastodon"}


@pytest.fixture
def lake(lake):
    """A lake in which Ann wrote two posts, one of them edited, and Bob answered and was quoted beside her."""
    first = post(
        "mastodon:109471100004711",
        text=WORDS,
        author=ANN,
        source="mastodon",
        url="https://x.example/ann/109471100004711",
    )
    edit = first | {"text": EDITED, "version": "edited", "fetched_at": NOW - timedelta(minutes=20)}
    second = post(
        "mastodon:109471100004712", text="Quillon is fine", author=ANN, source="mastodon", published_at=hours_ago(40)
    )
    answer = post(
        "mastodon:5000",
        author=BOB,
        source="mastodon",
        parent_id="mastodon:109471100004711",
        root_id="mastodon:109471100004711",
    )
    other = post("rss:1", author=BOB)
    store(lake, [first, answer], [mention(first, sentiment=-1), mention(answer, sentiment=1)], "one")
    store(lake, [edit, second, other], [mention(edit, sentiment=1), mention(second), mention(other)], "two")
    corrected = correction("sentiment", -1, post_id="mastodon:109471100004712", note="annabel means it")
    lake.append(batch(tables.CORRECTIONS, corrected), tables.CORRECTIONS, "c")
    evidence = {
        "negatives": 12,
        "quotes": [
            quote("Quillon let my heating die on Chri…", ANN, "https://x.example/ann/109471100004711"),
            quote("they are slow", BOB, None),
        ],
        "stories": [
            {"value": "mastodon:109471100004711", "text": WORDS, "url": None},
            {"value": "rss:1", "text": "what rss:1 says"},
        ],
    }
    lake.append(batch(tables.ALERTS, event("x", "opened", 1, evidence=json.dumps(evidence))), tables.ALERTS, "a")
    reject = {"feed": "f", "source": "mastodon", "reason": "TypeError: 'annabel'", "item_hash": "0", "excerpt": WORDS,
              "rejected_at": NOW}  # fmt: skip
    lake.append(
        batch(tables.REJECTS, reject, reject | {"source": "rss", "reason": "lacks id", "excerpt": "left"}),
        tables.REJECTS,
        "r",
    )
    lake.append(
        batch(tables.VISITS, visit(error="https://x.example/ann/109471100004711: 404"), visit(hours=2)),
        tables.VISITS,
        "v",
    )
    lake.write_state(
        "feeds/f",
        json.dumps(
            {"asked": "1", "cursor": '{"since": "109471100004712"}', "seen": {"k109471100004711": "1"}}
        ).encode(),
    )
    lake.write_state("feeds/g", b'{"cursor": "9"}')
    return lake


def forget_ann(lake, **more):
    target = Target("author", ANN, ("mastodon",), "annabel")
    return erase(lake, KEY, target, NOW, remembered_as=lambda post_id: "k" + post_id.removeprefix("mastodon:"), **more)


def everything(folder: Path) -> str:
    """All that a reader of the bytes finds under a folder: names, bytes, and what Parquet has compressed."""
    files = [path for path in folder.rglob("*") if path.is_file() and ".locks" not in path.parts]
    names = [str(path.relative_to(folder)) for path in files]
    raw = [path.read_bytes().decode("latin-1") for path in files]
    read = [str(pq.ParquetFile(path).read().to_pylist()) for path in files if path.suffix == ".parquet"]
    return "\n".join([*names, *raw, *read]).lower()


def traces(lake):
    found = everything(lake.folder)
    return {trace for trace in TRACES if trace in found}


def rows(lake, table):
    return [row for path in lake.files(table) for row in lake.read(path).to_pylist()]


def test_nothing_of_an_author_is_left_in_any_file_and_the_others_stay(lake):
    assert traces(lake) == set(TRACES)
    done = forget_ann(lake)
    assert traces(lake) == set()
    assert done.counts == {
        "alerts": 1, "corrections": 1, "rejects": 1, "visits": 1, "state": 1, "posts": 3, "mentions": 3,
        "references": 1,
    }  # fmt: skip
    assert {(row["post_id"], row["author"]) for row in rows(lake, "posts")} == {("mastodon:5000", BOB), ("rss:1", BOB)}
    assert {row["post_id"] for row in rows(lake, "mentions")} == {"mastodon:5000", "rss:1"}
    assert lake.pending(VERSION) == []
    [told] = [json.loads(row["evidence"]) for row in rows(lake, "alerts")]
    assert [one["text"] for one in told["quotes"]] == ["they are slow"]
    assert [one["value"] for one in told["stories"]] == ["rss:1"]
    assert [row["excerpt"] for row in rows(lake, "rejects")] in (["", "left"], ["left", ""])
    assert json.loads(lake.read_state("feeds/f") or b"") == {"asked": "1", "cursor": None, "seen": {}}


def test_what_fell_by_how_much_is_signed(lake):
    forget_ann(lake)
    whole, *changed = sorted(erasures(lake), key=lambda row: str(row["day"] or ""))
    assert whole["posts_change"] == -2
    told = [
        (str(row["day"]), row["mentions_change"], row["negatives_change"], row["positives_change"]) for row in changed
    ]
    assert told == [("2026-11-18", -1, -1, 0), ("2026-11-20", -1, 0, -1)], "as corrected, and as edited"
    assert all(is_genuine(KEY, row) for row in [whole, *changed])
    assert not is_genuine(KEY, changed[0] | {"mentions_change": -2})
    assert not is_genuine(b"another", changed[0])


def test_a_dry_run_counts_the_same_and_changes_no_byte(lake):
    before = everything(lake.folder)
    planned = forget_ann(lake, dry_run=True)
    assert everything(lake.folder) == before
    done = forget_ann(lake)
    assert planned.counts == done.counts
    assert [row["mentions_change"] for row in planned.changes] == [row["mentions_change"] for row in done.changes]


def test_one_post_goes_and_its_author_stays(lake):
    erase(lake, KEY, Target("post", "mastodon:109471100004711", ("mastodon",)), NOW)
    assert {row["post_id"] for row in rows(lake, "posts")} == {"mastodon:109471100004712", "mastodon:5000", "rss:1"}
    assert "heating die" not in everything(lake.folder)
    assert not Forgotten.of(lake, KEY).holds(ANN)


def test_what_is_forgotten_is_not_let_in_again(lake):
    forget_ann(lake)
    known = Forgotten.of(lake, KEY)
    again = post("mastodon:9", author=ANN, source="mastodon")
    nameless = post("mastodon:109471100004711", author=None, source="mastodon")
    answer = post("mastodon:10", author=BOB, quoted_id="mastodon:109471100004712")
    kept = known.without(batch(tables.POSTS, again, nameless, answer))
    assert kept.to_pylist() == [answer | {"quoted_id": None}]
    assert Forgotten.of(lake, b"another key").without(batch(tables.POSTS, again)).num_rows == 1


def test_what_slipped_in_meanwhile_goes_with_the_next_run(lake):
    forget_ann(lake)
    late = post("mastodon:4800", author=ANN, source="mastodon", text=WORDS)
    store(lake, [late], [mention(late, sentiment=-1)], "late")
    done = erase(lake, KEY, None, NOW)
    assert done.counts["posts"] == done.counts["mentions"] == 1
    assert traces(lake) == set()
    assert sum(row["mentions_change"] or 0 for row in erasures(lake)) == -3
    assert sum(erase(lake, KEY, None, NOW).counts.values()) == 0


class Killed(Exception):
    """The process ended there."""


def test_killed_between_any_two_writes_and_run_again_it_ends_the_same(lake, tmp_path, monkeypatch):
    left = 0

    def dying(write):
        def or_die(storage, *arguments, **more):
            nonlocal left
            left -= 1
            if left < 0:
                raise Killed
            return write(storage, *arguments, **more)

        return or_die

    for name in ("put", "remove"):
        monkeypatch.setattr(Storage, name, dying(getattr(Storage, name)))
    survived = 0
    for survived in range(60):
        copy = tmp_path / f"copy-{survived}"
        shutil.copytree(lake.folder, copy)
        one, left = Lake.open(str(copy)), survived
        try:
            forget_ann(one)
            break
        except Killed:
            left = 1_000
            forget_ann(one)
        assert traces(one) == set(), survived
        assert {row["post_id"] for row in rows(one, "posts")} == {"mastodon:5000", "rss:1"}
        assert sum(row["mentions_change"] or 0 for row in erasures(one)) == -2, "told once, however often it was killed"
    assert survived > 10


def test_mentions_made_of_what_was_being_removed_go_too(lake):
    [path] = [path for path in lake.files("posts") if "rss" in path]
    forget_ann(lake)
    made = mention(post("mastodon:109471100004711", source="rss"), matched_text="heating die")
    lake.write_mentions(path, VERSION, batch(tables.MENTIONS, made))
    assert erase(lake, KEY, None, NOW).counts["mentions"] == 1
    assert traces(lake) == set()


def test_a_file_that_cannot_be_searched_is_told(lake):
    [path, *_] = lake.files("posts")
    (lake.folder / path).write_bytes(b"no Parquet")
    assert [one.path for one in forget_ann(lake).unsearched] == [path]


def test_a_file_that_was_put_aside_is_told_as_not_searched(lake):
    [path, *_] = lake.files("posts")
    aside = lake.put_aside(path, "today", "why")
    assert [one.path for one in forget_ann(lake).unsearched] == [aside]


def test_the_snapshot_is_built_anew_and_holds_nothing(lake, database, publish, ask):
    publish()
    shutil.copy(database, snapshot.previous(database))
    assert "heating die" in everything(database.parent)
    forget_ann(lake)
    publish()
    assert traces(lake) == set()
    assert not snapshot.previous(database).exists()
    assert ask("SELECT sum(mentions_change) AS fell, min(brand) AS brand FROM erasures") == [
        {"fell": -2, "brand": "Quillon"}
    ]
