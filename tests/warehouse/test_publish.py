"""Publishing: bad rows and sudden death keep the last good file; readers and other publishers are never in the way."""

import errno
import os
import random
import signal
import threading
import time
from datetime import timedelta
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from processes import FRESH
from warehouse_rows import NOW, VERSION, brands, feeds, hours_ago, mention, post, store

from warehouse import retention, snapshot
from warehouse.lake import Lake


def publish_until(stop, location, database, ready):
    ready.wait()
    while not stop.is_set():
        snapshot.publish(Lake.open(location), Path(database), brands("Quillon"), feeds(), VERSION, NOW)


def read_until(stop, database, ready, told):
    """Tell of every reading how many mentions three tables of one file speak of: they agree, if it is one file."""
    readings = []

    def read():
        with snapshot.connect(Path(database)) as connection:
            for _ in range(3):
                readings.extend(
                    connection.execute(
                        "SELECT (SELECT count(*) FROM mentions), (SELECT sum(mentions)::INT FROM brand_hours), "
                        "(SELECT sum(mentions)::INT FROM brand_days)"
                    ).fetchall()
                )

    read()
    ready.wait()
    while not stop.wait(0.2):  # leaves the publishers some of the processor
        read()
    read()
    told.put(readings)


def write_and_wait(database, is_open):
    with duckdb.connect(str(database)) as connection:
        connection.execute("CREATE TABLE mine AS SELECT 1 AS n")
        is_open.set()
        time.sleep(60)


def a_post(lake):
    store(lake, [post("a")], [mention(post("a"))])


def count_posts(ask):
    [told] = ask("SELECT count(*) AS n FROM posts")
    return told["n"]


def leftovers(database):
    return [path.name for path in database.parent.glob(f".{database.name}*") if not path.name.endswith(".lock")]


def overwrite(lake, path, **columns):
    """Put values the contract refuses into a stored file, as another program or an old bug could."""
    rows = lake.read(path)
    for name, value in columns.items():
        at = rows.schema.get_field_index(name)
        rows = rows.set_column(at, rows.schema.field(at), pa.array([value] * len(rows), rows.schema.field(at).type))
    pq.write_table(rows, lake.folder / path)


def test_offending_rows_keep_the_last_good_file_and_are_told(lake, publish, publish_with, ask, database):
    """What each check finds, test_checks.py tells."""
    publish_with(a_post)
    store(lake, [post("b")], [mention(post("b"))], "bad")
    overwrite(lake, next(path for path in lake.files("mentions") if "bad" in path), certainty=1.5)
    with pytest.raises(snapshot.CheckFailed, match="'b'") as failed:
        publish()
    assert failed.value.check == "opinions_in_range"
    assert failed.value.rows[0]["post_id"] == "b"
    assert ask("SELECT post_id FROM posts") == [{"post_id": "a"}]
    assert leftovers(database) == []


def test_what_a_person_should_look_at_is_a_warning(lake, publish):
    unjudged = [post(f"p{i}", published_at=hours_ago(60), fetched_at=hours_ago(50)) for i in range(20)]
    store(lake, unjudged, [mention(p, sentiment=None) for p in unjudged])
    late, unknown = sorted(publish().warnings, key=lambda told: "sentiment" in told)
    assert "nothing was fetched in the last 24 hours" in late
    assert "have no sentiment" in unknown
    assert "brand = 'Quillon'" in unknown


@pytest.mark.parametrize("moment", ["scan", "dataset"])
def test_a_merge_in_the_middle_of_a_publish_loses_nothing(lake, database, monkeypatch, moment):
    for number in range(6):
        store(lake, [post(f"p{number}")], [mention(post(f"p{number}"))], f"run-{number}")
    honest = getattr(lake, moment)
    listed_before = {"posts": lake.files("posts"), "visits": [], "rejects": [], "alerts": [], "corrections": []}

    def while_a_merge_goes_on(table, **given):
        if len(lake.files("posts")) == 6:
            retention.merge_posts(lake, VERSION, NOW)
            return honest(table, **({"files": listed_before[table]} | given))
        return honest(table, **given)

    monkeypatch.setattr(lake, moment, while_a_merge_goes_on)
    published = snapshot.publish(lake, database, brands("Quillon"), feeds(), VERSION, NOW)
    assert (published.rows["posts"], published.rows["mentions"]) == (6, 6)


def test_a_publisher_killed_at_any_moment_leaves_the_last_good_file(lake, publish, ask, database):
    a_post(lake)
    took = publish().seconds
    chance = random.Random(7)
    died_at_work = 0
    for death in range(6):
        store(lake, [post(f"b{death}")], [mention(post(f"b{death}"))], f"run-{death}")
        pid = os.fork()  # a whole new process would spend its time importing
        if pid == 0:
            publish_until(threading.Event(), lake.location, str(database), threading.Barrier(1))
        time.sleep(chance.random() * 2 * took)
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        died_at_work += bool(leftovers(database))
        [told] = ask("SELECT (SELECT count(*) FROM posts) AS posts, (SELECT count(*) FROM mentions) AS mentions")
        assert told["posts"] == told["mentions"] >= 1
    assert died_at_work > 0
    publish()
    assert ask("SELECT count(*) AS n FROM posts") == [{"n": 7}]
    assert leftovers(database) == []


def publishers_and_readers(lake, database, seconds):
    told, ready, stop = FRESH.Queue(), FRESH.Barrier(7), FRESH.Event()
    publishers = [
        FRESH.Process(target=publish_until, args=(stop, lake.location, str(database), ready)) for _ in range(2)
    ]
    readers = [FRESH.Process(target=read_until, args=(stop, str(database), ready, told)) for _ in range(4)]
    for process in (*publishers, *readers):
        process.start()
    ready.wait(timeout=120)
    began = time.time()
    swaps, added, last = 0, 0, database.stat().st_ino
    while time.time() < began + seconds or (swaps < 4 and time.time() < began + 60):
        said = post(f"late-{added}")
        store(lake, [said], [mention(said)], f"late-{added}")
        added += 1
        time.sleep(0.1)
        swaps += database.stat().st_ino != last
        last = database.stat().st_ino
    stop.set()
    readings = [told.get(timeout=60) for _ in readers]
    for process in (*publishers, *readers):
        process.join()
    assert [process.exitcode for process in (*publishers, *readers)] == [0] * 6
    assert [reading for reader in readings for reading in reader if len(set(reading)) != 1] == []
    assert all(reader[0] == (1, 1, 1) and reader[-1] > (1, 1, 1) for reader in readings)


def seen_together(lake, database, publish_with, seconds):
    publish_with(a_post)
    publishers_and_readers(lake, database, seconds)
    assert leftovers(database) == []


def test_two_publishers_and_four_readers_are_never_in_each_others_way(lake, database, publish_with):
    seen_together(lake, database, publish_with, seconds=2)


@pytest.mark.slow
def test_two_publishers_and_four_readers_for_long(lake, database, publish_with):
    seen_together(lake, database, publish_with, seconds=20)


def test_a_reader_that_never_closes_keeps_nobody_waiting(lake, publish, publish_with, database):
    publish_with(a_post)
    with snapshot.connect(database) as stays:
        store(lake, [post("b")], [mention(post("b"))], "more")
        assert publish().rows["posts"] == 2
        assert stays.execute("SELECT count(*) FROM posts").fetchall() == [(1,)]


def test_the_same_lake_gives_the_same_file_content(lake, publish, ask, database):
    said = [post(f"p{i}", published_at=hours_ago(i % 30), author=f"a{i % 7}") for i in range(60)]
    store(lake, said, [mention(p, sentiment=i % 3 - 1) for i, p in enumerate(said)])
    publish()
    names = ["posts", "mentions", "brand_hours", "brand_days"]
    first = [ask(f"FROM {name} ORDER BY ALL") for name in names]
    publish()
    assert [ask(f"FROM {name} ORDER BY ALL") for name in names] == first


def test_a_publish_goes_on_from_the_last_file_or_tells_why_it_cannot(lake, publish, ask, monkeypatch):
    a_post(lake)
    assert publish().rebuilt == "there is no file to go on from"
    store(lake, [post("b")], [mention(post("b"))], "more")
    assert publish().rebuilt is None
    assert count_posts(ask) == 2
    assert publish(rebuild=True).rebuilt == "it was asked for"
    changed = {}
    for what, value, why in (
        ("brand_rows", brands("Quillon", Telvo=["Quillon"]), "the brands of listening.toml changed"),
        ("feed_rows", feeds("town-talk", "village"), "the feeds of listening.toml changed"),
        ("confusion", [[1, 0, 0], [0, 1, 0], [0, 0, 1]], "nlp's measured errors changed"),
        ("now", NOW - timedelta(hours=2), "the clock was set back"),
    ):
        changed[what] = value
        assert publish(**changed).rebuilt == why
    monkeypatch.setattr(snapshot, "MADE", snapshot.MADE + 1)
    assert publish(**changed).rebuilt == "the program changed"


def test_a_damaged_last_file_is_neither_gone_on_from_nor_kept(lake, publish, publish_with, ask, database):
    publish_with(a_post)
    database.chmod(0o644)
    database.write_bytes(b"no database")
    assert publish().rebuilt == "there is no file to go on from"
    assert count_posts(ask) == 1
    assert not snapshot.previous(database).exists()


def test_one_can_go_back_to_the_file_before_and_return(lake, publish, publish_with, ask, database):
    with pytest.raises(snapshot.NoPrevious, match=r"word_of_mouse\.previous\.duckdb is not there"):
        snapshot.rollback(database)
    publish_with(a_post)
    store(lake, [post("b")], [mention(post("b"))], "more")
    publish()
    counts = [count_posts(ask)]
    for _ in range(2):
        snapshot.rollback(database)
        counts.append(count_posts(ask))
    assert counts == [2, 1, 2]
    snapshot.rollback(database)
    assert publish().rebuilt is None
    assert count_posts(ask) == 2
    assert leftovers(database) == []


def test_nobody_may_write_to_what_is_published(publish, publish_with, database):
    publish_with(a_post)
    modes = [database.stat().st_mode]
    assert publish().rebuilt is None
    modes.append(database.stat().st_mode)
    snapshot.rollback(database)
    modes.append(database.stat().st_mode)
    assert [mode & 0o222 for mode in modes] == [0, 0, 0]


def test_a_writer_shuts_readers_out_until_the_next_publish_also_if_it_is_killed(publish, publish_with, ask, database):
    publish_with(a_post)
    database.chmod(0o644)
    is_open = FRESH.Event()
    writer = FRESH.Process(target=write_and_wait, args=(database, is_open), daemon=True)
    writer.start()
    assert is_open.wait(30)
    with pytest.raises(snapshot.DatabaseUnreadable, match=r"word_of_mouse\.duckdb is open for writing elsewhere"):
        snapshot.connect(database)
    writer.kill()
    writer.join()
    log = database.with_name(f"{database.name}.wal")
    assert log.exists()
    publish()
    assert count_posts(ask) == 1
    assert ask("SELECT table_name FROM duckdb_tables() WHERE table_name = 'mine'") == []
    assert not log.exists()


def test_a_file_for_which_little_memory_does_not_do_is_built_in_more(publish, publish_with, ask, monkeypatch):
    for name in ("MEMORY_AT_LEAST", "MEMORY_A_THREAD"):
        monkeypatch.setattr(snapshot, name, 1_000_000)  # bytes: too few for anything
    publish_with(a_post)
    assert publish(rebuild=True).rebuilt == "it was asked for"
    assert count_posts(ask) == 1


def test_verifying_finds_nothing_wrong_where_days_went_by_in_silence(publish):
    publish()
    assert publish(now=NOW + timedelta(days=3), verify=True).differing == ()


def test_verifying_names_the_tables_that_differ_and_mends_them(lake, publish, publish_with, ask, database):
    publish_with(a_post)
    store(lake, [post("b")], [mention(post("b"))], "more")
    assert publish(verify=True).differing == ()
    database.chmod(0o644)
    with duckdb.connect(str(database)) as connection:
        connection.execute("DELETE FROM opinions WHERE post_id = 'a'")
    published = publish(verify=True)
    assert [(one.name, one.only_in_first, one.only_in_second) for one in published.differing] == [
        ("main.opinions", 0, 1)
    ]
    assert ask("SELECT count(*) AS n FROM opinions") == [{"n": 2}]


def test_a_full_disk_is_told_and_keeps_the_last_file(lake, publish, publish_with, ask, database, monkeypatch):
    publish_with(a_post)

    def full(source, target):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(snapshot.shutil, "copyfile", full)
    monkeypatch.setattr(snapshot, "FICLONE", 0)  # or a file system that shares blocks needs no room
    store(lake, [post("b")], [mention(post("b"))], "more")
    with pytest.raises(OSError, match="is full, the last one stays"):
        publish()
    assert count_posts(ask) == 1
    assert leftovers(database) == []


def test_a_file_that_is_written_over_is_read_again(lake, publish, ask):
    store(lake, [post("a"), post("b")], [mention(post("a")), mention(post("b"))], "same name")
    publish()
    store(lake, [post("c")], [mention(post("c"))], "same name")
    assert publish().rebuilt is None
    assert ask("SELECT post_id FROM posts") == ask("SELECT post_id FROM mentions") == [{"post_id": "c"}]
