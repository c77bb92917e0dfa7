"""Alerts of other kinds: asked for in listening.toml, noticed by `wom watch`, told in nothing but words."""

import json
import re
from datetime import timedelta

import pyarrow as pa
import pytest
from hostile import addresses, texts
from hypothesis import given, settings
from hypothesis import strategies as st
from stormy_lake import NOW, alerts_of, published, told_by, watch
from test_plain_words import LINK, is_plain
from written_by_tests import toml_of

from dags import stages
from dags.messages import digest, message
from dags.settings import SettingsError
from warehouse.opportunities import KINDS
from warehouse.tables import VISITS

SINCE = "2026-11-20T10:00:00+00:00"
PART = {"value": "billing", "n": 12, "expected": 4.2, "usual_n": 40, "z": 5.0}


def evidence(kind, word="town-talk", url="https://posts.example/1"):
    """What is told of a kind, with this word wherever others have a say."""
    told = {
        "recovery": {"post_id": word, "complaints": 3, "followers": 12_000, "is_heard": True,
                     "quotes": [{"text": word, "url": url, "source": word, "published_at": SINCE, "author": word}]},
        "praise": {"window_hours": 3, "positives": 30, "usual_positives": 4.25, "positive_share": 0.6,
                   "usual_positive_share": 0.2},
        "competitor": {"competitors": [{"competitor": word, "window_hours": 6, "negatives": 40, "expected": 3.0,
                                        "since": SINCE}]},
        "silent_feed": {"feeds": [
            {"feed": word, "source": "rss", "since": SINCE, "error": word, "usual_posts_per_day": None},
            {"feed": word, "source": "rss", "since": SINCE, "error": None, "usual_posts_per_day": 8.0},
        ]},
        "rising_aspect": {"aspects": [{**PART, "value": word}], "about": {"aspects": [word], "sources": []}},
        "rising_phrase": {"phrases": [{**PART, "value": word}]},
    }[kind]  # fmt: skip
    return {"quotes": [], "about": {"aspects": [], "sources": []}, "subject": "", "members": [word], "since": SINCE,
            "until": SINCE, "severity": "tell", **told}  # fmt: skip


def event(kind, told, what="opened"):
    return {"alert_id": "a1", "brand": "Acme", "kind": kind, "event": what, "at": NOW, "by": "watch",
            "evidence": json.dumps(told)}  # fmt: skip


@pytest.mark.parametrize(
    ("kind", "title", "text"),
    [
        ("recovery", "a complaint is worth an answer", "its author reaches 12,000 followers or viewers and it is the "
         "author's complaint number 3 in 30 days."),
        ("praise", "praise is spiking", "30 mentions for the brand in 3 h; 4.2 would be usual."),
        ("competitor", "negative word of mouth about a competitor is spiking (town-talk)", "town-talk: 40 negative"),
        ("silent_feed", "silent feeds (town-talk)", "it answers, and has nothing new, where 8.0 posts a day are usual"),
        ("rising_aspect", "complaints are on the rise (billing)", "What grew: billing 12 (4 by its usual share)"),
        ("rising_phrase", "complaints come in new words (billing)", "In these words: billing 12"),
    ],
)  # fmt: skip
def test_each_kind_says_what_was_noticed(kind, title, text):
    told = message(event(kind, evidence(kind, "billing" if kind.startswith("rising") else "town-talk")))
    assert told.title == f"Acme: {title}"
    assert text in told.text
    assert "FROM why(" not in told.text, "that is of negative spikes"
    assert told.payload["kind"] == kind


def test_that_it_is_over_says_why():
    told = message(event("silent_feed", {"reason": "it is heard again"}, "resolved"))
    assert told.title == "Acme: over: silent feeds"
    assert told.text == "Reason: it is heard again"


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(KINDS), texts, addresses)
def test_no_words_of_others_do_anything_in_a_channel(kind, word, url):
    one = event(kind, evidence(kind, word, url))
    for told in (message(one), digest([one, one])):
        assert is_plain(told.title)
        for line in told.text.split("\n"):
            assert is_plain(re.sub(f"{LINK.pattern}$", "", line)), line  # an address ends its line


def test_a_feed_that_falls_silent_is_told_to_who_asked_for_it_and_that_it_is_heard_again(settings_of, inbox):
    toml = toml_of({"a": "http://127.0.0.1:1/"}, more=told_by(inbox))
    settings = settings_of(toml.replace('name = "Acme"', 'name = "Acme"\nalerts = ["silent_feed", "praise"]'))
    visited(settings, 40, "new")
    visited(settings, 1, "failed", error="a: 503 from its server")
    published(settings, storm=False)
    assert watch(settings).counts == {"opened": 1, "notified": 1}
    assert watch(settings, minutes=5).counts == {}
    assert inbox.messages[0]["title"] == "Acme: silent feeds (a)"
    assert "no answer: 503 from its server" in inbox.messages[0]["message"]
    [alert] = alerts_of(settings)
    assert (alert["kind"], alert["state"], alert["negatives"]) == ("silent_feed", "open", None)

    visited(settings, -0.1, "unchanged")
    later = NOW + timedelta(minutes=20)
    stages.publish(settings, now=lambda: later)
    assert watch(settings, minutes=20).counts == {"resolved": 1, "notified": 1}
    assert inbox.messages[1]["title"] == "Acme: over: silent feeds"


def test_who_does_not_ask_is_told_of_spikes_alone(settings_of, inbox):
    settings = settings_of(toml_of({"a": "http://127.0.0.1:1/"}, more=told_by(inbox)))
    visited(settings, 40, "new")
    visited(settings, 1, "failed", error="503 from its server")
    published(settings, storm=False)
    assert watch(settings).counts == {}


def test_an_unknown_kind_is_refused_with_those_there_are(settings_of):
    toml = toml_of({"a": "http://127.0.0.1:1/"}).replace('name = "Acme"', 'name = "Acme"\nalerts = ["praize"]')
    with pytest.raises(SettingsError) as refused:
        settings_of(toml)
    assert "line 3" in str(refused.value)
    assert all(kind in str(refused.value) for kind in KINDS)


def visited(settings, hours, outcome, error=None):
    at = NOW - timedelta(hours=hours)
    row = dict.fromkeys(VISITS.names) | {
        "feed": "a", "source": "rss", "started_at": at, "finished_at": at, "outcome": outcome, "posts": 0,
        "left_out": [], "requests": 1, "bytes": 1, "error": error,
    }  # fmt: skip
    lake = stages.open_lake(settings)
    lake.append(pa.RecordBatch.from_pylist([row], schema=VISITS), VISITS, f"visit{hours}")
