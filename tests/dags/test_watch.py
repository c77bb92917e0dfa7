"""Watching: an owner is told once per spike, and an alert outlives every failure to tell."""

import multiprocessing
import random
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pytest
from written_by_tests import toml_of

from dags import alert_events, stages
from dags.notify import Patience
from dags.summary import ask, reading
from warehouse.tables import MENTIONS, POSTS, VISITS

NOW = datetime(2026, 11, 21, 12, 30, tzinfo=UTC)
AT_ONCE = Patience(pauses=(0.0, 0.0))  # tries again without a pause


def told_by(inbox):
    """The lines of listening.toml that make `care` this inbox."""
    return f'\n[[alerts.target]]\nname = "care"\nurl = "{inbox.url}"\n'


def published(settings, *, storm: bool):
    """A lake of three weeks of calm, and if asked for a storm in the last three hours, published at NOW."""
    chance = random.Random(5)
    posts, mentions = [], []
    moments = [(NOW - timedelta(hours=hours, minutes=chance.randrange(60)), chance.random() < 0.15)
               for hours in range(4, 21 * 24) for _ in range(2)]  # fmt: skip
    moments += [(NOW - timedelta(minutes=4 * step), True) for step in range(45)] if storm else []
    version = stages.version_of(settings)
    for number, (at, negative) in enumerate(moments):
        identity = {"post_id": f"p{number}", "version": "v", "source": "rss", "published_at": at, "fetched_at": NOW}
        text = f"Acme charged me twice, number {number}" if negative else f"Acme is open, number {number}"
        posts.append({**identity, "feed": "a", "kind": "post", "text": text, "author": f"author{number}",
                      "deleted": False, "consent": "none_stated"})  # fmt: skip
        mentions.append({**identity, "brand": "Acme", "matched_as": "alias", "certainty": 0.9, "p_negative": 0.8,
                         "p_neutral": 0.1, "p_positive": 0.1, "sentiment": -1 if negative else 0, "entities": [],
                         "experience": "unknown", "stage": "unknown", "nlp_version": version})  # fmt: skip
    lake = stages.open_lake(settings)
    [path] = lake.append(pa.RecordBatch.from_pylist(posts, schema=POSTS), POSTS, "made-up")
    lake.write_mentions(path, version, pa.RecordBatch.from_pylist(mentions, schema=MENTIONS))
    stages.publish(settings, now=lambda: NOW)


def watch(settings, minutes=0, environment=None):
    return stages.watch(
        settings, now=lambda: NOW + timedelta(minutes=minutes), environment=environment or {}, patience=AT_ONCE
    )


def alerts_of(settings):
    with reading(settings.database) as database:
        return ask(database, "FROM alerts")[0]


def test_calm_tells_nobody(settings_of, inbox):
    settings = settings_of(toml_of({"a": "http://127.0.0.1:1/"}, more=told_by(inbox)))
    published(settings, storm=False)
    assert watch(settings).counts == {}
    assert inbox.messages == []


def test_a_storm_is_told_once_to_its_owner_with_what_people_say(settings_of, inbox):
    settings = settings_of(toml_of({"a": "http://127.0.0.1:1/"}, more=told_by(inbox)))
    published(settings, storm=True)
    assert watch(settings).counts == {"opened": 1, "notified": 1}
    assert watch(settings, minutes=5).counts == {}
    [message] = inbox.messages
    assert message["title"] == "Acme: negative word of mouth is spiking"
    assert message["message"].count("charged me twice") == 3
    [alert] = alerts_of(settings)
    assert (alert["brand"], alert["state"], alert["told_to"]) == ("Acme", "open", ["care"])


def test_a_failed_delivery_keeps_the_alert_and_is_tried_again(settings_of, inbox):
    settings = settings_of(toml_of({"a": "http://127.0.0.1:1/"}, more=told_by(inbox)))
    published(settings, storm=True)
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


def test_schedulers_that_watch_one_lake_at_once_tell_once(settings_of, inbox):
    settings = settings_of(toml_of({"a": "http://127.0.0.1:1/"}, more=told_by(inbox)))
    published(settings, storm=True)
    processes = multiprocessing.get_context("spawn")
    begin = processes.Event()
    watching = [processes.Process(target=watch_when_told, args=(settings, minutes, begin)) for minutes in (0, 1)]
    for process in watching:
        process.start()
    begin.set()
    for process in watching:
        process.join()
    assert [process.exitcode for process in watching] == [0, 0]
    assert len(inbox.messages) == 1
    events, _ = alert_events.read(stages.open_lake(settings))
    assert sorted(event["event"] for event in events) == ["notified", "opened"]


def test_a_watch_killed_before_it_told_anybody_is_made_good_by_the_next(settings_of, inbox, monkeypatch):
    settings = settings_of(toml_of({"a": "http://127.0.0.1:1/"}, more=told_by(inbox)))
    published(settings, storm=True)
    with monkeypatch.context() as patched:
        patched.setattr("dags.watching.tell_due", lambda *given: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            watch(settings)
    assert watch(settings, minutes=5).counts == {"notified": 1}
    assert len(inbox.messages) == 1


def test_a_snoozed_storm_is_told_again_when_the_snooze_is_over(settings_of, inbox):
    settings = settings_of(toml_of({"a": "http://127.0.0.1:1/"}, more=told_by(inbox)))
    published(settings, storm=True)
    watch(settings)
    [alert] = alerts_of(settings)
    stages.attend(settings, alert["alert_id"], "snoozed", by="kim", until=NOW + timedelta(minutes=30), now=lambda: NOW)
    assert watch(settings, minutes=20).counts == {}
    assert watch(settings, minutes=40).counts["reopened"] == 1
    [alert] = alerts_of(settings)
    assert (alert["state"], alert["reopened"], alert["closed_by"]) == ("open", 1, None)


def test_a_brand_that_listening_toml_no_longer_names_raises_no_alert(settings_of, inbox):
    settings = settings_of(toml_of({"a": "http://127.0.0.1:1/"}, more=told_by(inbox)))
    published(settings, storm=True)
    without = settings_of(toml_of({"a": "http://127.0.0.1:1/"}, brand="Globex", more=told_by(inbox)))
    assert watch(without).counts == {}
    assert inbox.messages == []


def test_silence_while_no_feed_answers_is_no_calm(settings_of, inbox):
    settings = settings_of(toml_of({"a": "http://127.0.0.1:1/"}, more=told_by(inbox)))
    published(settings, storm=True)
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


def test_a_damaged_file_of_past_alerts_stops_no_new_one(settings_of, inbox):
    settings = settings_of(toml_of({"a": "http://127.0.0.1:1/"}, more=told_by(inbox)))
    published(settings, storm=True)
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
def test_an_alert_that_reaches_nobody_is_kept_and_says_why(settings_of, inbox, owner, reason):
    toml = toml_of({"a": "http://127.0.0.1:1/"}, more=told_by(inbox)).replace('{ default = "care" }', owner)
    settings = settings_of(toml)
    published(settings, storm=True)
    watched = watch(settings)
    assert watched.counts["opened"] == 1
    assert "notified" not in watched.counts
    assert reason in watched.unreachable[0]
    assert len(alerts_of(settings)) == 1


def test_the_address_is_taken_from_the_environment_and_never_shown(settings_of, inbox):
    more = '\n[[alerts.target]]\nname = "care"\nurl_env = "CARE_URL"\n'
    settings = settings_of(toml_of({"a": "http://127.0.0.1:1/"}, more=more))
    published(settings, storm=True)
    assert "CARE_URL" in watch(settings).unreachable[0]
    secret = inbox.url.replace("://", "://user:hunter2@")
    inbox.status = 500
    failed = watch(settings, environment={"CARE_URL": secret})
    assert failed.undelivered
    assert "hunter2" not in repr(failed)
    inbox.status = 200
    assert watch(settings, environment={"CARE_URL": secret}).told == ("care",)
