"""Watching: an owner is told once per spike, and an alert outlives every failure to tell."""

from datetime import timedelta
from pathlib import Path

import pyarrow as pa
import pytest
from processes import FRESH
from stormy_lake import A_BRAND, NOW, alerts_of, published, told_by, watch
from written_by_tests import toml_of

from dags import alert_events, stages
from warehouse.tables import VISITS


def test_calm_tells_nobody(settings_of, inbox):
    settings = settings_of(A_BRAND + told_by(inbox))
    published(settings, storm=False)
    assert watch(settings).counts == {}
    assert inbox.messages == []


def test_a_storm_is_told_once_to_its_owner_with_what_people_say(storm_of, inbox):
    settings = storm_of(told_by(inbox))
    assert watch(settings).counts == {"opened": 1, "notified": 1}
    assert watch(settings, minutes=5).counts == {}
    [message] = inbox.messages
    assert message["title"] == "Acme: negative word of mouth is spiking"
    assert message["message"].count("charged me twice") == 3
    [alert] = alerts_of(settings)
    assert (alert["brand"], alert["state"], alert["told_to"]) == ("Acme", "open", ["care"])


def test_a_failed_delivery_keeps_the_alert_and_is_tried_again(storm_of, inbox):
    settings = storm_of(told_by(inbox))
    inbox.status = 500
    first = watch(settings)
    assert first.counts == {"opened": 1, "undelivered": 1}
    assert first.undelivered
    [alert] = alerts_of(settings)
    assert alert["told_at"] is None
    inbox.status = 200
    assert watch(settings, minutes=5).counts == {"notified": 1}
    assert watch(settings, minutes=10).counts == {}


def watch_when_told(settings, minutes, begin):
    begin.wait(60)
    watch(settings, minutes)


def test_schedulers_that_watch_one_lake_at_once_tell_once(storm_of, inbox):
    settings = storm_of(told_by(inbox))
    begin = FRESH.Event()
    watching = [FRESH.Process(target=watch_when_told, args=(settings, minutes, begin)) for minutes in (0, 1)]
    for process in watching:
        process.start()
    begin.set()
    for process in watching:
        process.join()
    assert [process.exitcode for process in watching] == [0, 0]
    assert len(inbox.messages) == 1
    events, _ = alert_events.read(stages.open_lake(settings))
    assert sorted(event["event"] for event in events) == ["notified", "opened"]


def test_a_watch_killed_before_it_told_anybody_is_made_good_by_the_next(storm_of, inbox, monkeypatch):
    settings = storm_of(told_by(inbox))
    with monkeypatch.context() as patched:
        patched.setattr("dags.watching.tell_due", lambda *given: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            watch(settings)
    assert watch(settings, minutes=5).counts == {"notified": 1}
    assert len(inbox.messages) == 1


def test_a_snoozed_storm_is_told_again_when_the_snooze_is_over(storm_of, inbox):
    settings = storm_of(told_by(inbox))
    watch(settings)
    [alert] = alerts_of(settings)
    stages.attend(settings, alert["alert_id"], "snoozed", by="kim", until=NOW + timedelta(minutes=30), now=lambda: NOW)
    assert watch(settings, minutes=20).counts == {}
    assert watch(settings, minutes=40).counts["reopened"] == 1
    [alert] = alerts_of(settings)
    assert (alert["state"], alert["reopened"], alert["closed_by"]) == ("open", 1, None)


def test_a_brand_that_listening_toml_no_longer_names_raises_no_alert(storm_of, inbox):
    without = storm_of(told_by(inbox), toml_of({"a": "http://127.0.0.1:1/"}, brand="Globex"))
    assert watch(without).counts == {}
    assert inbox.messages == []


def test_silence_while_no_feed_answers_is_no_calm(storm_of, inbox):
    settings = storm_of(told_by(inbox))
    watch(settings)
    lake = stages.open_lake(settings)

    def visited(hours, outcome):
        at = NOW + timedelta(hours=hours)
        row = dict.fromkeys(VISITS.names) | {
            "feed": "a", "source": "rss", "started_at": at, "finished_at": at, "outcome": outcome, "posts": 0,
            "left_out": [], "requests": 1, "bytes": 1, "next_visit_at": at + timedelta(hours=1),
        }  # fmt: skip
        lake.append(pa.RecordBatch.from_pylist([row], schema=VISITS), VISITS, f"visit-{hours}")

    for hours, outcome in ((0, "new"), (5, "failed"), (49, "failed")):
        visited(hours, outcome)
    stages.publish(settings, now=lambda: NOW + timedelta(hours=50))
    assert not {"quieted", "resolved"} & set(watch(settings, minutes=50 * 60).counts)
    visited(50, "unchanged")
    stages.publish(settings, now=lambda: NOW + timedelta(hours=51))
    assert watch(settings, minutes=51 * 60).counts["resolved"] == 1


def test_a_damaged_file_of_past_alerts_stops_no_new_one(storm_of, inbox):
    settings = storm_of(told_by(inbox))
    damaged = Path(settings.lake) / "alerts" / "date=2026-11-20" / "x.parquet"
    damaged.parent.mkdir(parents=True)
    damaged.write_bytes(b"no parquet")
    watched = watch(settings)
    assert "alerts/date=2026-11-20/x.parquet" in watched.unread[0]
    assert watched.told == ("care",)


@pytest.mark.parametrize(
    ("owner", "reason"),
    [
        ('{ default = "care@acme.example" }', "no mail server to write to care@acme.example"),
        ('{ default = "chatt" }', "'chatt' is neither a mail address nor an [[alerts.target]]; known targets: care"),
        ("{}", "nobody owns it"),
    ],
)
def test_an_alert_that_reaches_nobody_is_kept_and_says_why(storm_of, inbox, owner, reason):
    settings = storm_of(told_by(inbox), A_BRAND.replace('{ default = "care" }', owner))
    watched = watch(settings)
    assert watched.counts["opened"] == 1
    assert "notified" not in watched.counts
    assert reason in watched.unreachable[0]
    assert len(alerts_of(settings)) == 1


def test_the_address_is_taken_from_the_environment_and_never_shown(storm_of, inbox):
    more = '\n[[alerts.target]]\nname = "care"\nurl_env = "CARE_URL"\n'
    settings = storm_of(more)
    assert "CARE_URL" in watch(settings).unreachable[0]
    secret = inbox.url.replace("://", "://user:hunter2@")
    inbox.status = 500
    failed = watch(settings, environment={"CARE_URL": secret})
    assert failed.undelivered
    assert "hunter2" not in repr(failed)
    inbox.status = 200
    assert watch(settings, environment={"CARE_URL": secret}).told == ("care",)
