"""The lake: files appear whole, names may be anything, and damage stays where it is."""

import os
import string
import time
from datetime import timedelta
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st
from processes import FRESH
from warehouse_rows import NOW, VERSION, batch, hours_ago, mention, post, visit

from warehouse import tables
from warehouse.lake import DamagedFile, Lake, Locked
from warehouse.layout import mentions_path, posts_path, safe_name, version_of


def append_posts(lake, *posts, name="run"):
    return lake.append(batch(tables.POSTS, *posts), tables.POSTS, name)


def test_a_batch_becomes_a_file_per_source_and_day(lake):
    written = append_posts(
        lake,
        post("a", fetched_at=hours_ago(1)),
        post("b", fetched_at=hours_ago(30), published_at=hours_ago(31)),
        post("c", source="mastodon"),
    )
    assert written == lake.files("posts")
    assert written == [
        "posts/source=mastodon/date=2026-11-20/run.parquet",
        "posts/source=rss/date=2026-11-19/run.parquet",
        "posts/source=rss/date=2026-11-20/run.parquet",
    ]


def test_rows_come_back_as_they_were_sorted_by_their_time(lake):
    later, earlier = post("later", published_at=hours_ago(2)), post("earlier", published_at=hours_ago(5), likes=3)
    [path] = append_posts(lake, later, earlier)
    rows = lake.read(path)
    assert rows.schema.equals(tables.POSTS, check_metadata=True)
    assert rows.to_pylist() == [earlier, later]


def test_visits_with_their_counts_by_reason_come_back(lake):
    row = visit(left_out=[("names no brand", 3)])
    [path] = lake.append(batch(tables.VISITS, row), tables.VISITS, "run")
    assert lake.read(path).to_pylist() == [dict.fromkeys(tables.VISITS.names) | row]


def test_tables_without_a_source_are_laid_out_by_day(lake):
    row = {"alert_id": "a", "brand": "Quillon", "aspect": None, "event": "opened", "at": NOW, "by": "watch",
           "evidence": "{}"}  # fmt: skip
    assert lake.append(batch(tables.ALERTS, row), tables.ALERTS, "x") == ["alerts/date=2026-11-20/x.parquet"]


def test_no_rows_make_no_file(lake):
    assert lake.append(tables.empty(tables.POSTS), tables.POSTS, "run") == []
    assert lake.files("posts") == []


def test_rows_that_break_the_contract_are_refused(lake):
    with pytest.raises(tables.ContractError, match="published_at"):
        append_posts(lake, post("a", published_at=hours_ago(-1), fetched_at=NOW))
    assert lake.files("posts") == []


def test_the_same_name_again_replaces(lake):
    append_posts(lake, post("a"))
    [path] = append_posts(lake, post("b"))
    assert lake.read(path)["post_id"].to_pylist() == ["b"]


def test_posts_are_pending_until_mentions_are_written_be_there_none(lake):
    [path] = append_posts(lake, post("a"))
    assert lake.pending(VERSION) == [path]
    lake.write_mentions(path, VERSION, tables.empty(tables.MENTIONS))
    assert lake.pending(VERSION) == []
    assert lake.pending("rules-2") == [path]


def test_the_same_posts_stored_again_stay_read_and_other_posts_do_not(lake):
    [path] = append_posts(lake, post("a"))
    lake.write_mentions(path, VERSION, batch(tables.MENTIONS, mention(post("a"))))
    append_posts(lake, post("a"))
    assert lake.pending(VERSION) == []
    append_posts(lake, post("a", text="edited"))
    assert lake.pending(VERSION) == [path]


def test_mentions_of_posts_that_are_gone_are_refused(lake):
    with pytest.raises(FileNotFoundError):
        lake.write_mentions("posts/source=rss/date=2026-11-20/x.parquet", VERSION, tables.empty(tables.MENTIONS))


def test_the_mentions_files_of_each_version_are_told_apart(lake):
    [path] = append_posts(lake, post("a"))
    made = {v: lake.write_mentions(path, v, tables.empty(tables.MENTIONS)) for v in ("old", "weird/ver@sion", VERSION)}
    assert {version: lake.mentions_files(version) for version in made} == {v: [file] for v, file in made.items()}


def test_a_mentions_path_tells_its_posts_file_and_version():
    path = "posts/source=rss/date=2026-11-20/run%40x.parquet"
    made = mentions_path(path, "v@1/é")
    assert (posts_path(made), version_of(made)) == (path, "v@1/é")


@given(st.lists(st.text(max_size=300), min_size=2, max_size=2, unique=True))
def test_every_name_becomes_a_safe_one_of_its_own(names):
    one, other = map(safe_name, names)
    assert one != other
    assert set(one) <= set(string.ascii_letters + string.digits + "-._%~")
    assert not one.startswith((".", "_"))
    assert 0 < len(one) <= 180


def test_any_text_names_a_file_and_a_source(lake):
    [path] = append_posts(lake, post("a", source="../o'dd %2F \"ü"), name="../../up\0" + "x" * 400)
    assert lake.files("posts") == [path]
    assert lake.read(path)["source"].to_pylist() == ["../o'dd %2F \"ü"]
    assert (lake.folder / path).resolve().is_relative_to(lake.folder.resolve())


def test_a_location_may_be_a_url(tmp_path):
    append_posts(Lake.open(f"file://{tmp_path}/lake"), post("a"))
    assert len(Lake.open(str(tmp_path / "lake")).files("posts")) == 1


def test_a_url_nobody_serves_is_refused_by_name():
    with pytest.raises(ValueError, match="gopher://"):
        Lake.open("gopher://old/lake")


def test_damaged_and_foreign_files_are_reported_and_the_rest_is_read(lake):
    [good] = append_posts(lake, post("a"))
    folder = (lake.folder / good).parent
    whole = (lake.folder / good).read_bytes()
    (folder / "cut.parquet").write_bytes(whole[: len(whole) // 2])
    (folder / "empty.parquet").write_bytes(b"")
    (folder / "text.parquet").write_text("not Parquet at all")
    pq.write_table(pa.table({"other": [1]}), folder / "foreign.parquet")
    pq.write_table(lake.read(good).set_column(0, "post_id", pa.array([1])), folder / "numbers.parquet")
    scan = lake.scan("posts")
    assert scan.files == [good]
    reasons = {Path(path).name: reason for path, reason in scan.skipped}
    assert set(reasons) == {"cut.parquet", "empty.parquet", "text.parquet", "foreign.parquet", "numbers.parquet"}
    assert "no column post_id" in reasons["foreign.parquet"]
    assert "int64, not string" in reasons["numbers.parquet"]
    assert lake.dataset("posts").to_table()["post_id"].to_pylist() == ["a"]


def test_a_column_that_came_later_is_null_in_an_older_file(lake):
    [path] = append_posts(lake, post("a", views=7))
    pq.write_table(lake.read(path).drop_columns(["views"]), lake.folder / path)
    assert lake.scan("posts").skipped == []
    assert lake.read(path)["views"].to_pylist() == lake.dataset("posts").to_table()["views"].to_pylist() == [None]


@pytest.mark.parametrize("columns", [None, ["post_id"]])
def test_a_renamed_column_is_refused_and_does_not_read_as_null(lake, columns):
    [path] = append_posts(lake, post("a", views=7))
    rows = lake.read(path)
    pq.write_table(rows.rename_columns({"views": "seen_by"}), lake.folder / path)
    with pytest.raises(DamagedFile, match="no column views, but seen_by, which is none: was it renamed"):
        lake.read(path, columns)
    assert [skipped.path for skipped in lake.scan("posts").skipped] == [path]


def test_a_column_that_only_a_later_version_knows_is_passed_over(lake):
    [path] = append_posts(lake, post("a"))
    rows = lake.read(path)
    pq.write_table(rows.append_column("mood", rows["text"]), lake.folder / path)
    assert lake.read(path).equals(rows)


def test_damage_within_pages_is_found_by_a_deep_scan(lake):
    [path] = append_posts(lake, *(post(f"p{i}", text=str(i) * 500) for i in range(50)))
    whole = bytearray((lake.folder / path).read_bytes())
    whole[200:700] = os.urandom(500)
    (lake.folder / path).write_bytes(whole)
    assert [skipped.path for skipped in lake.scan("posts", deep=True).skipped] == [path]
    with pytest.raises(DamagedFile, match=path):
        lake.read(path)


def test_a_column_that_old_files_lack_is_null(lake):
    [path] = append_posts(lake, post("a", likes=3))
    pq.write_table(lake.read(path).drop_columns(["likes"]), lake.folder / path)
    assert lake.read(path)["likes"].to_pylist() == [None]
    assert lake.dataset("posts").to_table()["likes"].to_pylist() == [None]


def test_temporary_files_are_not_read_and_cleared_when_abandoned(lake):
    [path] = append_posts(lake, post("a"))
    old, young = (lake.folder / path).parent / ".x.1.tmp", (lake.folder / path).parent / ".y.2.tmp"
    for file in (old, young):
        file.write_bytes(b"half")
    os.utime(old, (time.time() - 7200, time.time() - 7200))
    assert lake.files("posts") == [path]
    now = NOW + timedelta(seconds=time.time() - NOW.timestamp())
    assert lake.clean(now) == 1
    assert (old.exists(), young.exists()) == (False, True)


def test_a_document_is_the_last_one_written(lake):
    assert lake.read_state("cursor of ../feed") is None
    lake.write_state("cursor of ../feed", b"1")
    lake.write_state("cursor of ../feed", b"2")
    assert lake.read_state("cursor of ../feed") == b"2"


def count_up(location, times):
    lake = Lake.open(location)
    for _ in range(times):
        with lake.lock("counter"):
            lake.write_state("count", str(int(lake.read_state("count") or b"0") + 1).encode())


def test_a_lock_is_held_by_one_process_at_a_time(lake):
    counters = [FRESH.Process(target=count_up, args=(lake.location, 50)) for _ in range(2)]
    for counter in counters:
        counter.start()
    for counter in counters:
        counter.join()
    assert lake.read_state("count") == b"100"


def test_who_will_not_wait_for_a_lock_is_told(lake):
    with lake.lock("watch"), pytest.raises(Locked, match="watch"), lake.lock("watch", wait=False):
        pass
    with lake.lock("watch", wait=False):
        pass
