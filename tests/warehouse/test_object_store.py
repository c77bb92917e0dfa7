"""A lake in an object store: it reads and writes as one in a folder does, and trouble with the store is no damage."""

import os
from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest
from warehouse_rows import NOW, VERSION, batch, brands, feeds, mention, post, store, visit

from warehouse import doctor, object_store, retention, snapshot, tables
from warehouse.lake import Lake, Locked
from warehouse.storage import OutOfReach, Refused


@pytest.fixture
def bucket(s3):
    return s3.bucket()


@pytest.fixture
def far(bucket):
    """A lake in the store."""
    return Lake.open(f"s3://{bucket}/the%20team's/lake")


@pytest.fixture
def publish_far(far, tmp_path):
    """Publish that lake; returns what was published and the rows of two tables."""

    def publish(lake=far, name="far", **how):
        database = tmp_path / name / "w.duckdb"
        published = snapshot.publish(lake, database, brands("Quillon"), feeds("town-talk"), VERSION, NOW, **how)
        with snapshot.connect(database) as connection:
            said = connection.execute("SELECT post_id, text FROM posts ORDER BY ALL").fetchall()
            counted = connection.execute("SELECT * FROM brand_hours ORDER BY ALL").fetchall()
        return published, said, counted

    return publish


def named(lake, *names, run="run"):
    store(lake, [post(name) for name in names], [mention(post(name)) for name in names], run)


def told(lake, table):
    """The posts that a table names, one per row stored."""
    return sorted(row["post_id"] for path in lake.files(table) for row in lake.read(path).to_pylist())


def got(s3):
    """How often each file was read."""
    return Counter(asked.key.rpartition("/lake/")[2] for asked in s3.asked if asked.what == "get")


def denying(*what):
    return lambda asked: (403, "AccessDenied") if asked.what in what else None


# As a folder


def test_what_is_stored_is_read_back(far):
    odd = post("a", source="we/ird 100% söurce", text="Acme is fine")
    [path] = far.append(batch(tables.POSTS, odd), tables.POSTS, "run/1 é")
    assert far.files("posts") == [path]
    assert far.read(path).to_pylist()[0]["text"] == "Acme is fine"
    assert far.pending(VERSION) == [path]
    far.write_mentions(path, VERSION, batch(tables.MENTIONS))
    assert far.pending(VERSION) == []
    assert far.remove([path, "posts/source=rss/date=2026-11-20/gone.parquet"]) == 1
    assert far.files("posts") == []
    with pytest.raises(FileNotFoundError):
        far.read(path)


def test_documents_are_kept(far):
    assert far.read_state("feeds/a b") is None
    far.write_state("feeds/a b", b"1")
    far.write_state("feeds/a b", b"2")
    assert far.read_state("feeds/a b") == b"2"
    assert far.revise_states(lambda document: None if document == b"2" else document) == 1
    assert far.read_state("feeds/a b") is None


def test_a_lake_lies_in_its_prefix_alone(s3, far, bucket):
    named(far, "a")
    other = Lake.open(f"s3://{bucket}/the%20team's/lake2")
    assert other.files("posts") == []
    assert {key.split("/posts/")[0] for key in s3.keys(bucket) if "/posts/" in key} == {"the team's/lake"}


def test_an_address_in_the_url_needs_no_variable(s3, bucket, monkeypatch):
    monkeypatch.delenv("AWS_ENDPOINT_URL")
    host = s3.url.removeprefix("http://")
    lake = Lake.open(f"s3://{bucket}/lake?scheme=http&endpoint_override={host}")
    named(lake, "a")
    assert len(lake.files("posts")) == 1


def test_one_process_of_a_machine_holds_a_lock(far, bucket):
    again = Lake.open(f"s3://{bucket}/the%20team's/lake/")
    with far.lock("watch"), pytest.raises(Locked, match="watch"), again.lock("watch", wait=False):
        pass
    with again.lock("watch", wait=False):
        pass


def test_the_doctor_tells_damage_and_puts_it_aside(s3, far, bucket):
    named(far, "a", run="sound")
    named(far, "b", run="torn")
    [torn] = [path for path in far.files("posts") if "torn" in path]
    far._storage.put(torn, s3.keys(bucket)[f"the team's/lake/{torn}"][:-100])
    assert {(finding.kind, finding.path.split("/")[0]) for finding in doctor.examine(far, NOW)} == {
        ("damaged", "posts"), ("orphaned", "mentions"),
    }  # fmt: skip
    assert all(finding.outcome for finding in doctor.examine(far, NOW, mend=True))
    assert doctor.examine(far, NOW) == []
    assert len(far.quarantined()) == 2
    with pytest.raises(FileNotFoundError):
        far.put_aside(torn, "again", "it is gone")


@pytest.mark.parametrize("tail", [8, 100, object_store.TAIL])
def test_a_footer_is_read_however_long_it_is(far, monkeypatch, tail):
    monkeypatch.setattr(object_store, "TAIL", tail)
    named(far, "a")
    [path] = far.files("posts")
    far._storage.put(path.replace("run", "torn"), far._storage.content(path)[:-5])
    scan = far.scan("posts")
    assert scan.files == [path]
    assert [skipped.path for skipped in scan.skipped] == [path.replace("run", "torn")]


def test_merging_and_retention_keep_each_row_once(far):
    for number in range(6):
        named(far, f"p{number}", run=f"run-{number}")
        far.append(batch(tables.VISITS, visit(hours=number)), tables.VISITS, f"run-{number}")
    assert retention.tidy(far, VERSION, NOW)["files_merged"] == 12
    assert [len(far.files(table)) for table in ("posts", "mentions", "visits")] == [1, 1, 1]
    assert told(far, "posts") == told(far, "mentions") == [f"p{number}" for number in range(6)]
    assert retention.tidy(far, VERSION, NOW + timedelta(days=9), lambda source: 7)["old_files_removed"] == 2
    assert far.files("posts") == []


@pytest.mark.parametrize("step", range(8))
def test_a_merge_that_dies_at_any_request_loses_nothing(s3, far, step):
    for number in range(3):
        named(far, f"p{number}", run=f"run-{number}")
    granted = iter(range(step))
    s3.fault = lambda asked: (
        (403, "AccessDenied") if asked.what in {"put", "delete"} and next(granted, None) is None else None
    )
    with pytest.raises(Refused):
        retention.merge_posts(far, VERSION, NOW + timedelta(days=2))
    s3.fault = lambda asked: None
    assert set(told(far, "posts")) == {"p0", "p1", "p2"}
    retention.tidy(far, VERSION, NOW + timedelta(days=2))
    assert len(far.files("posts")) == len(far.files("mentions")) == 1
    assert set(told(far, "posts")) == set(told(far, "mentions")) == {"p0", "p1", "p2"}


# Publishing


@pytest.mark.slow
def test_it_publishes_what_a_lake_in_a_folder_does(far, publish_far, tmp_path):
    here = Lake.open(str(tmp_path / "lake"))
    for lake in (far, here):
        named(lake, "a", "b")
        lake.append(batch(tables.VISITS, visit()), tables.VISITS, "run")
    assert publish_far()[1:] == publish_far(here, "here")[1:]


def test_a_publish_reads_each_new_file_once_and_no_other(s3, far, bucket, publish_far, tmp_path):
    named(far, "a", run="run-1")
    first = set(far.files("posts") + far.files("mentions"))
    s3.asked.clear()
    publish_far()
    assert got(s3) == dict.fromkeys(first, 1)
    assert set(Counter(asked.key for asked in s3.asked if asked.what == "list").values()) == {1}

    s3.date(bucket, datetime.now(UTC) - timedelta(hours=1))
    publish_far()  # what was young when it was listed is read once more
    named(far, "b", run="run-2")
    s3.asked.clear()
    published, said, _ = publish_far()
    assert published.rebuilt is None
    assert [name for name, _ in said] == ["a", "b"]
    assert got(s3) == dict.fromkeys(set(far.files("posts") + far.files("mentions")) - first, 1)
    copies = [path for path in (tmp_path / "far").rglob("*") if path.suffix == ".parquet"]
    assert copies == [], "what was brought near is gone again"


def test_nothing_differs_from_a_file_built_anew_though_a_file_was_written_over_within_a_second(
    s3, far, bucket, publish_far
):
    at = datetime.now(UTC).replace(microsecond=0)
    named(far, "b", run="run-1")
    named(far, "a", run="run-2")
    s3.date(bucket, at)
    assert publish_far()[1] == [("a", "what a says"), ("b", "what b says")]
    store(far, [post("a", text="what a said")], [mention(post("a", text="what a said"))], "run-2")
    s3.date(bucket, at)
    published, said, _ = publish_far(verify=True)
    assert said == [("a", "what a said"), ("b", "what b says")]
    assert published.rebuilt is None
    assert published.differing == ()


# Trouble


def test_a_hiccup_is_survived(s3, far):
    hiccups = iter([(503, "SlowDown")])
    s3.fault = lambda asked: next(hiccups, None) if asked.what == "put" else None
    named(far, "a")
    assert len(far.files("posts")) == 1
    assert next(hiccups, None) is None


def test_a_store_that_refuses_in_the_middle_is_no_damage(s3, far, publish_far):
    named(far, "a")
    files = far.files("mentions")
    for what in ("get", "head", "list"):
        s3.fault = denying(what)
        for attempt in (
            publish_far,
            lambda: retention.tidy(far, VERSION, NOW),
            lambda: doctor.examine(far, NOW, mend=True),
        ):
            with pytest.raises(Refused, match="access is denied"):
                attempt()
    s3.fault = lambda asked: None
    assert far.files("mentions") == files
    assert far.quarantined() == []
    assert publish_far()[1] == [("a", "what a says")]


@pytest.mark.parametrize(
    ("code", "advice"),
    [
        ("AccessDenied", "list, read, write and delete"),
        ("InvalidAccessKeyId", "AWS_ACCESS_KEY_ID"),
        ("SignatureDoesNotMatch", "secret"),
        ("ExpiredToken", "expired"),
        pytest.param("RequestTimeTooSkewed", "clock", marks=pytest.mark.slow),  # Arrow asks for long
    ],
)
def test_who_is_refused_is_told_what_to_do(s3, bucket, code, advice):
    s3.fault = lambda asked: (403, code)
    with pytest.raises(Refused, match=advice) as refused:
        Lake.open(f"s3://{bucket}/lake")
    assert f"s3://{bucket}/lake" in str(refused.value)
    assert os.environ["AWS_SECRET_ACCESS_KEY"] not in str(refused.value)


def test_a_bucket_that_is_missing_is_no_empty_lake(s3, far, publish_far):
    with pytest.raises(Refused, match="no such bucket: make it"):
        Lake.open("s3://nobody-made-this/lake")
    s3.fault = lambda asked: (404, "NoSuchBucket")
    for attempt in (lambda: far.files("posts"), publish_far):
        with pytest.raises(Refused, match="no such bucket"):
            attempt()


@pytest.mark.parametrize("url", ["s4://bucket/lake", "s3://", "s3:///lake", "s3://bucket/lake?colour=red"])
def test_a_url_that_is_none_is_refused(s3, url):
    with pytest.raises(ValueError, match=url.partition("?")[0]):
        Lake.open(url)


@pytest.mark.slow
def test_a_store_that_is_away_may_be_asked_again(s3, bucket, monkeypatch):
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
    with pytest.raises(OutOfReach, match="try again") as away:
        Lake.open(f"s3://{bucket}/lake")
    assert not isinstance(away.value, Refused)


# Sudden death

UPLOAD = """
import sys
from warehouse.lake import Lake
Lake.open(sys.argv[1]).write_state("document", b"new" * (5 << 20))
"""


def test_an_upload_killed_before_it_is_completed_never_was(s3, far):
    far.write_state("document", b"old")
    s3.killed_while(lambda asked: asked.what == "complete", "-c", UPLOAD, far.location)
    assert any(asked.what == "part" for asked in s3.asked)
    assert far.read_state("document") == b"old"
    far.write_state("document", b"new" * (5 << 20))
    assert far.read_state("document") == b"new" * (5 << 20)


def test_an_upload_of_which_a_part_is_lost_is_not_completed(s3, far):
    far.write_state("document", b"old")
    s3.fault = denying("part")
    with pytest.raises(Refused):
        far.write_state("document", b"new" * (5 << 20))
    s3.fault = lambda asked: None
    assert not any(asked.what == "complete" for asked in s3.asked)
    assert far.read_state("document") == b"old"
