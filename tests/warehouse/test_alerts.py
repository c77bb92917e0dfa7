"""Alerts: spikes and past events in, the events to append out."""

import json
from datetime import timedelta
from itertools import pairwise

import pyarrow as pa
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from warehouse_rows import NOW, event

from warehouse import tables
from warehouse.alert_states import fold
from warehouse.alerts import events, undelivered

HOUR = NOW.replace(minute=0)


def spike(hours, brand="Quillon", negatives=10, score=5.0, severity="tell", aspect=None, source=None):
    """Return a spike hour that began some hours before NOW's hour, as DuckDB gives it: UTC without a zone."""
    return {
        "brand": brand,
        "aspect": aspect,
        "source": source,
        "hour": (HOUR - timedelta(hours=hours)).replace(tzinfo=None),
        "window_hours": 3,
        "negatives": negatives,
        "expected": 1.25,
        "mentions": 2 * negatives,
        "negative_share": 0.5,
        "expected_share": 0.1,
        "score": score,
        "severity": severity,
    }


def whats(rows):
    return [(row["brand"], row["event"]) for row in rows]


def kinds(rows):
    return [row["event"] for row in rows]


def evidence(row):
    return json.loads(row["evidence"])


def said(alert_id, what, hours, **told):
    """Return what a person says of an alert, some hours before NOW."""
    return event(alert_id, what, hours, by="kim", evidence=json.dumps(told))


def state(past, now=NOW):
    [alert] = fold(past)
    return alert.state(now)


def test_a_spike_opens_one_alert_with_its_evidence():
    more = {"quotes": [{"text": "no", "url": None}], "reach": 900, "score": "is the spike's own"}
    asked = []
    [opened] = events([spike(3), spike(2, negatives=14, score=7.0)], [], NOW, lambda *who: asked.append(who) or more)
    assert (opened["event"], opened["brand"], opened["aspect"], opened["at"], opened["by"]) == (
        "opened", "Quillon", None, NOW, "watch",
    )  # fmt: skip
    told = evidence(opened)
    assert told["since"] == (HOUR - timedelta(hours=3)).isoformat()
    assert told["until"] == (HOUR - timedelta(hours=1)).isoformat()
    assert (told["window_hours"], told["negatives"], told["mentions"]) == (3, 14, 28)
    assert (told["expected"], told["share"], told["expected_share"]) == (1.25, 0.5, 0.1)
    assert (told["score"], told["severity"], told["about"]) == (7.0, "tell", {"aspects": [], "sources": []})
    assert (told["quotes"], told["reach"]) == (more["quotes"], 900)
    assert asked == [("Quillon", HOUR - timedelta(hours=3), HOUR - timedelta(hours=1))]
    tables.conform(pa.RecordBatch.from_pylist([opened], schema=tables.ALERTS), tables.ALERTS)


def test_running_twice_tells_nothing_new():
    spikes = [spike(3), spike(2)]
    told = events(spikes, [], NOW)
    assert events(spikes, told, NOW) == []
    assert events(spikes, told, NOW + timedelta(minutes=20)) == []


def test_hours_within_the_cooldown_belong_to_one_alert():
    assert whats(events([spike(14), spike(2)], [], NOW)) == [("Quillon", "opened")]
    first = events([spike(14)], [], HOUR - timedelta(hours=13))
    assert kinds(events([spike(14), spike(2)], first, NOW)) == []


def test_hours_further_apart_are_two_alerts():
    first = events([spike(20)], [], HOUR - timedelta(hours=19))
    later = events([spike(20), spike(1)], first, NOW)
    assert sorted(whats(later)) == [("Quillon", "opened"), ("Quillon", "resolved")]
    assert {row["alert_id"] for row in later if row["event"] == "opened"} != {first[0]["alert_id"]}


def test_spikes_of_last_month_are_not_told():
    assert events([spike(24 * 30), spike(26)], [], NOW) == []
    assert whats(events([spike(22), spike(12), spike(2)], [], NOW)) == [("Quillon", "opened")]


def test_a_spike_that_was_over_before_anybody_watched_is_told_and_closed_at_once():
    told = events([spike(20)], [], NOW)
    assert whats(told) == [("Quillon", "opened"), ("Quillon", "resolved")]
    assert kinds(undelivered(told, NOW)) == ["opened"]
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


def test_an_alert_falls_quiet_after_3_hours_and_is_resolved_after_12_each_once():
    spikes = [spike(3)]  # its hour ends 2 hours before HOUR
    past = events(spikes, [], NOW)
    assert events(spikes, past, HOUR + timedelta(minutes=59)) == []
    quieted = events(spikes, past, HOUR + timedelta(hours=1))
    assert whats(quieted) == [("Quillon", "quieted")]
    past += quieted
    assert state(past) == "quiet"
    assert events(spikes, past, HOUR + timedelta(hours=9, minutes=59)) == []
    resolved = events(spikes, past, HOUR + timedelta(hours=10))
    assert whats(resolved) == [("Quillon", "resolved")]
    assert evidence(resolved[0])["reason"] == "no spike for 12 hours"
    past += resolved
    assert events(spikes, past, HOUR + timedelta(hours=11)) == []
    assert len({row["alert_id"] for row in past}) == 1
    assert state(past) == "resolved"


def test_silence_after_a_feed_was_last_heard_is_no_calm():
    past = events([spike(3)], [], NOW)
    heard = {"Quillon": HOUR}
    assert events([spike(3)], past, NOW + timedelta(hours=20), heard=heard) == []
    assert kinds(events([spike(3)], past, NOW + timedelta(hours=20))) == ["resolved"]


def test_what_spikes_again_within_the_cooldown_is_the_same_alert_reopened():
    past = events([spike(9)], [], HOUR - timedelta(hours=8))
    past += events([spike(9)], past, HOUR - timedelta(hours=4))
    assert kinds(past) == ["opened", "quieted"]
    [again] = events([spike(9), spike(1)], past, NOW)
    assert (again["event"], again["alert_id"]) == ("reopened", past[0]["alert_id"])
    assert evidence(again)["since"] == (HOUR - timedelta(hours=1)).isoformat()
    past.append(again)
    assert events([spike(9), spike(1)], past, NOW) == []
    [alert] = fold(past)
    assert (alert.state(NOW), alert.reopened) == ("open", 1)


def test_an_acknowledged_alert_stays_so_while_it_grows_and_quiets_but_not_when_it_is_back():
    past = events([spike(8)], [], HOUR - timedelta(hours=7))
    past.append(said(past[0]["alert_id"], "acknowledged", 7))
    past += events([spike(8), spike(7, negatives=30)], past, HOUR - timedelta(hours=6))
    past += events([spike(8), spike(7, negatives=30)], past, HOUR - timedelta(hours=3))
    assert kinds(past) == ["opened", "acknowledged", "grew", "quieted"]
    assert state(past) == "acknowledged"
    past += events([spike(8), spike(7, negatives=30), spike(1)], past, NOW)
    assert state(past) == "open"


def test_an_acknowledged_alert_is_resolved_too():
    opened = events([spike(3)], [], NOW)
    acknowledged = event(opened[0]["alert_id"], "acknowledged", -1, by="kim")
    assert whats(events([spike(3)], [*opened, acknowledged], NOW + timedelta(hours=20))) == [("Quillon", "resolved")]


def test_a_spike_that_goes_on_after_its_alert_was_resolved_by_hand_reopens_it():
    opened = events([spike(5)], [], NOW - timedelta(hours=4))
    closed = event(opened[0]["alert_id"], "resolved", 3, by="kim")
    [again] = events([spike(5), spike(1)], [*opened, closed], NOW)
    assert (again["event"], again["alert_id"]) == ("reopened", opened[0]["alert_id"])
    assert evidence(again)["since"] == (HOUR - timedelta(hours=1)).isoformat()
    assert events([spike(5), spike(1)], [*opened, closed, again], NOW) == []
    assert state([*opened, closed, again]) == "open"


def test_an_alert_resolved_within_its_spikes_hour_is_told_once():
    """Whoever closes an alert while the hour of its spike is still running is not told of that hour again."""
    opened = events([spike(0)], [], HOUR + timedelta(minutes=5))
    closed = event(opened[0]["alert_id"], "resolved", 0.25, by="kim")
    assert events([spike(0, negatives=40, score=20.0)], [*opened, closed], NOW) == []
    assert kinds(events([spike(0), spike(-1)], [*opened, closed], NOW + timedelta(hours=1))) == ["reopened"]


def test_what_was_dismissed_comes_back_only_when_it_doubles():
    opened = events([spike(5)], [], NOW - timedelta(hours=4))
    past = [*opened, said(opened[0]["alert_id"], "dismissed", 3, note="a game of theirs")]
    assert state(past) == "dismissed"
    assert events([spike(5), spike(1, negatives=19)], past, NOW) == []
    assert kinds(events([spike(5), spike(1, negatives=20)], past, NOW)) == ["reopened"]
    assert kinds(events([spike(5), spike(-20)], past, NOW + timedelta(hours=20))) == ["opened"], "another one"


def test_a_snoozed_alert_is_told_again_when_the_snooze_is_over_and_it_still_spikes():
    past = events([spike(5)], [], NOW - timedelta(hours=4))
    until = NOW - timedelta(hours=1)
    past.append(said(past[0]["alert_id"], "snoozed", 4, until=until.isoformat()))
    going_on = [spike(hour) for hour in (5, 4, 3, 2, 1)]
    asleep = until - timedelta(minutes=1)
    assert state(past, asleep) == "snoozed"
    assert events(going_on[:3], past, asleep) == []
    assert undelivered(past, asleep) == []
    past += events(going_on, past, until)
    assert kinds(past) == ["opened", "snoozed", "reopened"]
    assert kinds(undelivered(past, until)) == ["reopened"]
    assert events(going_on, past, NOW) == []


def test_a_snoozed_alert_that_falls_quiet_is_not_told_again():
    past = events([spike(9)], [], NOW - timedelta(hours=8))
    past.append(said(past[0]["alert_id"], "snoozed", 8, until=(NOW - timedelta(hours=1)).isoformat()))
    past += events([spike(9)], past, NOW - timedelta(hours=5))
    past += events([spike(9)], past, NOW)
    assert kinds(past) == ["opened", "snoozed", "quieted"]
    assert (state(past, NOW - timedelta(hours=2)), state(past)) == ("snoozed", "quiet")


def test_an_aspect_or_a_source_that_spikes_alone_opens_the_brands_alert_and_is_named():
    [opened] = events(
        [spike(3, aspect="billing", score=6.0), spike(2, aspect="billing", source="rss", score=9.0, negatives=8)],
        [],
        NOW,
    )
    told = evidence(opened)
    assert opened["aspect"] is None
    assert told["about"] == {"aspects": ["billing"], "sources": ["rss"]}
    assert (told["score"], told["negatives"]) == (9.0, 8), "there are no figures of all that is said"
    assert [(part["aspect"], part["source"], part["score"]) for part in told["series"]] == [
        ("billing", "rss", 9.0),
        ("billing", None, 6.0),
    ]


def test_the_figures_are_the_brands_own_where_it_spikes_as_a_whole():
    [opened] = events([spike(3, negatives=30), spike(2, aspect="billing", score=9.0)], [], NOW)
    assert (evidence(opened)["negatives"], evidence(opened)["score"]) == (30, 5.0)
    assert evidence(opened)["about"]["aspects"] == ["billing"]


def test_an_alert_grows_when_another_aspect_joins_once():
    spikes = [spike(3), spike(3, aspect="billing")]
    past = events(spikes, [], NOW - timedelta(hours=2))
    spikes.append(spike(2, aspect="support"))
    past += events(spikes, past, NOW - timedelta(hours=1))
    assert kinds(past) == ["opened", "grew"]
    assert evidence(past[-1])["about"]["aspects"] == ["billing", "support"]
    assert events([*spikes, spike(1, aspect="billing")], past, NOW) == []


def test_an_alert_grows_when_it_becomes_rare_enough_to_page():
    past = events([spike(3)], [], NOW - timedelta(hours=2))
    past += events([spike(3), spike(2, severity="page")], past, NOW - timedelta(hours=1))
    assert [evidence(row)["severity"] for row in past] == ["tell", "page"]
    assert events([spike(3), spike(2, severity="page"), spike(1)], past, NOW) == []


def test_a_brand_that_is_no_longer_listened_to_raises_nothing_and_loses_nothing():
    spikes = [spike(3)]
    assert events(spikes, [], NOW, heard={"Telvo": NOW}) == []
    past = events(spikes, [], NOW)
    assert events([], past, NOW, heard={"Telvo": NOW}) == []
    past += events([], past, NOW + timedelta(hours=20), heard={"Telvo": NOW})
    assert kinds(past) == ["opened", "resolved"]
    assert events(spikes, past, NOW + timedelta(hours=21)) == [], "it is named again: no second alert"


def test_a_clock_that_jumps_back_resolves_nothing_and_opens_nothing_twice():
    spikes = [spike(3)]
    past = events(spikes, [], NOW)
    back = NOW - timedelta(hours=9)
    assert events(spikes, past, back) == []
    past += events([spike(3), spike(2, negatives=30)], past, back)
    assert kinds(past) == ["opened", "grew"]
    assert past[1]["at"] > past[0]["at"]
    assert events([spike(3), spike(2, negatives=30)], past, back) == []


def test_an_alert_resolved_under_a_clock_that_ran_ahead_is_reopened_when_it_spikes_on():
    past = events([spike(3)], [], NOW)
    past += events([spike(3)], past, NOW + timedelta(days=400))
    assert kinds(past) == ["opened", "resolved"]
    past += events([spike(3), spike(1)], past, NOW)
    assert kinds(past) == ["opened", "resolved", "reopened"]
    assert kinds(undelivered(past, NOW)) == ["reopened"]


def test_alerts_of_old_lakes_which_say_less_are_gone_on_with():
    old = {"since": (HOUR - timedelta(hours=3)).isoformat(), "until": (HOUR - timedelta(hours=2)).isoformat(),
           "window_hours": 3, "negatives": 10, "expected": 1.25, "mentions": 20, "share": 0.5, "expected_share": 0.1,
           "score": 5.0, "peak_negatives": 10, "quotes": []}  # fmt: skip
    past = [event("a", "opened", 2.5, evidence=json.dumps(old)), event("a", "notified", 2.5, by="care@quillon.test")]
    for row in past:
        del row["kind"]
    assert events([spike(3), spike(2), spike(2, aspect="billing")], past, NOW) == []
    grown = events([spike(3), spike(2, negatives=20)], past, NOW)
    assert [(row["alert_id"], row["event"]) for row in grown] == [("a", "grew")]


def test_alerts_of_another_kind_are_left_alone():
    other = event("r", "opened", 20, kind="recovery", evidence='{"since": "2026-11-20T00:00:00+00:00"}')
    assert events([], [other], NOW) == []
    assert kinds(events([spike(2)], [other], NOW)) == ["opened"]


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
    assert events([], [event("b", "acknowledged", 2), event("c", "resolved", 1, evidence="no JSON")], NOW) == []
    assert whats(events([], [by_hand], NOW + timedelta(hours=12))) == [("Quillon", "resolved")]


PEOPLE = st.dictionaries(
    st.integers(0, 230), st.sampled_from(["acknowledged", "snoozed", "resolved", "dismissed"]), max_size=9
)
SPIKES = st.sets(st.tuples(st.integers(0, 200), st.sampled_from([None, "billing"])), max_size=25)


@settings(deadline=None, max_examples=40)
@given(SPIKES, st.integers(1, 30), PEOPLE, st.sets(st.integers(0, 230), max_size=3))
@example({(120, None), (101, None)}, 1, {81: "resolved"}, set())
def test_whatever_people_say_and_clocks_do_no_alert_opens_twice_and_none_is_told_twice_within_the_cooldown(
    hours, step, people, jumps
):
    past, tellings = [], []
    rows = [spike(hour, aspect=aspect) for hour, aspect in sorted(hours, key=str)]
    for place, now in enumerate(HOUR - timedelta(hours=hours) for hours in range(200, -30, -step)):
        if place in people:
            until = (now + timedelta(hours=7)).isoformat()
            past += [
                event(alert.alert_id, people[place], 0, by="kim", at=now, evidence=json.dumps({"until": until}))
                for alert in fold(past)
                if not alert.closed_as
            ]
        known = [one for one in rows if one["hour"] <= now.replace(tzinfo=None)]
        for clock in (now, now - timedelta(hours=5) if place in jumps else now):
            new = events(known, past, clock)
            assert events(known, [*past, *new], clock) == []
            past += new
            for due in undelivered(past, clock):
                tellings.append((due["alert_id"], now))
                past.append({**due, "event": "notified", "by": "care", "at": max(row["at"] for row in past)})
            assert undelivered(past, clock) == []
        standing = [alert for alert in fold(past) if not alert.closed_as]
        assert len(standing) <= 1, "one open incident a brand"
    opened = [row["alert_id"] for row in past if row["event"] == "opened"]
    assert len(opened) == len(set(opened))
    again = sum(row["event"] == "reopened" for row in past)
    assert sum(row["event"] == "resolved" and row["by"] == "watch" for row in past) <= len(opened) + again
    assert {alert_id for alert_id, _ in tellings} <= set(opened)
    for alert_id in opened:
        at = [now for told, now in tellings if told == alert_id]
        assert all(later - earlier >= timedelta(hours=7) for earlier, later in pairwise(at)), at


def test_what_was_never_told_waits_to_be():
    told = [event("a", "opened", 9), event("a", "notified", 9, by="care@quillon.test"), event("b", "opened", 8)]
    assert [row["alert_id"] for row in undelivered(told, NOW)] == ["b"]
    assert [row["alert_id"] for row in undelivered(told, NOW, "care@quillon.test")] == ["b"]
    assert [row["alert_id"] for row in undelivered(told, NOW, "boss@quillon.test")] == ["a", "b"]


def test_a_dead_channel_that_was_told_of_is_not_the_alert_told_of():
    told = [event("a", "opened", 9), event("a", "notified", 9, evidence='{"event": "undelivered"}')]
    assert [row["alert_id"] for row in undelivered(told, NOW)] == ["a"]


def test_late_is_not_void_but_nobody_is_told_again_of_what_is_over():
    told = [event("a", "opened", 30), event("a", "resolved", 15), event("b", "opened", 30), event("b", "notified", 30),
            event("b", "grew", 29), event("b", "resolved", 15)]  # fmt: skip
    assert [row["alert_id"] for row in undelivered(told, NOW)] == ["a"]


def test_an_alert_that_grew_is_told_again_when_the_cooldown_has_passed():
    told = [event("a", "opened", 14), event("a", "notified", 13), event("a", "grew", 2)]
    assert undelivered(told, NOW - timedelta(hours=1, minutes=1)) == []
    assert kinds(undelivered(told, NOW - timedelta(hours=1))) == ["grew"]
    assert undelivered([*told, event("a", "notified", 1)], NOW + timedelta(hours=99)) == []


def test_an_alert_that_pages_by_now_is_told_again_at_once():
    told = [event("a", "opened", 3, evidence='{"severity": "tell"}'), event("a", "notified", 3),
            event("a", "grew", 2, evidence='{"severity": "page"}')]  # fmt: skip
    assert kinds(undelivered(told, NOW)) == ["grew"]
    told += [event("a", "notified", 2), event("a", "grew", 1, evidence='{"severity": "page"}')]
    assert undelivered(told, NOW) == []


def test_a_clock_that_was_wrong_by_years_when_an_alert_was_told_silences_no_other_telling():
    ahead = NOW + timedelta(days=400)
    told = [event("a", "opened", 3), event("a", "notified", 3, at=ahead),
            event("a", "grew", 1, at=ahead + timedelta(seconds=1))]  # fmt: skip
    assert kinds(undelivered(told, NOW)) == ["grew"]
