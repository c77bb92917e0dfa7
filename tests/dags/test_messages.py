"""What owners read of an alert, and what programs are given."""

import json
import re
from datetime import UTC, datetime

import pytest
from hostile import addresses, evidence_of, texts
from hypothesis import given, settings
from hypothesis import strategies as st
from test_plain_words import LINK, is_plain

from dags.messages import digest, message

KINDS = ("opened", "grew", "reopened", "quieted", "resolved", "dismissed", "acknowledged", "snoozed", "escalated",
         "undelivered")  # fmt: skip
TOLD = {"since": "2026-11-20T08:00:00+00:00", "until": "2026-11-20T11:00:00+00:00", "window_hours": 3, "negatives": 14,
        "expected": 1.25, "mentions": 20, "share": 0.7, "expected_share": 0.2, "score": 6.0, "peak_negatives": 14,
        "quotes": [{"text": "They charged me twice.", "url": "https://mouse.example/@ann/1", "source": "mastodon",
                    "published_at": "2026-11-20T10:00:00+00:00", "author": "a1"}]}  # fmt: skip
MORE = {
    "hours": [{"hour": f"2026-11-20T{hour:02}:00:00+00:00", "negatives": hour, "expected": 1.0} for hour in range(8)],
    "series": [
        {"aspect": "billing", "source": None, "window_hours": 3, "negatives": 9, "expected": 0.2, "score": 6.1},
        {"aspect": None, "source": "mastodon", "window_hours": 6, "negatives": 10, "expected": 0.5, "score": 5.0},
    ],
    "aspects": [{"value": "billing", "n": 9, "expected": 1.6, "usual_n": 3, "z": 4.0}],
    "sources": [{"value": "mastodon", "n": 10, "expected": None, "usual_n": 0, "z": 3.0}],
    "phrases": [{"value": "charged twice", "n": 8, "expected": 0.0, "usual_n": 0, "z": 5.0}],
    "experience": {"first_hand": 0.6, "second_hand": 0.4, "opinion": None, "unknown": None, "usual_first_hand": 0.7,
                   "usual_second_hand": None},
    "new_authors_share": 0.8,
    "usual_new_authors_share": 0.5,
    "reach": {"people": 12345, "unknown_share": 0.1},
    "firestorm": {"score": 61.8, "parts": {"size": 0.92, "growth": None, "spread": 0.99}, "reason": None},
    "similar": [{"alert_id": "b", "since": "2026-11-01T10:00:00+00:00", "ended_at": "2026-11-02T00:00:00+00:00",
                 "ended": "resolved", "ended_by": "watch", "note": "no spike for 12 hours", "negatives": 9,
                 "expected": 1.0, "aspects": ["billing"]}],
}  # fmt: skip


def event(what="opened", evidence=None, **other):
    told = TOLD if evidence is None else evidence
    return {"alert_id": "a1b2", "brand": "Acme", "aspect": None, "event": what, "by": "watch",
            "at": datetime(2026, 11, 20, 11, tzinfo=UTC), "evidence": json.dumps(told)} | other  # fmt: skip


def test_an_owner_reads_what_happened_against_what_is_usual_and_in_whose_words():
    told = message(event())
    assert told.title == "Acme: negative word of mouth is spiking"
    assert told.text.splitlines() == [
        "14 negative mentions in 3 h; 1.2 would be usual.",
        "70 % of what is said is negative, where 20 % is usual.",
        "Since 2026-11-20 08:00 UTC.",
        "",
        "What people say:",
        "- “They charged me twice.”",
        "  mastodon: https://mouse.example/%40ann/1",
        "",
        "Check it: wom sql \"FROM why('a1b2')\"",
        "Take it on: wom ack a1b2 (or wom snooze, resolve, dismiss)",
    ]


def test_an_owner_reads_why():
    told = message(event(evidence=TOLD | MORE), "https://wom.example/report.html")
    assert told.title == "Acme: negative word of mouth is spiking (billing)"
    for line in (
        "Negative mentions an hour, last 8 h:",
        "▁▂▃▄▅▆▇█",
        "What spikes of its own: billing 9 in 3 h (0.2 usual), mastodon 10 in 6 h (0.5 usual)",
        "What grew: billing 9 (2 by its usual share)",
        "Where: mastodon 10",
        "In these words: charged twice 8",
        "Who: 60 % first-hand (70 % usual), 40 % second-hand, 80 % by authors new to the brand (50 % usual)",
        "It may have reached 12,345 followers or viewers, at most.",
        "Firestorm score 62 of 100: many voices 99, size 92.",
        "Most like it: 2026-11-01 10:00 UTC, resolved by itself after 14 h: no spike for 12 hours",
        "Report: https://wom.example/report.html#a1b2",
    ):
        assert line in told.text.splitlines()


def test_an_hour_nobody_listened_to_is_no_calm_one():
    hours = [{"hour": "2026-11-20T08:00:00+00:00", "negatives": n, "expected": None} for n in (4, None, 8)]
    assert "▄·█" in message(event(evidence=TOLD | {"hours": hours})).text


@pytest.mark.parametrize("what", KINDS)
def test_every_kind_of_event_can_be_told_with_nothing_but_a_reason(what):
    told = message(event(what, {"reason": "no spike for 12 hours"}))
    assert told.title.startswith("Acme: ")
    assert told.text.startswith("Reason: no spike for 12 hours")
    assert "usual" not in message(event(what, {})).text


def test_whoever_reads_of_an_alert_reads_how_to_answer_it():
    take_it_on = "Take it on: wom ack a1b2 (or wom snooze, resolve, dismiss)"
    for what in ("opened", "grew", "reopened"):
        assert message(event(what)).text.endswith(take_it_on)
        assert message(event(what, kind="recovery")).text.endswith(take_it_on)
    told = digest([event(), event(alert_id="c3")]).text.splitlines()
    assert [line for line in told if "wom ack" in line] == [take_it_on, take_it_on.replace("a1b2", "c3")]


def test_whoever_reads_that_it_is_over_reads_who_said_so_or_is_asked_whether_it_was_one():
    over = message(event("resolved", {"reason": "no spike for 12 hours"})).text
    assert over.endswith("Was it one? wom resolve a1b2, or wom dismiss a1b2")
    assert message(event("dismissed", {"note": "a game"}, by="ann")).text == "Dismissed by ann.\nNote: a game"
    assert message(event("resolved", {"note": "refunded"}, by="ann")).text == "Resolved by ann.\nNote: refunded"


def test_programs_are_given_the_evidence_and_where_the_report_is():
    payload = message(event(evidence=TOLD | {"severity": "page"}), "https://wom.example/r").payload
    assert json.loads(json.dumps(payload)) == {
        "alert_id": "a1b2", "brand": "Acme", "kind": "negative_spike", "event": "opened", "severity": "page",
        "at": "2026-11-20T11:00:00+00:00", "title": "Acme: negative word of mouth is spiking",
        "report": "https://wom.example/r#a1b2",
        "evidence": TOLD | {"severity": "page"},
    }  # fmt: skip


def test_a_digest_tells_several_in_one_message():
    told = digest([event(), event("resolved", {"reason": "calm"}, brand="Globex", alert_id="c3")])
    assert told.title == "2 alerts: Acme, Globex"
    assert "Acme: negative word of mouth is spiking\n14 negative mentions in 3 h" in told.text
    assert "Globex: negative word of mouth is over\nReason: calm" in told.text
    assert [one["alert_id"] for one in told.payload["events"]] == ["a1b2", "c3"]
    assert digest([event()]).title == message(event()).title


@settings(deadline=None, max_examples=60)
@given(st.lists(texts, min_size=1, max_size=4), addresses, texts, st.sampled_from(KINDS))
def test_nothing_that_others_wrote_pings_formats_or_links(words, address, brand, what):
    hostile = event(what, evidence_of(words, address), brand=brand, alert_id=brand)
    for told in (message(hostile), digest([hostile, hostile])):
        assert is_plain(told.title)
        for line in told.text.split("\n"):
            words = re.sub(f"{LINK.pattern}$", "", line)  # an address ends its line
            assert is_plain(words), line


def test_a_message_fits_where_the_smallest_chat_takes_2000_signs():
    quote = {"text": "x" * 280, "url": f"https://mouse.example/{'y' * 100}", "source": "mastodon",
             "published_at": "2026-11-20T10:00:00+00:00", "author": "a1"}  # fmt: skip
    story = quote | {"value": "s", "n": 9, "first_at": quote["published_at"], "authors": 8}
    evidence = TOLD | MORE | {"quotes": [quote] * 3, "stories": [story] * 3, "hours": MORE["hours"] * 6}
    for note in ("x", "x" * 140):
        evidence["similar"] = [MORE["similar"][0] | {"note": note}]
        told = message(event(evidence=evidence), "https://wom.example/report.html").text
        assert 1800 < len(told) <= 1900
    assert f"- “{'x' * 280}”" in message(event(evidence=TOLD | {"quotes": [quote] * 3})).text
