"""The doctor: what is wrong with a lake's files is told and can be put aside, and the rest goes on."""

import os
from datetime import timedelta
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from warehouse_rows import NOW, VERSION, batch, event, mention, post, store

from warehouse import tables
from warehouse.doctor import examine
from warehouse.lake import Lake


@pytest.fixture
def posts(lake: Lake) -> list[str]:
    """Return the files of three sound posts, each with a mention, of sources of their own."""
    for source in ("rss", "mastodon", "lemmy"):
        said = post(f"{source}-1", source=source)
        store(lake, [said], [mention(said)], "run")
    return lake.files("posts")


def found(lake, **given):
    return {Path(finding.path).name: finding for finding in examine(lake, NOW, **given)}


def kinds(lake):
    return [(finding.path, finding.kind) for finding in examine(lake, NOW)]


def test_a_lake_that_is_well_has_no_findings(lake, posts):
    assert examine(lake, NOW, mend=True) == []
    assert lake.files("posts") == posts


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (lambda rows: rows.drop_columns(["text"]), "no column text"),
        (lambda rows: rows.rename_columns({"likes": "hearts"}), "no column likes, but hearts"),
        (lambda rows: rows.set_column(0, "post_id", pa.array([1])), "post_id is int64, not string"),
    ],
)
def test_a_file_of_other_columns_is_damaged_and_says_which(lake, posts, spoil, reason):
    path = posts[0]
    pq.write_table(spoil(lake.read(path)), lake.folder / path)
    finding, orphan = sorted(examine(lake, NOW), key=lambda one: one.kind)
    assert (finding.path, finding.kind, orphan.kind) == (path, "damaged", "orphaned")
    assert reason in finding.reason
    assert path in orphan.reason


def test_truncated_files_and_bytes_that_changed_within_are_found(lake, posts):
    whole = [(lake.folder / path).read_bytes() for path in posts]
    (lake.folder / posts[0]).write_bytes(whole[0][: len(whole[0]) // 2])
    (lake.folder / posts[1]).write_bytes(b"")
    (lake.folder / posts[2]).write_bytes(whole[2][:100] + os.urandom(200) + whole[2][300:])
    assert [path for path, kind in kinds(lake) if kind == "damaged"] == posts


def test_foreign_and_misplaced_files_are_told_apart(lake, posts):
    there = (lake.folder / posts[0]).parent
    (there / "notes.csv").write_text("a,b")
    for place in ("posts/copy.parquet", posts[0].replace("source=lemmy", "source=rss").replace("run", "copy")):
        (lake.folder / place).write_bytes((lake.folder / posts[0]).read_bytes())
    told = found(lake)
    assert told["notes.csv"].kind == "foreign"
    misplaced = sorted(one.reason for one in examine(lake, NOW) if one.kind == "misplaced")
    assert misplaced == ["no file of posts lies there", f"rows of it belong to {Path(posts[0]).parent}"]


def test_mentions_whose_posts_are_gone_are_orphaned(lake, posts):
    lake.remove(posts[:1])
    assert [kind for _, kind in kinds(lake)] == ["orphaned"]


def test_a_temporary_file_counts_once_nobody_can_be_writing_it(lake, posts):
    temporary = (lake.folder / posts[0]).parent / ".run.parquet.0f.tmp"
    temporary.write_bytes(b"PAR1")
    written = NOW.timestamp()
    os.utime(temporary, (written, written))
    assert examine(lake, NOW) == []
    [finding] = examine(lake, NOW + timedelta(hours=2), mend=True)
    assert (finding.kind, finding.outcome, temporary.exists()) == ("abandoned", "removed", False)


def test_what_is_put_aside_is_explained_and_the_rest_goes_on(lake, posts, publish, ask):
    publish()
    whole = (lake.folder / posts[0]).read_bytes()
    (lake.folder / posts[0]).write_bytes(whole[:-9])
    examine(lake, NOW, mend=True)
    assert examine(lake, NOW) == []
    aside = [path for path in lake.quarantined() if "/posts/" in path]
    assert [(lake.folder / path).read_bytes() for path in aside] == [whole[:-9]]
    note = (lake.folder / f"{aside[0]}.reason.txt").read_text()
    assert posts[0] in note
    assert "damaged" in note
    assert lake.pending(VERSION) == []
    publish()
    assert [row["source"] for row in ask("SELECT source FROM mentions ORDER BY source")] == ["mastodon", "rss"]


def test_a_file_that_is_moved_back_counts_again(lake, posts):
    pq.write_table(lake.read(posts[0]).rename_columns({"likes": "hearts"}), lake.folder / posts[0])
    examine(lake, NOW, mend=True)
    [aside] = [path for path in lake.quarantined() if path.endswith(posts[0])]
    mended = pq.read_table(lake.folder / aside).rename_columns({"hearts": "likes"})
    pq.write_table(mended, lake.folder / posts[0])
    assert examine(lake, NOW) == []
    assert lake.pending(VERSION) == [posts[0]]


def test_the_list_of_who_was_forgotten_is_never_put_aside(lake):
    """Without it they would come back."""
    row = dict.fromkeys(tables.ERASURES.names) | {
        "erasure_id": "e", "at": NOW, "scope": "post", "sources": ["rss"], "keyed_hashes": ["k"], "signature": "s"
    }  # fmt: skip
    [path] = lake.append(batch(tables.ERASURES, row), tables.ERASURES, "e")
    (lake.folder / path).write_bytes(b"PAR1")
    [finding] = examine(lake, NOW, mend=True)
    assert (finding.path, finding.outcome) == (path, "")
    assert "backup" in finding.advice
    assert lake.files("erasures") == [path]


def test_tables_without_sources_are_examined_too(lake):
    [path] = lake.append(batch(tables.ALERTS, event("a", "opened", 1)), tables.ALERTS, "a")
    assert examine(lake, NOW) == []
    (lake.folder / path).write_bytes(b"PAR1")
    assert kinds(lake) == [(path, "damaged")]
