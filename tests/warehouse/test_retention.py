"""Housekeeping: fewer files, the same rows, and nothing is read twice by nlp."""

import pytest
from warehouse_rows import NOW, VERSION, batch, mention, post, store, visit

from warehouse import retention, tables


def fill(lake, runs=6):
    for number in range(runs):
        said = [post(f"p{number}-{i}") for i in range(3)]
        store(lake, said, [mention(p, sentiment=-1) for p in said[:2]], f"run-{number}")
        lake.append(batch(tables.VISITS, visit(hours=number / 10)), tables.VISITS, f"run-{number}")


def content(ask):
    return [ask(f"FROM {name} ORDER BY ALL") for name in ("posts", "mentions", "brand_hours", "feed_health")]


def test_small_files_become_one_and_the_answers_stay(lake, publish, ask):
    fill(lake)
    publish()
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
def test_a_merge_that_dies_at_any_step_is_done_over(lake, publish, ask, monkeypatch, steps):
    """Die after a number of writes and removals; then readers count right, and the next run tidies up."""
    fill(lake)
    publish()
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
