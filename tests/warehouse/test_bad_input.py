"""What no sane world sends, and machines that fail: nothing is lost, nothing torn, and what is told is clear.

Elsewhere: dates of the future (test_checks.py, tests/listeners/test_post.py), damaged files (test_snapshot.py), two
publishers at once and readers that never close (test_publish.py), brands that change (tests/dags/test_other_brands.py).
"""

import os
import resource
from datetime import timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from warehouse_rows import NOW, VERSION, batch, brands, feeds, hours_ago, mention, post, store

from warehouse import snapshot, tables
from warehouse.layout import mentions_path


def test_of_a_post_in_ten_versions_the_last_counts_and_each_can_be_asked_for(lake, publish, ask):
    readings = [
        post("a", text=f"version {hours}", published_at=hours_ago(20), fetched_at=hours_ago(hours))
        for hours in range(10, 0, -1)
    ]  # fmt: skip
    for number, reading in enumerate(readings):
        store(lake, [reading], [mention(reading, sentiment=-1 if number % 2 else 1)], f"run-{number}")
    assert publish().warnings == ()
    assert ask("SELECT text FROM posts") == [{"text": "version 1"}]
    assert ask("SELECT count(*) AS n FROM lake.posts") == [{"n": 10}]
    assert ask("SELECT sentiment, text FROM mentions") == [{"sentiment": -1, "text": "version 1"}]
    assert ask("SELECT sum(mentions)::INT AS n, sum(negatives)::INT AS against FROM brand_hours") == [
        {"n": 1, "against": 1}
    ]
    [then] = ask(
        "SELECT sum(n)::INT AS n, sum(positives)::INT AS for_it FROM trend('Quillon', as_of := ?::TIMESTAMP)",
        hours_ago(3.9).replace(tzinfo=None),
    )
    assert then == {"n": 1, "for_it": 1}


def flood(lake, count):
    """That many different complaints by one author, within half an hour of an hour that is over."""
    names = pa.array([f"flood-{number}" for number in range(count)])
    at = NOW - timedelta(minutes=145)
    start = int(at.timestamp() * 1_000_000)
    times = pa.array(start + np.arange(count) * (1_800_000_000 // count), pa.timestamp("us", "UTC"))
    own = {"post_id": names, "published_at": times, "text": names}
    of_posts = post("x", author="one", version="v", fetched_at=NOW - timedelta(minutes=5), published_at=at)
    of_mentions = mention(of_posts, sentiment=-1, intents=["complain"], experience="first_hand")
    path = f"posts/source=rss/date={NOW:%Y-%m-%d}/flood.parquet"
    lake.replace("mentions", _repeated(tables.MENTIONS, of_mentions, own, count), mentions_path(path, VERSION))
    lake.replace("posts", _repeated(tables.POSTS, of_posts, own, count), path)


def _repeated(schema, row, own, count):
    """A row over and over, with columns of its own."""
    once = batch(schema, row)
    at_all = pa.array(np.zeros(count, dtype=np.int64))
    return pa.table({name: own.get(name, once.column(name).take(at_all)) for name in schema.names}, schema=schema)


@pytest.mark.parametrize("count", [1_000, pytest.param(100_000, marks=pytest.mark.slow)])
def test_thousands_of_posts_by_one_author_in_an_hour_are_one_voice_and_no_storm(lake, publish, ask, count):
    calm = [
        post(f"calm{i}", published_at=hours_ago(i + 1), fetched_at=hours_ago(i + 0.5)) for i in range(0, 30 * 24, 3)
    ]
    store(lake, calm, [mention(of, sentiment=(-1, 0, 1)[number % 3]) for number, of in enumerate(calm)])
    flood(lake, count)
    published = publish()
    assert published.rows["posts"] == count + len(calm)
    assert ask("SELECT mentions, authors FROM brand_hours ORDER BY mentions DESC LIMIT 1") == [
        {"mentions": count, "authors": 1}
    ]
    assert ask("SELECT max(negatives) AS counted FROM spike_counts WHERE aspect IS NULL") == [{"counted": 1}]
    assert ask("FROM negative_spikes") == []
    [voice] = ask("SELECT n FROM trend('Quillon', unit := 'author') ORDER BY period DESC LIMIT 1")
    assert voice["n"] < 10


def told_where_no_file_may_grow_beyond(size, publish, **how):
    """What a publish in a process of its own ends with. Such a limit stands for a disk that is full: writing fails at
    the same places, with another number.
    """
    reading, writing = os.pipe()
    if (pid := os.fork()) == 0:
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))
        try:
            publish(**how)
        except OSError as error:
            os.write(writing, str(error).encode())
        os._exit(0)
    os.waitpid(pid, 0)
    os.close(writing)
    with os.fdopen(reading) as told:
        return told.read()


def test_a_count_below_zero_that_somebody_wrote_into_the_lake_fails_the_check_that_tells_of_it(lake, publish):
    store(lake, [post("a")], [mention(post("a"), sentiment=-1)])
    [path] = [Path(lake.folder, file) for file in lake.files("posts")]
    posts = pq.ParquetFile(path).read()
    place = posts.schema.get_field_index("author_followers")
    pq.write_table(posts.set_column(place, posts.schema.field(place), pa.array([-5], pa.int64())), path)
    with pytest.raises(snapshot.CheckFailed, match=r"posts_in_range: .*author_followers = -5"):
        publish()


def test_a_disk_that_fills_in_the_middle_of_a_publish_is_told_and_keeps_the_last_file(lake, publish, ask, database):
    store(lake, [post("a")], [mention(post("a"))])
    publish()
    room = database.stat().st_size + 100_000
    said = [post(f"b{i}", text=os.urandom(2000).hex()) for i in range(1000)]
    store(lake, said, [mention(of) for of in said], "more")
    for how in ({}, {"rebuild": True}):
        told = told_where_no_file_may_grow_beyond(room, publish, **how)
        assert str(database) in told
        assert "the last one stays" in told
        assert "File too large" in told
        assert ask("SELECT post_id FROM posts") == [{"post_id": "a"}]
        assert list(database.parent.glob(f".{database.name}.new-*")) == []
    assert publish().rows["posts"] == 1001


def test_feeds_and_brands_that_are_gone_from_the_configuration_keep_what_was_heard(lake, publish, ask):
    said = [post("a"), post("b", feed="retired")]
    store(lake, said, [mention(said[0]), mention(said[1], "Telvo")])
    publish(brands("Quillon", "Telvo"), feeds("town-talk", "retired"))
    [told] = publish(brands("Quillon"), feeds("town-talk")).warnings
    assert "listening.toml does not name" in told
    assert "Telvo" in told
    assert ask("SELECT brand FROM mentions ORDER BY brand") == [{"brand": "Quillon"}, {"brand": "Telvo"}]
    assert ask("SELECT n FROM trend('Telvo') WHERE n > 0") == [{"n": 1}]
