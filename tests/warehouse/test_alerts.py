"""Alerts: spikes and past events in, the events to append out."""

import json
from datetime import timedelta

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from warehouse_rows import NOW, event

from warehouse import tables
from warehouse.alerts import events, undelivered

HOUR = NOW.replace(minute=0)


def spike(hours, brand="Quillon", negatives=10, score=5.0):
    """Return a spike hour that began some hours before NOW's hour, as DuckDB gives it: UTC without a zone."""
    return {
        "brand": brand,
        "hour": (HOUR - timedelta(hours=hours)).replace(tzinfo=None),
        "window_hours": 3,
        "negatives": negatives,
        "expected": 1.25,
        "mentions": 2 * negatives,
        "negative_share": 0.5,
        "expected_share": 0.1,
        "score": score,
    }


def whats(rows):
    return [(row["brand"], row["event"]) for row in rows]


def test_a_spike_opens_one_alert_with_its_evidence():
    said = [{"text": "no", "url": None, "source": "rss", "published_at": "2026-11-20T10:00:00+00:00", "author": "ann"}]
    asked = []
    [opened] = events([spike(3), spike(2, negatives=14, score=7.0)], [], NOW, lambda *who: asked.append(who) or said)
    assert (opened["event"], opened["brand"], opened["aspect"], opened["at"], opened["by"]) == (
        "opened", "Quillon", None, NOW, "watch",
    )  # fmt: skip
    evidence = json.loads(opened["evidence"])
    assert evidence["since"] == (HOUR - timedelta(hours=3)).isoformat()
    assert evidence["until"] == (HOUR - timedelta(hours=1)).isoformat()
    assert (evidence["window_hours"], evidence["negatives"], evidence["mentions"]) == (3, 14, 28)
    assert (evidence["expected"], evidence["share"], evidence["expected_share"]) == (1.25, 0.5, 0.1)
    assert evidence["quotes"] == said
    assert asked == [("Quillon", HOUR - timedelta(hours=3))]
    tables.conform(pa.RecordBatch.from_pylist([opened], schema=tables.ALERTS), tables.ALERTS)


def test_running_twice_tells_nothing_new():
    spikes = [spike(3), spike(2)]
    told = events(spikes, [], NOW)
    assert events(spikes, told, NOW) == []
    assert events(spikes, told, NOW + timedelta(minutes=20)) == []


def test_hours_within_the_cooldown_belong_to_one_alert():
    assert whats(events([spike(14), spike(2)], [], NOW)) == [("Quillon", "opened")]
    first = events([spike(14)], [], HOUR - timedelta(hours=13))
    assert events([spike(14), spike(2)], first, NOW) == []


def test_hours_further_apart_are_two_alerts():
    first = events([spike(20)], [], HOUR - timedelta(hours=19))
    later = events([spike(20), spike(1)], first, NOW)
    assert sorted(whats(later)) == [("Quillon", "opened"), ("Quillon", "resolved")]
    assert {row["alert_id"] for row in later if row["event"] == "opened"} != {first[0]["alert_id"]}


def test_spikes_of_last_month_are_not_told():
    assert events([spike(24 * 30), spike(26)], [], NOW) == []
    assert whats(events([spike(30), spike(20), spike(10)], [], NOW)) == [("Quillon", "opened")]


def test_a_spike_that_was_over_before_anybody_watched_is_told_and_closed_at_once():
    told = events([spike(20)], [], NOW)
    assert whats(told) == [("Quillon", "opened"), ("Quillon", "resolved")]
    assert [row["event"] for row in undelivered(told)] == ["opened"]
    assert events([spike(20)], told, NOW) == []


@pytest.mark.parametrize(
    ("later", "expected"),
    [
        ({"negatives": 19, "score": 9.9}, []),
        ({"negatives": 20, "score": 6.0}, ["grew"]),
        ({"negatives": 11, "score": 10.0}, ["grew"]),
    ],
)
def test_an_alert_grows_when_it_doubles(later, expected):
    opened = events([spike(3)], [], NOW - timedelta(hours=2))
    grown = events([spike(3), spike(1, **later)], opened, NOW)
    assert [row["event"] for row in grown] == expected
    assert {row["alert_id"] for row in grown} <= {opened[0]["alert_id"]}
    assert events([spike(3), spike(1, **later)], [*opened, *grown], NOW) == []


def test_an_alert_is_resolved_after_12_quiet_hours_once():
    spikes = [spike(3)]  # its hour ends 2 hours before HOUR
    opened = events(spikes, [], NOW)
    assert events(spikes, opened, HOUR + timedelta(hours=9, minutes=59)) == []
    resolved = events(spikes, opened, HOUR + timedelta(hours=10))
    assert whats(resolved) == [("Quillon", "resolved")]
    assert resolved[0]["alert_id"] == opened[0]["alert_id"]
    assert events(spikes, [*opened, *resolved], HOUR + timedelta(hours=11)) == []


def test_an_acknowledged_alert_is_resolved_too():
    opened = events([spike(3)], [], NOW)
    acknowledged = event(opened[0]["alert_id"], "acknowledged", -1, by="kim")
    assert whats(events([spike(3)], [*opened, acknowledged], NOW + timedelta(hours=20))) == [("Quillon", "resolved")]


def test_a_spike_that_goes_on_after_its_alert_was_closed_is_told_anew():
    opened = events([spike(5)], [], NOW - timedelta(hours=4))
    closed = event(opened[0]["alert_id"], "resolved", 3, by="kim")
    [anew] = events([spike(5), spike(1)], [*opened, closed], NOW)
    assert anew["event"] == "opened"
    assert anew["alert_id"] != opened[0]["alert_id"]
    assert json.loads(anew["evidence"])["since"] == (HOUR - timedelta(hours=1)).isoformat()
    assert events([spike(5), spike(1)], [*opened, closed, anew], NOW) == []


def test_an_alert_closed_within_its_spikes_hour_is_told_once():
    """Whoever closes an alert while the hour of its spike is still running is not told of that hour again."""
    opened = events([spike(0)], [], HOUR + timedelta(minutes=5))
    closed = event(opened[0]["alert_id"], "resolved", 0.25, by="kim")
    assert events([spike(0, negatives=40, score=20.0)], [*opened, closed], NOW) == []
    [anew] = events([spike(0), spike(-1)], [*opened, closed], NOW + timedelta(hours=1))
    assert (anew["event"], anew["alert_id"] != opened[0]["alert_id"]) == ("opened", True)


def test_an_alert_grows_by_what_came_after_an_earlier_one_was_closed():
    opened = events([spike(5, negatives=40, score=20.0)], [], NOW - timedelta(hours=4))
    closed = event(opened[0]["alert_id"], "resolved", 3, by="kim")
    spikes = [spike(5, negatives=40, score=20.0), spike(1)]
    anew = events(spikes, [*opened, closed], NOW)
    assert [row["event"] for row in anew] == ["opened"]
    assert events(spikes, [*opened, closed, *anew], NOW) == []


def test_late_posts_that_move_a_spikes_beginning_open_no_second_alert():
    opened = events([spike(2)], [], NOW)
    assert events([spike(6), spike(2)], opened, NOW) == []


def test_brands_have_alerts_of_their_own():
    rows = events([spike(2), spike(2, "O'Reilly \"DROP TABLE")], [], NOW)
    assert sorted(whats(rows)) == [("O'Reilly \"DROP TABLE", "opened"), ("Quillon", "opened")]
    assert len({row["alert_id"] for row in rows}) == 2


def test_events_written_by_hand_are_lived_with():
    by_hand = event("a", "opened", 2, evidence="{}")
    assert events([spike(3)], [by_hand], NOW) == []
    assert whats(events([], [by_hand], NOW)) == [("Quillon", "resolved")]


@settings(deadline=None)
@given(st.sets(st.integers(0, 200), max_size=25), st.integers(1, 30), st.sets(st.integers(0, 230), max_size=9))
def test_watching_step_by_step_tells_each_spike_once(hours, step, closed_by_hand):
    """Whatever the spikes, however often we watch and whoever closes alerts, none opens twice and each ends once."""
    past = []
    for place, now in enumerate(HOUR - timedelta(hours=hours) for hours in range(200, -30, -step)):
        standing = {row["alert_id"] for row in past} - {row["alert_id"] for row in past if row["event"] == "resolved"}
        if place in closed_by_hand:
            past += [event(alert_id, "resolved", 0, by="kim", at=now) for alert_id in standing]
        known = [one for one in (spike(hour) for hour in sorted(hours)) if one["hour"] <= now.replace(tzinfo=None)]
        new = events(known, past, now)
        assert events(known, [*past, *new], now) == []
        past += new
    opened = [row["alert_id"] for row in past if row["event"] == "opened"]
    resolved = [row["alert_id"] for row in past if row["event"] == "resolved"]
    assert len(opened) == len(set(opened))
    assert len(resolved) == len(set(resolved))
    assert set(resolved) <= set(opened)


def test_what_was_not_told_since_waits_to_be():
    told = [event("a", "opened", 9), event("a", "notified", 9, by="care@quillon.test"), event("b", "opened", 8)]
    assert [row["alert_id"] for row in undelivered(told)] == ["b"]
    assert [row["alert_id"] for row in undelivered(told, "care@quillon.test")] == ["b"]
    assert [row["alert_id"] for row in undelivered(told, "boss@quillon.test")] == ["a", "b"]


def test_an_alert_that_grew_is_told_again_and_a_resolved_one_still():
    told = [event("a", "opened", 9), event("a", "notified", 8), event("a", "grew", 7), event("b", "opened", 6),
            event("b", "resolved", 1)]  # fmt: skip
    assert [(row["alert_id"], row["event"]) for row in undelivered(told)] == [("a", "grew"), ("b", "opened")]
    assert undelivered([*told, event("a", "notified", 5), event("b", "notified", 0)]) == []
