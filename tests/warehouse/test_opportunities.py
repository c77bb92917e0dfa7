"""Alerts of other kinds: what is noticed and past events in, the events to append out."""

import json
from datetime import timedelta

import pyarrow as pa
import pytest
from warehouse_rows import NOW, event, hours_ago

from warehouse import tables
from warehouse.alert_states import fold
from warehouse.alerts import events as spike_events
from warehouse.alerts import undelivered
from warehouse.opportunities import KINDS, NOT_ASKED, Noticed, events

WANTED = {"Quillon": KINDS}


def silent(*names, hours=30, until=NOW):
    return Noticed("silent_feed", "Quillon", hours_ago(hours), until, {"feeds": list(names)}, members=names)


def complaint(author="ann", hours=5):
    return Noticed("recovery", "Quillon", hours_ago(hours), NOW, {"complaints": 3}, subject=author)


def kinds(rows):
    return [(row["kind"], row["event"]) for row in rows]


def said(alert, what, hours=0.5):
    return event(alert["alert_id"], what, hours, by="kim", kind=alert["kind"])


def test_what_is_noticed_opens_one_alert_that_wakes_nobody():
    [opened] = events([silent("town-talk")], [], NOW, WANTED)
    evidence = json.loads(opened["evidence"])
    assert (opened["kind"], opened["event"], opened["by"], opened["at"]) == ("silent_feed", "opened", "watch", NOW)
    assert (evidence["severity"], evidence["members"]) == ("tell", ["town-talk"])
    assert (evidence["since"], evidence["about"]) == (hours_ago(30).isoformat(), {"aspects": [], "sources": []})
    tables.conform(pa.RecordBatch.from_pylist([opened], schema=tables.ALERTS), tables.ALERTS)
    later = NOW + timedelta(hours=1)
    assert events([silent("town-talk", until=later)], [opened], later, WANTED) == []


def test_it_is_told_by_the_same_way_as_incidents_and_read_by_the_same_states():
    opened = events([complaint()], [], NOW, WANTED)
    assert [row["event"] for row in undelivered(opened, NOW, "care")] == ["opened"]
    [alert] = fold([*opened, said(opened[0], "acknowledged", hours=-0.5)])
    assert (alert.kind, alert.state(NOW)) == ("recovery", "acknowledged")


def test_a_brand_is_told_only_of_what_it_asks_for():
    assert events([silent("a")], [], NOW, {"Quillon": ["praise"]}) == []
    assert events([silent("a")], [], NOW, {"Vossberg": KINDS}) == []


def test_each_complaint_is_an_alert_of_its_own_and_feeds_share_one():
    rows = events([complaint("ann"), complaint("bo"), silent("a", "b")], [], NOW, WANTED)
    assert kinds(rows) == [("recovery", "opened"), ("recovery", "opened"), ("silent_feed", "opened")]
    assert len({row["alert_id"] for row in rows}) == 3


def test_it_grows_when_a_member_joins_and_not_when_one_comes_and_goes():
    opened = events([silent("a")], [], NOW, WANTED)
    later = NOW + timedelta(hours=1)
    [grew] = events([silent("a", "b")], opened, later, WANTED)
    assert (grew["event"], json.loads(grew["evidence"])["members"]) == ("grew", ["a", "b"])
    past = [*opened, grew]
    assert events([silent("b")], past, later + timedelta(hours=1), WANTED) == []
    assert events([silent("a", "b")], past, later + timedelta(hours=2), WANTED) == []


def test_it_is_resolved_when_it_is_noticed_no_more_and_says_why():
    opened = events([silent("a"), complaint()], [], NOW, WANTED)
    later = NOW + timedelta(hours=1)
    [resolved] = events([complaint()], opened, later, WANTED)
    assert (resolved["kind"], resolved["event"]) == ("silent_feed", "resolved")
    assert json.loads(resolved["evidence"])["reason"] == "it is heard again"
    assert events([complaint()], [*opened, resolved], later, WANTED) == []


@pytest.mark.parametrize("wanted", [{}, {"Quillon": ["praise"]}])
def test_what_is_asked_for_no_more_is_resolved(wanted):
    opened = events([silent("a")], [], NOW, WANTED)
    [resolved] = events([silent("a")], opened, NOW + timedelta(hours=1), wanted)
    assert json.loads(resolved["evidence"])["reason"] == NOT_ASKED


@pytest.mark.parametrize("what", ["resolved", "dismissed"])
def test_what_a_person_closed_is_not_told_again_unless_something_joins_or_it_begins_anew(what):
    opened = events([silent("a")], [], NOW, WANTED)
    past = [*opened, said(opened[0], what, hours=-1)]
    later = NOW + timedelta(days=2)
    assert events([silent("a")], past, later, WANTED) == []
    [reopened] = events([silent("a", "b")], past, later, WANTED)
    assert (reopened["event"], reopened["alert_id"]) == ("reopened", opened[0]["alert_id"])
    [anew] = events([silent("a", hours=-13)], past, later, WANTED)
    assert (anew["event"], anew["alert_id"] != opened[0]["alert_id"]) == ("opened", True)


def test_spikes_and_other_kinds_leave_each_other_alone():
    opened = events([silent("a")], [], NOW, WANTED)
    assert spike_events([], opened, NOW + timedelta(days=2)) == []
    assert events([], [event("spike", "opened", 2)], NOW, WANTED) == []


def test_an_alert_whose_evidence_was_erased_is_resolved_not_broken():
    opened = [{**row, "evidence": "{}"} for row in events([complaint(), silent("a")], [], NOW, WANTED)]
    later = NOW + timedelta(hours=1)
    assert kinds(events([silent("a", until=later)], opened, later, WANTED)) == [("recovery", "resolved")]
