"""Replaying rules: spikes and past events in, what would have been told out, and how good that is."""

import json
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from warehouse_rows import NOW, event, hours_ago

from warehouse.replay import Incident, begun_alike, best, compared, figures, incidents, labels_of, walk

HOUR = NOW.replace(minute=0)
SINCE = NOW - timedelta(days=30)


def spike(hours, brand="Quillon", window_hours=1, score=5.0, severity="tell", aspect=None, negatives=10):
    """A spike hour that began some hours before NOW's hour."""
    return {
        "brand": brand, "aspect": aspect, "source": None, "hour": (HOUR - timedelta(hours=hours)).replace(tzinfo=None),
        "window_hours": window_hours, "negatives": negatives, "expected": 1.5, "mentions": 2 * negatives,
        "negative_share": 0.5, "expected_share": 0.1, "score": score, "severity": severity,
    }  # fmt: skip


def incident(hours, *, told=None, label=None, brand="Quillon", severity="tell"):
    """An incident of one hour that was opened some hours before NOW, and told some hours before NOW."""
    at = hours_ago(hours)
    return Incident(
        brand, at, at - timedelta(hours=1), at - timedelta(hours=1), at, severity, (), (), 10, 1.5,
        hours_ago(told) if told else None, label,
    )  # fmt: skip


def really(alert_id, hours, *said):
    """The events of an alert opened some hours before NOW, and what people then said of it."""
    at = hours_ago(hours)
    evidence = {"since": (at - timedelta(hours=1)).isoformat(), "until": at.isoformat(), "window_hours": 3}
    rows = [event(alert_id, "opened", hours, evidence=json.dumps(evidence))]
    return rows + [event(alert_id, what, hours - 1, by=by) for what, by in said]


def test_an_incident_is_opened_as_soon_as_its_first_hour_is_over():
    [one] = walk([spike(10, window_hours=6), spike(9), spike(8)], SINCE, NOW)
    assert one.opened_at == HOUR - timedelta(hours=9)
    assert one.begun_at == HOUR - timedelta(hours=15), "its window began five hours before"
    assert (one.brand, one.severity, one.negatives, one.expected) == ("Quillon", "tell", 10, 1.5)


def test_hours_further_apart_than_the_cooldown_are_told_apart_and_brands_always():
    told = walk([spike(100), spike(99), spike(80), spike(99, brand="Vossberg")], SINCE, NOW)
    assert [(one.brand, one.opened_at) for one in told] == [
        ("Quillon", HOUR - timedelta(hours=99)),
        ("Vossberg", HOUR - timedelta(hours=98)),
        ("Quillon", HOUR - timedelta(hours=79)),
    ]


def test_an_incident_shows_how_bad_it_became_and_what_joined_it():
    [one] = walk([spike(9), spike(8, severity="page"), spike(7, aspect="billing", negatives=8)], SINCE, NOW)
    assert (one.severity, one.aspects) == ("page", ("billing",))


def test_what_was_open_when_the_period_began_is_not_opened_in_it():
    spikes = [spike(hours) for hours in range(60, 40, -1)]
    assert len(walk(spikes, HOUR - timedelta(hours=70), NOW)) == 1
    assert walk(spikes, HOUR - timedelta(hours=50), NOW) == []


@settings(max_examples=25, deadline=None)
@given(st.sets(st.integers(2, 90), max_size=20), st.integers(3, 90))
def test_what_comes_later_changes_nothing_that_was_opened_before(hours, cut):
    spikes = [spike(hour) for hour in hours]
    then = HOUR - timedelta(hours=cut)
    known = [one for one in spikes if one["hour"] < then.replace(tzinfo=None)]
    opened = [one.opened_at for one in walk(spikes, SINCE, NOW) if one.opened_at <= then]
    assert opened == [one.opened_at for one in walk(known, SINCE, then)]


def test_brands_are_reported_as_they_are_done():
    done = []
    walk([spike(9), spike(9, brand="Vossberg")], SINCE, NOW, done.append)
    assert done == ["Quillon", "Vossberg"]


def test_acknowledged_and_resolved_by_a_person_are_right_and_dismissed_is_none():
    past = [
        *really("taken", 90, ("acknowledged", "kim")), *really("closed", 80, ("resolved", "kim")),
        *really("faded", 70, ("resolved", "watch")), *really("none", 60, ("dismissed", "lee")),
        *really("asleep", 50, ("snoozed", "kim")),
        *really("at second sight", 40, ("acknowledged", "kim")), event("at second sight", "dismissed", 20, by="kim"),
    ]  # fmt: skip
    assert labels_of(past) == {"taken": True, "closed": True, "none": False, "at second sight": False}


def test_what_was_really_told_is_read_from_its_events():
    past = [
        *really("a", 20, ("dismissed", "kim")),
        event("a", "notified", 18, by="care", evidence='{"event": "opened"}'),
        event("a", "notified", 2, by="care", evidence='{"event": "resolved"}'),
        event("praise", "opened", 9, kind="praise"),
    ]
    [one] = incidents(past)
    assert (one.opened_at, one.told_at, one.label) == (hours_ago(20), hours_ago(18), False)
    assert one.begun_at == hours_ago(23), "two hours before its first spiking hour: the window had three"


def test_an_incident_gets_the_label_and_telling_of_the_alert_it_is():
    real = [incident(50, told=48, label=False), incident(20, label=True), incident(20, brand="Vossberg", label=False)]
    early, late, other = compared([incident(52), incident(20), incident(35)], real)
    assert (early.label, early.told_at) == (False, hours_ago(48))
    assert (late.label, late.told_at) == (True, None)
    assert (other.label, other.told_at) == (None, None)


def test_delays_of_one_incident_count_from_one_moment_whoever_finds_it_first():
    soon, late, other = walk([spike(10, window_hours=3)], SINCE, NOW), walk([spike(8)], SINCE, NOW), [incident(50)]
    assert [figures(told, [], 0).delay_hours for told in (soon, late)] == [3, 1], "as if the later were the sooner"
    alike = begun_alike([soon, [*late, *other], []])
    assert [figures(told, [], 0).delay_hours for told in (alike[0], alike[1][:1])] == [3, 5]
    assert alike[1][1:] == other
    assert alike[2] == []


def test_figures_count_what_people_said_of_the_alerts_that_are_told_too():
    real = [incident(100 * n, told=100 * n - 2, label=n > 2) for n in range(1, 7)]  # two were none, four were right
    told = [incident(100 * n, severity="page" if n == 6 else "tell") for n in range(2, 7)] + [incident(50)]
    shown = figures(told, real, 2 * 730.5)
    assert (shown.alerts, shown.alerts_a_brand_month, shown.pages) == (6, pytest.approx(3), 1)
    assert (shown.true, shown.false, shown.true_missed, shown.false_spared) == (4, 1, 0, 1)
    assert shown.precision == pytest.approx(0.8)
    assert (shown.precision_low, shown.precision_high) == (
        pytest.approx(0.376, abs=1e-3),
        pytest.approx(0.964, abs=1e-3),
    )
    assert shown.delay_hours == 1
    assert figures(real, real, 0, is_real=True).delay_hours == 3, "it was told two hours after it was opened"


def test_of_few_labels_or_none_no_share_is_claimed():
    real = [incident(100 * n, label=True) for n in range(1, 5)]
    shown = figures(real, real, 0)
    assert (shown.true, shown.precision, shown.precision_low, shown.alerts_a_brand_month) == (4, None, None, None)
    assert figures([], [], 10).delay_hours is None


def test_what_spares_false_alerts_and_loses_no_true_one_is_preferred():
    real = [incident(100 * n, label=n > 5) for n in range(1, 12)]
    today = figures(real, real, 1000)
    loses_one, spares_two, spares_four, no_better = (
        figures(told, real, 1000) for told in (real[6:], real[2:], real[4:], real)
    )
    assert best(today, [no_better, spares_two, spares_four, loses_one]) == 2
    assert best(today, [no_better, loses_one]) is None
    few = [*real[:4], *real[5:]]
    assert best(figures(few, few, 1000), [figures(few[4:], few, 1000)]) is None, "four labels speak for nothing"
