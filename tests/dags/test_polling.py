"""When a feed is visited next: decided by what the last visits brought, and by what servers and feeds ask for."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dags.polling import DEAD_AFTER, LONGEST, RARELY, LastVisit, is_due, plan

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
BOUNDS = (HOUR, 6 * HOUR)
OUTCOMES = ("new", "unchanged", "empty", "capped", "failed", "blocked", "gone")


def last(outcome, pause):
    """A visit that planned the next one for NOW."""
    return LastVisit(NOW - pause, outcome, NOW)


def pauses(*outcomes):
    """The pauses, in hours, that visits with these outcomes lead to, one after the other."""
    before, found = None, []
    for outcome in outcomes:
        due = plan(outcome, NOW, before, BOUNDS).next_visit_at
        found.append((due - NOW) / HOUR)
        before = LastVisit(NOW, outcome, due)
    return found


def test_a_quiet_feed_is_visited_less_and_less_often_up_to_the_longest_pause():
    assert pauses("new", *["unchanged"] * 6) == [1, 1.5, 2.25, 3.375, 5.0625, 6, 6]


def test_something_new_halves_the_pause_down_to_the_shortest():
    assert pauses(*["empty"] * 9, *["new"] * 4)[-5:] == [6, 3, 1.5, 1, 1]


def test_a_visit_that_left_something_unread_goes_on_soon():
    assert pauses("unchanged", "unchanged", "unchanged", "capped")[-1] == 1


def test_failures_double_the_pause_up_to_a_day_and_an_answer_ends_that():
    assert pauses(*["failed"] * 7, "unchanged") == [1, 2, 4, 8, 16, 24, 24, 1.5]


def days_of(outcome, days, *, then=()):
    """The plans of daily visits with one outcome, from NOW on, and of what comes then."""
    plans, before = [], None
    for day, ended in enumerate([*[outcome] * days, *then]):
        at = NOW + timedelta(days=day)
        plans.append(plan(ended, at, before, BOUNDS))
        before = LastVisit(at, ended, plans[-1].next_visit_at, plans[-1].failing_since)
    return plans


@pytest.mark.parametrize("outcome", ["failed", "blocked", "gone"])
def test_two_weeks_of_nothing_but_failures_make_a_feed_dead_and_visited_once_a_week(outcome):
    *before, last_alive, dead = days_of(outcome, DEAD_AFTER.days + 1)
    assert all(plan.next_visit_at - NOW <= timedelta(days=day + 1) for day, plan in enumerate([*before, last_alive]))
    assert dead.next_visit_at == NOW + DEAD_AFTER + RARELY
    assert (dead.waiting_for, dead.failing_since) == ("dead, nothing but failures since 2026-11-20", NOW)


def test_the_first_answer_revives_a_dead_feed():
    *_, revived, failed = days_of("failed", 20, then=("unchanged", "failed"))
    assert revived.failing_since is None
    assert revived.next_visit_at - (NOW + timedelta(days=20)) == 1.5 * HOUR
    assert failed.failing_since == NOW + timedelta(days=21)


def test_who_refuses_is_left_alone_longer_at_once():
    assert pauses("new", "blocked", "blocked") == [1, 2, 4]


def test_what_the_server_asks_for_outweighs_the_plan():
    made = plan("failed", NOW, None, BOUNDS, retry_at=NOW + 5 * HOUR)
    assert (made.next_visit_at, made.waiting_for) == (NOW + 5 * HOUR, "its server asks to wait")
    soon = plan("failed", NOW, None, BOUNDS, retry_at=NOW + timedelta(minutes=2))
    assert soon.next_visit_at == NOW + HOUR


def test_what_the_feed_asks_for_outweighs_the_plan():
    made = plan("new", NOW, None, BOUNDS, rest=10 * HOUR)
    assert (made.next_visit_at, made.waiting_for) == (NOW + 10 * HOUR, "it asks for this pause")


@pytest.mark.parametrize(
    ("outcome", "said"),
    [("new", None), ("unchanged", "it is quiet"), ("failed", "it failed"), ("blocked", "it refuses us")],
)
def test_the_plan_says_what_it_waits_for(outcome, said):
    assert plan(outcome, NOW, None, BOUNDS).waiting_for == said


def test_a_feed_is_due_a_little_early_and_when_it_was_never_visited():
    assert is_due(None, NOW)
    assert is_due(last("new", HOUR), NOW - timedelta(minutes=4))
    assert not is_due(last("new", HOUR), NOW - timedelta(minutes=6))


@given(
    st.sampled_from(OUTCOMES),
    st.none() | st.builds(last, st.sampled_from(OUTCOMES), st.timedeltas(timedelta(0), LONGEST)),
    st.none() | st.timedeltas(timedelta(0), timedelta(days=900)),
    st.none() | st.datetimes(timezones=st.just(UTC)),
)
def test_a_plan_is_never_sooner_than_the_shortest_pause_nor_later_than_a_day(outcome, before, rest, retry_at):
    due = plan(outcome, NOW, before, BOUNDS, rest=rest, retry_at=retry_at).next_visit_at
    assert HOUR <= due - NOW <= LONGEST
