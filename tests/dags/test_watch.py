"""Watching: an owner is told once per spike, and an alert outlives every failure to tell."""

import random
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pytest
from written_by_tests import toml_of

from dags import stages
from dags.summary import ask, reading
from warehouse.tables import MENTIONS, POSTS

NOW = datetime(2026, 11, 21, 12, 30, tzinfo=UTC)


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


def watch(settings, minutes=0):
    return stages.watch(settings, now=lambda: NOW + timedelta(minutes=minutes), environment={})


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
    assert first.counts == {"opened": 1}
    assert first.undelivered
    [alert] = alerts_of(settings)
    assert alert["told_at"] is None
    inbox.status = 200
    assert watch(settings, minutes=5).counts == {"notified": 1}
    assert watch(settings, minutes=10).counts == {}


def test_two_watches_at_once_tell_once(settings_of, inbox):
    settings = settings_of(toml_of({"a": "http://127.0.0.1:1/"}, more=told_by(inbox)))
    published(settings, storm=True)
    with ThreadPoolExecutor() as both:
        for watched in [both.submit(watch, settings, minutes) for minutes in (0, 1)]:
            watched.result()
    assert len(inbox.messages) == 1
    assert len(alerts_of(settings)) == 1


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
    assert watched.counts == {"opened": 1}
    assert reason in watched.unreachable[0]
    assert len(alerts_of(settings)) == 1


def test_the_address_is_taken_from_the_environment_and_never_shown(settings_of, inbox):
    more = '\n[[alerts.target]]\nname = "care"\nurl_env = "CARE_URL"\n'
    settings = settings_of(toml_of({"a": "http://127.0.0.1:1/"}, more=more))
    published(settings, storm=True)
    assert "CARE_URL" in watch(settings).unreachable[0]
    secret = inbox.url.replace("://", "://user:hunter2@")
    inbox.status = 500
    failed = stages.watch(settings, now=lambda: NOW, environment={"CARE_URL": secret})
    assert failed.undelivered
    assert "hunter2" not in repr(failed)
    inbox.status = 200
    assert stages.watch(settings, now=lambda: NOW, environment={"CARE_URL": secret}).told == ("care",)
