"""The files listener on a folder of exports: what is new is read once, whatever lies beside it."""

import csv
import gzip
import json
import os
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from listening import NOW, posts, visit
from pydantic import ValidationError

from listeners import file_row, files, table_files
from listeners.feed import FeedUnavailable, Page
from listeners.post import to_page

TICKETS = {"id": "Ticket", "text": "Comment", "author": "Customer", "published_at": "Created"}
HEAD = "Ticket,Comment,Customer,Created\n"


def options(folder: Path, columns: dict[str, str] = TICKETS, **more: Any) -> files.Options:
    return files.Options(id="desk", source="files", folder=str(folder), columns=columns, **more)


def written(path: Path, content: str | bytes, *, age: float = 7200, encoding: str = "utf-8") -> Path:
    """A file last changed so many seconds before the visit."""
    path.write_bytes(content if isinstance(content, bytes) else content.encode(encoding))
    at = NOW.timestamp() - age
    os.utime(path, (at, at))
    return path


async def listen(feed: files.Options, cursor: str | None = None, **more: Any) -> list[Page]:
    """All pages of one visit, which asks nothing over the network."""
    return [page async for page in files.pages(visit(feed, None, cursor=cursor, **more))]


def texts(pages: list[Page]) -> list[str]:
    return [post["text"] for post in posts(pages)]


def reasons(pages: list[Page]) -> list[str]:
    return [item.reason for page in pages for item in page.rejected]


async def test_a_row_becomes_a_post_with_every_mapped_column(tmp_path):
    columns = {
        "id": "No", "text": "Words", "title": "Subject", "author": "Who", "published_at": "Date", "edited_at": "Edited",
        "url": "Link", "rating": "Stars", "language": "Lang", "kind": "Type", "likes": "Helpful", "replies": "Answers",
        "shares": "Shared", "views": "Seen",
    }  # fmt: skip
    row = {
        "No": "17", "Words": "<p>It is <b>slow</b></p><p>and dear</p>", "Subject": "Router", "Who": "ann@shop.example",
        "Date": "2026-11-19 10:00", "Edited": "2026-11-19T12:00:00Z", "Link": "https://shop.example/r/17",
        "Stars": "4", "Lang": "EN", "Type": "Comment", "Helpful": "3", "Answers": "2", "Shared": "1", "Seen": "90",
    }  # fmt: skip
    written(tmp_path / "a.jsonl", json.dumps(row) + "\n")
    feed = options(tmp_path, columns, rating_scale=(1, 5), time_zone="Europe/Berlin")
    [post] = posts(await listen(feed))
    assert (post["post_id"], post["kind"], post["language"]) == ("files:desk:17", "comment", "en")
    assert (post["title"], post["text"]) == ("Router", "It is slow\nand dear")
    assert post["published_at"] == datetime(2026, 11, 19, 9, tzinfo=UTC)
    assert post["edited_at"] == datetime(2026, 11, 19, 12, tzinfo=UTC)
    assert (post["url"], post["rating"]) == ("https://shop.example/r/17", 0.75)
    assert (post["likes"], post["replies"], post["shares"], post["views"]) == (3, 2, 1, 90)
    assert post["author"] == visit(feed).pseudonym("desk/ann@shop.example")
    assert (post["source"], post["consent"], post["deleted"]) == ("files", "none_stated", False)


async def test_a_row_with_a_rating_is_a_review_and_one_without_a_post(tmp_path):
    written(tmp_path / "a.csv", "text,stars\ngood,5\nunsure,\n")
    rated = posts(await listen(options(tmp_path, {"text": "text", "rating": "stars"}, rating_scale=(1, 5))))
    assert [(post["kind"], post["rating"]) for post in rated] == [("review", 1.0), ("review", None)]
    [plain, _] = posts(await listen(options(tmp_path, {"text": "text"})))
    assert (plain["kind"], plain["rating"]) == ("post", None)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "cp1252"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
async def test_charset_and_delimiter_are_found_out(tmp_path, encoding, delimiter):
    rows = [["Ticket", "Comment", "Customer", "Created"], ["1", "Größe, Preis; alles\nschlecht", "ü", "2026-11-19"]]
    with (tmp_path / "a.csv").open("w", encoding=encoding, newline="") as file:
        csv.writer(file, delimiter=delimiter).writerows(rows)
    written(tmp_path / "a.csv", (tmp_path / "a.csv").read_bytes())
    [post] = posts(await listen(options(tmp_path)))
    assert post["text"] == "Größe, Preis; alles\nschlecht"


async def test_one_bad_byte_does_not_make_utf8_something_else(tmp_path):
    text = HEAD.encode() + "1,größer,a,2026-11-19\n2,schöner".encode() + b"\xff" + ",b,2026-11-19\n3,für,c,\n".encode()
    written(tmp_path / "a.csv", text)
    assert texts(await listen(options(tmp_path))) == ["größer", "schöner\ufffd", "für"]


async def test_parquet_is_read_by_row_groups_with_its_own_types(tmp_path):
    table = pa.table(
        {
            "Ticket": list(range(5000)),
            "Comment": [f"comment {n}" for n in range(5000)],
            "Customer": [None] * 5000,
            "Created": pa.array([datetime(2026, 11, 19, 1, 2, 3, 4, tzinfo=UTC)] * 5000, pa.timestamp("ns", "UTC")),
            "unwanted": [b"\x00"] * 5000,
        }
    )
    pq.write_table(table, tmp_path / "a.parquet", row_group_size=1500)
    written(tmp_path / "a.parquet", (tmp_path / "a.parquet").read_bytes())
    pages = await listen(options(tmp_path))
    assert [page.posts.num_rows for page in pages if page.posts.num_rows] == [2000, 2000, 1000]
    assert posts(pages)[4999]["text"] == "comment 4999"
    assert {post["published_at"] for post in posts(pages)} == {datetime(2026, 11, 19, 1, 2, 3, 4, tzinfo=UTC)}
    assert {post["author"] for post in posts(pages)} == {None}


async def test_files_are_read_once_and_again_only_when_they_change(tmp_path):
    written(tmp_path / "a.csv", HEAD + "1,slow,ann,2026-11-19\n2,fast,bob,2026-11-19\n")
    first = await listen(options(tmp_path))
    assert texts(first) == ["slow", "fast"]
    second = await listen(options(tmp_path), first[-1].cursor)
    assert (texts(second), second[-1].cursor) == ([], first[-1].cursor)
    written(tmp_path / "a.csv", HEAD + "1,slow again,ann,2026-11-19\n2,fast,bob,2026-11-19\n", age=3600)
    third = await listen(options(tmp_path), second[-1].cursor)
    assert [(post["post_id"], post["text"]) for post in posts(third)] == [
        ("files:desk:1", "slow again"),
        ("files:desk:2", "fast"),
    ]
    assert len({post["version"] for post in posts(first + third) if post["post_id"] == "files:desk:1"}) == 2


async def test_a_file_that_was_only_touched_is_not_read_again(tmp_path):
    path = written(tmp_path / "a.csv", HEAD + "1,slow,ann,2026-11-19\n")
    first = await listen(options(tmp_path))
    written(path, path.read_bytes(), age=3600)
    second = await listen(options(tmp_path), first[-1].cursor)
    assert texts(second) == []
    assert second[-1].cursor != first[-1].cursor  # which knows its new time


@pytest.mark.parametrize("name", ["a.csv", "a.jsonl"])
async def test_of_a_file_that_grew_the_added_rows_are_read(tmp_path, name):
    rows = [f"{n},comment {n},ann,2026-11-19\n" for n in range(50)]
    objects = [
        json.dumps({"Ticket": n, "Comment": f"comment {n}", "Customer": "", "Created": ""}) + "\n" for n in range(50)
    ]
    lines = [HEAD, *rows] if name == "a.csv" else objects
    written(tmp_path / name, "".join(lines[:-2]))
    first = await listen(options(tmp_path))
    written(tmp_path / name, "".join(lines), age=3600)
    second = await listen(options(tmp_path), first[-1].cursor)
    assert texts(second) == ["comment 47", "comment 48", "comment 49"]  # the last one may have been cut off
    assert len(texts(first)) == 48


async def test_nothing_is_lost_wherever_a_visit_breaks_off(tmp_path, monkeypatch):
    monkeypatch.setattr(files, "ROWS_A_PAGE", 3)
    for name in ("a.csv", "b.csv", "c.csv"):
        bad = ["3,x\n"] if name == "b.csv" else []
        written(tmp_path / name, HEAD + "".join([f"{name}{n},w{n},ann,\n" for n in range(7)] + bad))
    whole = {post["post_id"] for post in posts(await listen(options(tmp_path)))}
    assert len(whole) == 21
    for stop in (1, 2, 3):
        found, cursor, rejected = [], None, []
        for _ in range(20):
            pages = (await listen(options(tmp_path), cursor))[:stop]
            found += [post["post_id"] for post in posts(pages)]
            rejected += reasons(pages)
            cursor = pages[-1].cursor
        assert sorted(found) == sorted(whole)  # each of them once
        assert rejected == ["b.csv, line 9: 2 fields where the first row has 4"]


async def test_rows_without_an_id_are_known_by_what_they_say(tmp_path):
    written(tmp_path / "a.csv", "words\ngood\ngood\nbad\n")
    feed = options(tmp_path, {"text": "words"})
    first = await listen(feed)
    assert len({post["post_id"] for post in posts(first)}) == 3
    written(tmp_path / "a.csv", "words\nnew\ngood\nbad\ngood\n", age=3600)
    second = await listen(feed, first[-1].cursor)
    assert len({post["post_id"] for post in posts(first + second)}) == 4


async def test_a_row_that_cannot_be_read_is_rejected_with_file_and_line(tmp_path):
    written(
        tmp_path / "a.csv",
        "id,words,stars,at\n1,fine,5,2026-11-19\n2,bad stars,6,2026-11-19\n3,too few\n4,\"two\nlines\",4,2026-11-19\n"
        "5,bad date,3,11/20/2026 3:04 PM\n6,a date of a sheet,3,46345\n7,fine too,3,1795000000\n",
    )  # fmt: skip
    columns = {"id": "id", "text": "words", "rating": "stars", "published_at": "at"}
    pages = await listen(options(tmp_path, columns, rating_scale=(1, 5)))
    assert texts(pages) == ["fine", "two\nlines", "fine too"]
    assert reasons(pages) == [
        "a.csv, line 3: rating is 6, not a number from 1 to 5",
        "a.csv, line 4: 2 fields where the first row has 4",
        "a.csv, line 7: published_at is 11/20/2026 3:04 PM, no date as in 2026-11-20 14:30",
        "a.csv, line 8: published_at is 46345, no date as in 2026-11-20 14:30",
    ]


async def test_a_line_that_is_no_object_is_rejected_alone(tmp_path):
    lines = [
        '{"words": "one"}',
        "[1]",
        "{oops",
        '{"words": 7}',
        "",
        '{"words": "two"}',
        '{"words": null}',
        '{"words": NaN}',
    ]
    written(tmp_path / "a.jsonl", "\n".join(lines) + "\n")
    pages = await listen(options(tmp_path, {"text": "words"}))
    assert texts(pages) == ["one", "two"]
    assert [reason.split(":")[0] for reason in reasons(pages)] == [f"a.jsonl, line {n}" for n in (2, 3, 4, 8)]
    assert pages[0].left_out == {"no text": 1}


async def test_a_wrong_file_is_one_reject_and_comes_after_the_others(tmp_path):
    written(tmp_path / "a.csv", "Ticket,Coment,Customer,Created\n1,x,y,z\n")
    written(tmp_path / "b.parquet", b"no parquet at all")
    written(tmp_path / "c.xlsx", b"PK")
    written(tmp_path / "d.csv", HEAD + "1,fine,ann,2026-11-19\n")
    written(tmp_path / "e.csv.gz", b"not packed")
    pages = await listen(options(tmp_path))
    assert texts(pages[:1]) == ["fine"]
    assert reasons(pages) == [
        "a.csv: no column 'Comment' (did you mean 'Coment'?); there are Ticket, Coment, Customer, Created",
        "b.parquet: not a Parquet file: it starts b'no p'",
        "c.xlsx: its name ends in none of .csv, .tsv, .jsonl, .ndjson, .parquet (the text files also with .gz)",
        "e.csv.gz: not a gzip file: Not a gzipped file (b'no')",
    ]
    assert reasons(await listen(options(tmp_path), pages[-1].cursor)) == []  # said once
    written(tmp_path / "a.csv", HEAD + "9,mended,y,\n", age=3600)
    assert texts(await listen(options(tmp_path), pages[-1].cursor)) == ["mended"]


async def test_a_file_of_mostly_bad_rows_does_not_hold_up_the_others(tmp_path):
    written(tmp_path / "a.csv", HEAD + "1\n2\n3,fine,ann,2026-11-19\n")
    written(tmp_path / "b.csv", HEAD + "4,good,ann,2026-11-19\n")
    pages = await listen(options(tmp_path))
    assert texts(pages) == ["good", "fine"]
    assert "a.csv" not in (pages[0].cursor or "")  # not read yet, as far as that page goes


async def test_a_file_that_is_being_written_is_left_for_the_next_visit(tmp_path):
    written(tmp_path / "a.csv", HEAD + "1,half\n", age=3)
    written(tmp_path / "b.csv", HEAD + "2,whole,ann,2026-11-19\n")
    pages = await listen(options(tmp_path))
    assert texts(pages) == ["whole"]
    assert pages[-1].capped == "a.csv is still being written: it is left for the next visit"
    later = await listen(options(tmp_path), pages[-1].cursor, started_at=NOW + timedelta(minutes=1))
    assert reasons(later) == ["a.csv, line 2: 2 fields where the first row has 4"]


@pytest.mark.parametrize("name", ["a.jsonl", "a.csv", "a.parquet", "a.jsonl.gz"])
async def test_a_file_that_ends_in_the_middle_of_a_row_is_waited_for(tmp_path, name):
    rows = [{"Ticket": str(n), "Comment": f"comment {n}", "Customer": "ann", "Created": ""} for n in range(9)]
    whole = "".join(json.dumps(row) + "\n" for row in rows).encode()
    if name == "a.csv":
        whole = (HEAD + "".join(",".join(row.values()) + "\n" for row in rows)).encode()
    elif name == "a.jsonl.gz":
        whole = gzip.compress(whole)
    elif name == "a.parquet":
        pq.write_table(pa.Table.from_pylist(rows), tmp_path / name)
        whole = (tmp_path / name).read_bytes()
    written(tmp_path / name, whole[:-12], age=600)
    first = await listen(options(tmp_path))
    assert reasons(first) == []
    assert name in (first[-1].capped or "")
    assert "left for the next visit" in (first[-1].capped or "")
    written(tmp_path / name, whole, age=300)
    second = await listen(options(tmp_path), first[-1].cursor)
    assert {post["text"] for post in posts(first + second)} == {row["Comment"] for row in rows}
    assert second[-1].capped is None
    written(tmp_path / name, whole[:-12], age=5 * 3600)  # nobody goes on writing this one
    given_up = await listen(options(tmp_path))
    [reason] = reasons(given_up)
    assert reason.startswith(name)
    assert given_up[-1].capped is None


async def test_packed_files_are_read_up_to_a_size(tmp_path, monkeypatch):
    rows = "".join(f"{n},comment {n},ann,2026-11-19\n" for n in range(3000))
    written(tmp_path / "a.csv.gz", gzip.compress((HEAD + rows).encode()))
    assert len(texts(await listen(options(tmp_path)))) == 3000
    monkeypatch.setattr(table_files, "MAX_UNPACKED", 50_000)
    monkeypatch.setattr(table_files, "CHUNK", 10_000)
    pages = await listen(options(tmp_path))
    assert 1000 < len(texts(pages)) < 3000
    assert reasons(pages) == ["a.csv.gz: it unpacks to more than 50,000 bytes"]


async def test_links_out_of_the_folder_and_hidden_files_are_not_read(tmp_path):
    outside, folder = tmp_path / "outside", tmp_path / "exports"
    outside.mkdir()
    (folder / "2026").mkdir(parents=True)
    written(outside / "secret.csv", HEAD + "1,secret,ann,\n")
    written(folder / "2026" / "a.csv", HEAD + "2,fine,ann,\n")
    written(folder / ".b.csv", HEAD + "3,hidden,ann,\n")
    (folder / "link.csv").symlink_to(outside / "secret.csv")
    (folder / "linked").symlink_to(outside)
    (folder / "within.csv").symlink_to(folder / "2026" / "a.csv")
    (folder / "dangling.csv").symlink_to(tmp_path / "nothing.csv")
    pages = await listen(options(folder, pattern="**/*.csv"))
    assert texts(pages) == ["fine", "fine"]
    assert pages[-1].left_out["link out of the folder"] >= 1


async def test_a_relative_folder_is_where_the_process_runs(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "exports").mkdir()
    written(tmp_path / "exports" / "a.csv", HEAD + "1,fine,ann,\n")
    assert texts(await listen(options(Path("exports")))) == ["fine"]
    with pytest.raises(FeedUnavailable, match=r"folder 'missing'.*No such file"):
        await listen(options(Path("missing")))


async def test_where_opting_in_is_due_no_row_is_kept(tmp_path):
    written(tmp_path / "a.csv", HEAD + "1,fine,ann,\n")
    pages = await listen(options(tmp_path), consent="opt_in")
    assert posts(pages) == []
    assert pages[0].left_out == {"not_opted_in": 1}


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("2026-11-19", "2026-11-19T05:00"),
        ("2026-11-19 01:02", "2026-11-19T06:02"),
        ("2026-11-19T01:02:03Z", "2026-11-19T01:02"),
        ("2026-11-19 01:02 UTC", "2026-11-19T01:02"),
        ("2026/11/19 01:02", "2026-11-19T06:02"),
        ("19.11.2026 01:02", "2026-11-19T06:02"),
        ("20261119", "2026-11-19T05:00"),
        ("Thu, 19 Nov 2026 01:02:03 +0000", "2026-11-19T01:02"),
        ("1795050123", "2026-11-19T01:02"),
        (1795050123456, "2026-11-19T01:02"),
        (date(2026, 11, 19), "2026-11-19T05:00"),
        (datetime(2026, 11, 19, 1, 2), "2026-11-19T06:02"),  # noqa: DTZ001 a column without a zone
    ],
)
def test_dates_without_a_zone_are_in_the_feeds_own(value, expected, tmp_path):
    feed = options(tmp_path, time_zone="America/New_York")
    post = file_row.to_post({"text": "fine", "published_at": value}, visit(feed), "x")
    assert post["published_at"].isoformat()[:16] == expected


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        ({"columns": {"txt": "Comment"}}, "'txt' is nothing a post has; valid: id, text, .* \\(did you mean 'text'"),
        ({"columns": {"id": "Ticket"}}, "a column for `text` or `title` is due"),
        ({"columns": {"text": "a", "rating": "b"}}, "rating_scale and a column for `rating` go together"),
        ({"rating_scale": (1, 5)}, "rating_scale and a column for `rating` go together"),
        ({"columns": {"text": "a", "rating": "b"}, "rating_scale": (5, 1)}, "rating_scale is \\[lowest, highest\\]"),
        ({"pattern": "../*.csv"}, "it names files within the folder"),
        ({"pattern": "/etc/*"}, "it names files within the folder"),
        ({"pattern": "a**.csv"}, "stands alone between slashes"),
        ({"time_zone": "Berlin"}, "no such time zone"),
        ({"time_zone": "../etc/passwd"}, "no such time zone"),
    ],
)
def test_keys_that_make_no_sense_are_refused(keys, said, tmp_path):
    with pytest.raises(ValidationError, match=said):
        options(tmp_path, **keys)


@pytest.mark.parametrize("cursor", ["", "{}", "null", "[]", "not json", '{"folder": "x", "files": 3}'])
async def test_a_cursor_that_cannot_be_read_begins_anew(cursor, tmp_path):
    written(tmp_path / "a.csv", HEAD + "1,fine,ann,\n")
    assert texts(await listen(options(tmp_path), cursor)) == ["fine"]


VALUES = (
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.decimals() | st.binary() | st.datetimes()
    | st.dates() | st.lists(st.text(), max_size=2) | st.sampled_from(["4", "4,5", "2026-11-19", "<p>", "0", "1e400"])
)  # fmt: skip


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.dictionaries(st.sampled_from(file_row.OURS), VALUES))
def test_any_row_is_a_post_rejected_or_left_out(changes):
    columns = {name: name for name in file_row.OURS}
    where = visit(options(Path("x"), columns, rating_scale=(1, 5)))
    cells = {"text": "fine", "rating": Decimal("4"), "published_at": NOW, **changes}
    page = to_page(where, [cells], lambda item: file_row.to_post(item, where, "x"), cursor=None)
    assert page.posts.num_rows + len(page.rejected) + sum(page.left_out.values()) == 1


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture]
)
@given(
    st.sampled_from(["a.csv", "a.jsonl", "a.parquet", "a.csv.gz"]), st.binary(max_size=200) | st.text().map(str.encode)
)
async def test_any_bytes_are_rows_or_a_reason(tmp_path, name, content):
    for old in tmp_path.iterdir():
        old.unlink()
    written(tmp_path / name, content)
    pages = await listen(options(tmp_path, {"text": "a"}))
    assert pages[-1].capped is None
