"""Housekeeping: fewer files, the same rows, and nothing is read twice by nlp."""

import itertools
from datetime import timedelta

import pytest
from warehouse_rows import NOW, VERSION, batch, feeds, hours_ago, mention, post, store, visit

from warehouse import retention, tables
from warehouse.layout import day_of, source_of


def fill(lake, runs=6):
    for number in range(runs):
        said = [post(f"p{number}-{i}") for i in range(3)]
        store(lake, said, [mention(p, sentiment=-1) for p in said[:2]], f"run-{number}")
        lake.append(batch(tables.VISITS, visit(hours=number / 10)), tables.VISITS, f"run-{number}")


def content(ask):
    return [ask(f"FROM {name} ORDER BY ALL") for name in ("posts", "mentions", "brand_hours", "feed_health")]


def test_small_files_become_one_and_the_answers_stay(lake, publish_with, publish, ask):
    publish_with(fill)
    before = content(ask)
    assert retention.tidy(lake, VERSION, NOW)["files_merged"] == 12
    assert [len(lake.files(table)) for table in ("posts", "mentions", "visits")] == [1, 1, 1]
    assert lake.pending(VERSION) == []
    publish()
    assert content(ask) == before
    assert set(retention.tidy(lake, VERSION, NOW).values()) == {0}


def test_posts_that_nlp_has_not_read_stay_pending(lake):
    fill(lake)
    unread = lake.append(batch(tables.POSTS, post("unread")), tables.POSTS, "unread")
    retention.tidy(lake, VERSION, NOW)
    assert lake.pending(VERSION) == unread
    assert len(lake.files("posts")) == 2


@pytest.mark.parametrize("steps", [1, 5, 10, 16])
def test_a_merge_that_dies_at_any_step_is_done_over(lake, publish_with, publish, ask, monkeypatch, steps):
    """Die after a number of writes and removals; then readers count right, and the next run tidies up."""
    publish_with(fill)
    before = content(ask)
    left = iter(range(steps))
    put, delete = lake.replace, lake.remove

    def one_step():
        if next(left, None) is None:
            raise KeyboardInterrupt

    def dying_replace(*given):
        one_step()
        put(*given)

    def dying_remove(paths):
        for path in paths:
            one_step()
            delete([path])
        return len(paths)

    with monkeypatch.context() as patch:
        patch.setattr(lake, "replace", dying_replace)
        patch.setattr(lake, "remove", dying_remove)
        with pytest.raises(KeyboardInterrupt):
            retention.tidy(lake, VERSION, NOW)
    assert lake.pending(VERSION) == []
    publish()
    assert content(ask) == before
    retention.tidy(lake, VERSION, NOW)
    assert len(lake.files("posts")) == len(lake.files("mentions")) <= 5
    publish()
    assert content(ask) == before


def test_damaged_mentions_are_made_anew(lake):
    fill(lake, runs=1)
    [path] = lake.files("mentions")
    (lake.folder / path).write_bytes(b"PAR1")
    assert retention.tidy(lake, VERSION, NOW)["damaged_mentions_removed"] == 1
    assert lake.pending(VERSION) == lake.files("posts")


def test_a_day_with_a_damaged_file_is_left_alone(lake):
    fill(lake)
    torn = lake.files("posts")[2]
    (lake.folder / torn).write_bytes(b"PAR1")
    retention.tidy(lake, VERSION, NOW)
    assert len(lake.files("posts")) == 6


def test_old_mentions_go_once_all_posts_were_read_anew(lake):
    fill(lake, runs=2)
    assert retention.tidy(lake, "rules-2", NOW)["old_mentions_removed"] == 0
    for path in lake.files("posts"):
        lake.write_mentions(path, "rules-2", tables.empty(tables.MENTIONS))
    assert retention.tidy(lake, "rules-2", NOW)["old_mentions_removed"] == 2


def test_a_version_that_has_read_more_keeps_its_mentions_while_another_catches_up(lake):
    fill(lake)
    for path in lake.files("posts")[:4]:
        lake.write_mentions(path, "rules-2", tables.empty(tables.MENTIONS))
    before = lake.mentions_files(VERSION)
    retention.tidy(lake, "rules-2", NOW)
    assert lake.mentions_files(VERSION) == before
    assert lake.pending(VERSION) == []


def test_old_mentions_go_though_new_posts_have_just_arrived(lake):
    fill(lake, runs=2)
    for path in lake.files("posts"):
        lake.write_mentions(path, "rules-2", tables.empty(tables.MENTIONS))
    lake.append(batch(tables.POSTS, post("unread")), tables.POSTS, "unread")
    assert retention.tidy(lake, "rules-2", NOW)["old_mentions_removed"] == 2


def fill_days(lake, days_ago, runs=1, sources=("rss", "mastodon")):
    """Store some runs of each of these days: a post, its mention, a visit and a reject of each source."""
    for day, number in itertools.product(days_ago, range(runs)):
        at, run = hours_ago(24 * day + number), f"{day}-{number}"
        for source in sources:
            said = post(f"{source}-{run}", source=source, published_at=at, fetched_at=at)
            store(lake, [said], [mention(said)], f"{source}-{run}")
            of_run = {"feed": source, "source": source}
            seen = visit(**of_run, started_at=at, finished_at=at, next_visit_at=at)
            lake.append(batch(tables.VISITS, seen), tables.VISITS, f"{source}-{run}")
            refused = {**of_run, "reason": "no text", "item_hash": run, "excerpt": "<p/>", "rejected_at": at}
            lake.append(batch(tables.REJECTS, refused), tables.REJECTS, f"{source}-{run}")


def test_days_that_are_over_end_as_one_file_of_each_source_and_table(lake, publish, ask):
    fill_days(lake, range(2), runs=3)
    publish()
    before = content(ask)
    retention.tidy(lake, VERSION, NOW + timedelta(days=1))
    for table in retention.OF_SOURCES:
        places = [(source_of(path), day_of(path)) for path in lake.files(table)]
        assert len(places) == len(set(places)) == 4
    publish()
    assert content(ask) == before
    assert retention.tidy(lake, VERSION, NOW + timedelta(days=1))["files_merged"] == 0


def kept(lake, table, source):
    """Return how many days old what a lake keeps of a source is, the newest first."""
    found = {day for path in lake.files(table) if source_of(path) == source and (day := day_of(path))}
    return sorted((NOW.date() - day).days for day in found)


def test_what_is_older_than_its_source_is_kept_goes_and_nothing_else(lake, publish, ask):
    fill_days(lake, (0, 5, 6, 35, 36))
    done = retention.tidy(lake, VERSION, NOW, {"mastodon": 5}.get)
    for table in ("posts", "mentions", "rejects"):
        assert kept(lake, table, "mastodon") == [0, 5]
        assert kept(lake, table, "rss") == [0, 5, 6, 35, 36]
    assert kept(lake, "visits", "mastodon") == [0, 5, 6, 35]
    assert done["old_files_removed"] == 3 * 3 + 1
    assert lake.pending(VERSION) == []
    publish()
    assert ask("SELECT source, count(*) AS n FROM mentions GROUP BY source ORDER BY source") == [
        {"source": "mastodon", "n": 2},
        {"source": "rss", "n": 5},
    ]


def test_nothing_goes_for_its_age_unless_that_is_asked_for(lake):
    fill_days(lake, (0, 3))
    assert retention.tidy(lake, VERSION, NOW + timedelta(days=10_000))["old_files_removed"] == 0


def test_old_posts_whose_removal_died_half_way_are_not_read_again(lake, monkeypatch):
    fill_days(lake, range(5), sources=("rss",))
    remove = lake.remove

    def dying(paths):
        remove(paths[:1])
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(lake, "remove", dying)
        with pytest.raises(KeyboardInterrupt):
            retention.drop_old(lake, lambda source: 2, NOW)
    assert lake.pending(VERSION) == []
    retention.tidy(lake, VERSION, NOW, lambda source: 2)
    assert kept(lake, "posts", "rss") == kept(lake, "mentions", "rss") == [0, 1, 2]


def test_feed_health_says_since_when_what_a_feed_brought_is_kept(lake, publish, ask):
    told = batch(
        tables.FEEDS,
        *(
            {**row, "keep_days": days}
            for row, days in zip(feeds("short", "for-ever").to_pylist(), (30, None), strict=True)
        ),
    )
    publish(feed_rows=told)
    assert [row["kept_since"] for row in ask("SELECT kept_since FROM feed_health ORDER BY feed")] == [
        None,
        NOW.date() - timedelta(days=30),
    ]
