"""Kept posts looked at again: which are due, and what becomes of those that are gone."""

from datetime import UTC, datetime, timedelta

import pytest
import scripted_source
from hypothesis import given
from hypothesis import strategies as st
from scripted_source import item

from dags import stages
from dags.feed_state import load_state
from dags.sweeping import AGES, REQUESTS, Reached, Seen, due
from listeners.feed import FeedBlocked
from listeners.post import to_page
from listeners.registry import SOURCES
from listeners.standing import told

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
DAY = timedelta(days=1)
TOML = '[[brand]]\nname = "Acme"\n[[feed]]\nid = "a"\nsource = "scripted"\n'


def seen(number, first_at):
    return Seen(f"p{number:03d}", None, first_at, first_at)


def numbers(found):
    return [int(one.post_id[1:]) for one in found.posts]


def test_a_post_is_due_a_day_a_week_and_a_month_after_it_was_first_fetched():
    post = seen(1, NOW)
    looks = [day for day in range(40) if due([post], Reached(at=NOW + day * DAY - DAY), NOW + day * DAY, 9).posts]
    assert looks == [age.days for age in AGES]


def test_what_one_run_leaves_the_next_begins_with_though_all_came_at_once():
    posts = [seen(number, NOW) for number in range(7)]
    reached, asked, left = Reached(at=NOW), [], []
    for run in range(3):
        found = due(posts, reached, NOW + DAY + run * timedelta(minutes=1), 3)
        asked += numbers(found)
        left.append(found.left)
        reached = found.reached
    assert (asked, left) == ([0, 1, 2, 3, 4, 5, 6], [4, 1, 0])


@given(
    st.lists(st.integers(0, 60), min_size=1, max_size=20),
    st.lists(st.tuples(st.integers(1, 20), st.integers(1, 5)), max_size=30),
)
def test_every_look_comes_once_in_whatever_steps_and_however_little_a_run_takes(days, runs):
    posts = [seen(number, NOW + day * DAY) for number, day in enumerate(days)]
    reached, at, asked = Reached(at=NOW), NOW, []
    for pause, most in [*runs, (400, 1_000)]:
        at += pause * DAY
        found = due(posts, reached, at, most)
        asked += [(one.post_id) for one in found.posts]
        reached = found.reached
        assert found.left == 0 or found.posts
    assert set(asked) == {post.post_id for post in posts}
    assert len(asked) <= len(AGES) * len(posts)
    assert due(posts, reached, at, 1_000).posts == []


class Place:
    """A source whose kept posts can be asked for: numbers of those that are gone, whom it was asked for."""

    def __init__(self):
        self.gone, self.asked, self.edits = set(), [], {}
        self.refuses = False

    async def standing(self, visit, kept):
        ids = [int(one.post_id.partition(":")[2]) for one in kept]
        self.asked.append(sorted(ids))
        there = [item(visit, n, self.edits.get(n, "Acme is bad")) for n in ids if n not in self.gone]
        page = to_page(visit, there, lambda row: row, cursor=visit.cursor)
        yield told(visit, len(ids), {f"scripted:{n}" for n in ids if n in self.gone}, page)
        if self.refuses:
            raise FeedBlocked(visit.feed.id, "enough")


class Sweeping:
    """A lake with posts of the scripted source, and a clock."""

    def __init__(self, settings):
        self.settings, self.now = settings, NOW

    def collect(self, *posts):
        def page(visit):
            return to_page(visit, [item(visit, n, "Acme is bad") for n in posts], lambda row: row, cursor="c")

        scripted_source.script[:] = [page]
        return stages.collect(self.settings, now=lambda: self.now)

    def sweep(self, after):
        self.now += after
        return stages.sweep(self.settings, now=lambda: self.now)

    @property
    def standing(self):
        lake = stages.open_lake(self.settings)
        rows = [row for path in lake.files("posts") for row in lake.read(path).to_pylist()]
        newest = {row["post_id"]: row for row in sorted(rows, key=lambda row: (row["fetched_at"], row["deleted"]))}
        return {int(post.partition(":")[2]): row["text"] for post, row in newest.items() if not row["deleted"]}


@pytest.fixture
def place(monkeypatch):
    monkeypatch.setitem(SOURCES, "scripted", "scripted_source")
    made = Place()
    monkeypatch.setattr(scripted_source, "standing", made.standing, raising=False)
    return made


@pytest.fixture
def sweeping(settings_of, place):
    return Sweeping(settings_of(TOML))


def test_a_kept_post_that_is_gone_gets_a_tombstone_and_an_edited_one_a_new_version(sweeping, place):
    sweeping.collect(1, 2, 3)
    place.gone, place.edits = {2}, {3: "Acme is worse"}
    [row] = sweeping.sweep(DAY)
    assert sweeping.standing == {1: "Acme is bad", 3: "Acme is worse"}
    assert (row["feed"], row["outcome"], row["posts"]) == ("a", "new", 2)
    assert row["next_visit_at"] is None  # it is no visit of the schedule's


def test_the_cursor_stays_where_it_was(sweeping, place):
    sweeping.collect(1, 2)
    place.gone = {1}
    sweeping.sweep(DAY)
    assert load_state(stages.open_lake(sweeping.settings), sweeping.settings.feeds[0]).cursor == "c"


def test_each_post_is_asked_for_at_three_ages_and_not_once_it_is_gone(sweeping, place):
    sweeping.collect(1, 2)
    place.gone = {2}
    for _ in range(35):
        sweeping.sweep(DAY)
    assert place.asked == [[1, 2], [1], [1]]


def test_a_place_that_shows_none_of_the_posts_asked_for_is_not_believed(sweeping, place):
    sweeping.collect(1, 2)
    place.gone = {1, 2}
    [row] = sweeping.sweep(DAY)
    assert sorted(sweeping.standing) == [1, 2]
    assert "none of the 2 posts asked for is there" in row["error"]


def test_posts_of_late_are_asked_for_besides_so_that_the_last_one_of_its_day_can_be_believed_gone(sweeping, place):
    sweeping.collect(1)
    sweeping.now += timedelta(hours=23)
    sweeping.collect(2)
    place.gone = {1}
    sweeping.sweep(timedelta(hours=1))
    assert place.asked == [[1, 2]]
    assert sorted(sweeping.standing) == [2]


def test_what_was_learnt_before_a_failure_is_kept_and_the_rest_is_asked_for_again(sweeping, place):
    sweeping.collect(1, 2)
    place.gone, place.refuses = {1}, True
    [row] = sweeping.sweep(DAY)
    assert row["outcome"] == "blocked"
    assert sorted(sweeping.standing) == [2]
    place.refuses = False
    sweeping.sweep(timedelta(hours=1))
    assert place.asked == [[1, 2], [2]]


def test_a_run_asks_for_so_many_and_says_how_many_are_left(sweeping, place):
    sweeping.collect(*range(REQUESTS + 5))
    [row] = sweeping.sweep(DAY)
    assert (row["outcome"], row["error"]) == ("capped", "5 looks at kept posts are left for the next run")
    sweeping.sweep(timedelta(hours=1))
    assert set().union(*place.asked) == set(range(REQUESTS + 5))


def test_a_source_that_cannot_be_asked_is_left_alone(sweeping, place, monkeypatch):
    monkeypatch.delattr(scripted_source, "standing")
    sweeping.collect(1)
    assert sweeping.sweep(DAY) == []
