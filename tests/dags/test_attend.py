"""A person answers alerts: takes them on, puts them off, ends them, says that they were none."""

import json
from datetime import UTC, datetime, timedelta

import pytest
from alert_events import MIDNIGHT, event, spiking
from typer.testing import CliRunner
from written_by_tests import toml_of

from dags import alert_events, stages
from dags.attending import snooze_end
from dags.cli import app
from dags.settings import SettingsError
from warehouse.alert_states import fold

NOW = MIDNIGHT + timedelta(hours=12)


@pytest.fixture
def settings(settings_of):
    """Settings of a lake with three alerts: two that stand, one that `watch` has resolved."""
    settings = settings_of(toml_of({"a": "http://127.0.0.1:1/"}))
    events = [
        spiking("opened", "08:00", alert="c0ffee01"), spiking("opened", "09:00", alert="c0ffee02", brand="Globex"),
        spiking("opened", "01:00", alert="beef"), event("resolved", "07:00", alert="beef"),
    ]  # fmt: skip
    alert_events.append(stages.open_lake(settings), events, NOW)
    return settings


def attend(settings, alert, what, **other):
    return stages.attend(settings, alert, what, by=other.pop("by", "kim"), now=lambda: NOW, **other)


def stands(settings, alert_id):
    events, _ = alert_events.read(stages.open_lake(settings))
    [alert] = [alert for alert in fold(events) if alert.alert_id == alert_id]
    return alert.state(NOW)


@pytest.mark.parametrize(
    ("what", "more"),
    [("acknowledged", {}), ("snoozed", {"until": NOW + timedelta(hours=6)}), ("resolved", {}), ("dismissed", {})],
)
def test_what_is_said_of_an_alert_is_stored_with_who_said_it_and_why(settings, what, more):
    made = attend(settings, "c0ffee01", what, note="a refund is on its way", **more)
    assert (made.brand, made.before, made.state, made.by) == ("Acme", "open", what, "kim")
    assert stands(settings, "c0ffee01") == what
    assert stands(settings, "c0ffee02") == "open"
    events, _ = alert_events.read(stages.open_lake(settings))
    told = json.loads(next(row["evidence"] for row in events if row["event"] == what and row["by"] == "kim"))
    assert told["note"] == "a refund is on its way"


def test_the_beginning_of_an_id_is_enough_where_no_other_begins_so(settings):
    assert attend(settings, "c0ffee02", "acknowledged").brand == "Globex"
    assert attend(settings, "be", "dismissed").alert_id == "beef"
    with pytest.raises(SettingsError, match=r"'c0ffee' fits several alerts; .*c0ffee01 \(Acme\), c0ffee02 \(Globex\)"):
        attend(settings, "c0ffee", "acknowledged")
    with pytest.raises(
        SettingsError, match=r"no alert's id begins with 'x'; those that stand: c0ffee02 \(Globex\), c0"
    ):
        attend(settings, "x", "acknowledged")
    with pytest.raises(SettingsError, match="no alert's id begins with ''"):
        attend(settings, "", "acknowledged")


def test_of_what_is_over_only_what_it_was_can_be_said_once(settings):
    with pytest.raises(SettingsError, match=r"beef \(Acme\) was resolved by watch at 2026-11-20 07:00 UTC"):
        attend(settings, "beef", "acknowledged")
    attend(settings, "beef", "dismissed")
    assert stands(settings, "beef") == "dismissed"
    with pytest.raises(SettingsError, match="nothing to dismiss"):
        attend(settings, "beef", "dismissed")
    attend(settings, "beef", "resolved", by="lee")
    assert stands(settings, "beef") == "resolved"


def test_a_clock_behind_the_one_that_opened_the_alert_loses_no_answer(settings):
    stages.attend(settings, "c0ffee01", "acknowledged", by="kim", now=lambda: NOW - timedelta(hours=9))
    assert stands(settings, "c0ffee01") == "acknowledged"


@pytest.mark.parametrize(
    ("length", "moment", "expected"),
    [
        ("90m", None, NOW + timedelta(minutes=90)),
        ("6h", None, NOW + timedelta(hours=6)),
        (" 2D ", None, NOW + timedelta(days=2)),
        ("1w", None, NOW + timedelta(days=7)),
        (None, "2026-11-20T18:00", datetime(2026, 11, 20, 18, tzinfo=UTC)),
        (None, "2026-11-20T18:00+01:00", datetime(2026, 11, 20, 17, tzinfo=UTC)),
        (None, "2026-11-21", datetime(2026, 11, 21, tzinfo=UTC)),
    ],
)
def test_a_snooze_is_over_after_a_time_or_at_one(length, moment, expected):
    assert snooze_end(length, moment, NOW) == expected


@pytest.mark.parametrize(
    ("length", "moment", "reason"),
    [
        (None, None, "say for how long or until when"),
        ("6h", "2026-11-21", "say for how long or until when"),
        ("6", None, "--for is '6'; valid: a number and m, h, d or w"),
        ("-6h", None, "valid: a number"),
        ("99999999h", None, "valid: a number"),
        (None, "tomorrow", "--until is 'tomorrow'; valid: ISO 8601"),
    ],
)
def test_a_snooze_written_otherwise_is_refused_with_what_is_valid(length, moment, reason):
    with pytest.raises(SettingsError, match=reason):
        snooze_end(length, moment, NOW)


@pytest.mark.parametrize(
    "until", [NOW, NOW - timedelta(hours=1), NOW + timedelta(days=31), snooze_end("9999w", None, NOW)]
)
def test_a_snooze_that_is_over_already_or_for_ever_is_refused(settings, until):
    with pytest.raises(SettingsError, match="give a time to come, within 30 days"):
        attend(settings, "c0ffee01", "snoozed", until=until)
    assert stands(settings, "c0ffee01") == "open"


def test_an_operator_answers_from_the_command_line(settings, monkeypatch):
    for name, value in (("WOM_CONFIG", settings.source_file), ("WOM_LAKE", settings.lake)):
        monkeypatch.setenv(name, str(value))
    wom = CliRunner()
    done = wom.invoke(app, ["ack", "c0ffee01", "--by", "kim", "--no-publish"])
    assert (done.exit_code, done.stdout.splitlines()[0]) == (0, "c0ffee01 (Acme): open -> acknowledged, by kim")
    done = wom.invoke(app, ["snooze", "c0ffee01", "--for", "6h", "--by", "kim", "--no-publish", "--json"])
    told = json.loads(done.stdout)
    assert (told["alert_id"], told["state"], told["is_published"]) == ("c0ffee01", "snoozed", False)
    assert wom.invoke(app, ["resolve", "c0ffee02", "--note", "called them", "--no-publish"]).exit_code == 0
    assert wom.invoke(app, ["dismiss", "beef", "--no-publish"]).exit_code == 0
    with pytest.raises(SettingsError, match="nothing to acknowledge"):
        wom.invoke(app, ["ack", "c0ffee02"], catch_exceptions=False)


def test_everybody_sees_who_takes_care(settings, monkeypatch):
    for name, value in (("WOM_CONFIG", settings.source_file), ("WOM_LAKE", settings.lake)):
        monkeypatch.setenv(name, str(value))
    assert CliRunner().invoke(app, ["ack", "c0ffee01", "--by", "kim"]).exit_code == 0
    assert "acknowledged by kim" in CliRunner().invoke(app, ["alerts", "--state", "acknowledged"]).stdout
