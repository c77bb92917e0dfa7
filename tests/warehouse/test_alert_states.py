"""How alerts stand: the view `alerts` and warehouse/alert_states.py fold the same events to the same states."""

import json
from datetime import timedelta

import duckdb
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from warehouse_rows import NOW, batch, event, hours_ago

from warehouse import tables
from warehouse.alert_states import fold, in_turn
from warehouse.statements import statement


@pytest.fixture(scope="module")
def view():
    """The view as of NOW over any events, without a snapshot around it."""
    with duckdb.connect() as connection:
        connection.execute("SET TimeZone = 'UTC'; CREATE SCHEMA lake")
        connection.execute("CREATE TABLE lake.snapshot AS SELECT CAST(? AS TIMESTAMP) AS published_at", [as_told(NOW)])

        def rows(events):
            happened = pa.Table.from_batches([batch(tables.ALERTS, *events)])
            connection.register("happened", happened)
            connection.execute("""CREATE OR REPLACE TABLE lake.alerts AS
                                  SELECT * REPLACE ("at" AT TIME ZONE 'UTC' AS "at") FROM happened""")
            found = connection.execute(statement("views", "alerts").text)
            names = [column[0] for column in found.description or ()]
            return {row[0]: dict(zip(names, row, strict=True)) for row in found.fetchall()}

        yield rows


def as_told(at):
    return at.replace(tzinfo=None) if at else None


def snoozed(alert_id, hours, until):
    return event(
        alert_id, "snoozed", hours, by="kim", evidence=json.dumps({"until": until.isoformat(), "note": "later"})
    )


def test_an_alert_stands_as_its_last_event_says(view):
    told = json.dumps({"about": {"aspects": ["billing"], "sources": []}, "severity": "page",
                       "since": "2026-11-20T03:00:00+00:00", "negatives": 9, "expected": 1.5})  # fmt: skip
    rows = view([
        event("open", "opened", 9, evidence=told.replace("9", "5")), event("open", "grew", 8, evidence=told),
        event("open", "notified", 7, by="x"), event("open", "notified", 6, by="y"),
        event("taken", "opened", 9), event("taken", "acknowledged", 8, by="kim"), event("taken", "quieted", 4),
        event("quiet", "opened", 9, kind="praise"), event("quiet", "quieted", 4, evidence='{"reason": "no spike"}'),
        event("over", "opened", 9), event("over", "resolved", 1, by="kim", evidence='{"note": "paid back"}'),
        event("none", "opened", 9), event("none", "dismissed", 1, by="kim"), event("none", "grew", 0.5),
        event("back", "opened", 9), event("back", "resolved", 5), event("back", "reopened", 2),
        event("asleep", "opened", 9), snoozed("asleep", 8, NOW + timedelta(hours=1)), event("asleep", "quieted", 5),
        event("awake", "opened", 9), snoozed("awake", 8, NOW - timedelta(hours=1)),
        event("told nothing of", "acknowledged", 9),
    ])  # fmt: skip
    assert {name: row["state"] for name, row in rows.items()} == {
        "open": "open", "taken": "acknowledged", "quiet": "quiet", "over": "resolved", "none": "dismissed",
        "back": "open", "asleep": "snoozed", "awake": "open",
    }  # fmt: skip
    assert (rows["open"]["negatives"], rows["open"]["grew"], rows["open"]["told_to"]) == (9, 1, ["x", "y"])
    assert (rows["open"]["severity"], rows["open"]["aspects"]) == ("page", ["billing"])
    assert rows["open"]["told_at"] == as_told(hours_ago(7))
    assert (rows["quiet"]["note"], rows["quiet"]["kind"]) == ("no spike", "praise")
    assert (rows["over"]["note"], rows["over"]["closed_by"]) == ("paid back", "kim")
    assert (rows["back"]["reopened"], rows["back"]["resolved_at"]) == (1, None)
    assert (rows["asleep"]["snoozed_until"], rows["asleep"]["note"]) == (as_told(NOW + timedelta(hours=1)), None)
    assert (rows["taken"]["acknowledged_at"], rows["taken"]["acknowledged_by"]) == (as_told(hours_ago(8)), "kim")
    assert rows["open"]["acknowledged_by"] is None


HAPPENED = st.lists(
    st.tuples(st.sampled_from(tables.ALERT_EVENTS), st.sampled_from(["watch", "kim"]), st.integers(-3, 40)), max_size=9
)


@settings(deadline=None, max_examples=60)
@given(HAPPENED)
def test_the_view_says_what_watch_goes_by(view, happened):
    events = [
        event("a", what, 30 - place, by=by, evidence=json.dumps({"until": hours_ago(until).isoformat()}))
        for place, (what, by, until) in enumerate(happened)
    ]
    alerts, rows = {alert.alert_id: alert for alert in fold(events)}, view(events)
    assert {name: row["state"] for name, row in rows.items()} == {
        name: alert.state(NOW) for name, alert in alerts.items()
    }
    for name, alert in alerts.items():
        assert (rows[name]["grew"], rows[name]["reopened"]) == (alert.grew, alert.reopened)
        assert rows[name]["resolved_at"] == as_told(alert.closed_at)
        assert rows[name]["acknowledged_at"] == as_told(alert.acknowledged_at)


def test_events_of_a_clock_that_jumped_back_follow_those_before():
    past = [event("a", "opened", 1), event("b", "opened", 5)]
    first, second, third = in_turn([event("a", "grew", 3), event("b", "grew", 3), event("c", "opened", 9)], past)
    assert hours_ago(1) < first["at"] < hours_ago(0.99)
    assert (second["at"], third["at"]) == (hours_ago(3), hours_ago(9))
