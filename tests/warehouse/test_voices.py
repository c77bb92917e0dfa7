"""What voices said last, what phrases they complain in, and who speaks: the marts that the macros read."""

from datetime import timedelta
from typing import Any

import pytest
from warehouse_rows import NOW, hours_ago, mention, post, store

from warehouse.lake import Lake

SAME_TEXT = bytes(range(64))
AGAINST_BILLING = [{"aspect": "billing", "sentiment": -1, "start": 0, "end": 4}]


def say(
    lake: Lake, name: str, hours: float, sentiment: int | None = 0, labels: dict[str, Any] | None = None, **of_post: Any
):
    """Store a post of the past, read soon after, and what it says."""
    at = hours_ago(hours)
    said = post(name, published_at=at, fetched_at=at + timedelta(minutes=5), **of_post)
    told: dict[str, Any] = {"intents": [], "aspects": []} | (labels or {})
    store(lake, [said], [mention(said, sentiment=sentiment, **told)], name)


def test_a_voice_is_told_once_a_day_by_what_it_said_last(lake, publish, ask):
    told = {"signature": SAME_TEXT}
    say(lake, "a", 11, -1, told | {"aspects": AGAINST_BILLING}, author="ann", feed="town-talk")
    say(lake, "b", 3, 1, told | {"stage": "use"}, author="ann", feed="square")
    say(lake, "c", 2, None, told, author="ann")
    say(lake, "d", 2, -1, told, author="bob")
    publish()
    ann, bob = ask("FROM voices ORDER BY post_id")
    assert (ann["post_id"], ann["feed"], ann["first_feed"], ann["stage"]) == ("c", "town-talk", "town-talk", "unknown")
    assert (ann["hour"] - ann["first_hour"], ann["sentiment"], ann["last_side"]) == (timedelta(hours=9), None, 1)
    assert (ann["against"], ann["is_billing"]) == ([], False)
    assert (bob["post_id"], bob["sentiment"]) == ("d", -1)


def test_a_voice_that_speaks_on_both_sides_of_a_bound_counts_after_it(lake, publish, ask):
    labels = {"signature": SAME_TEXT, "aspects": AGAINST_BILLING, "stage": "pay"}
    say(lake, "early", 12, -1, labels, author="ann")
    say(lake, "late", 2, -1, labels, author="ann")
    publish()
    for asked in ("", ", as_of := (SELECT published_at FROM lake.snapshot)"):
        [row] = ask(f"FROM hotspots('Quillon', since := ?{asked})", hours_ago(6).replace(tzinfo=None))
        assert (row["n"], row["n_before"], row["units"], row["units_before"]) == (1, 0, 1, 0)


def test_phrases_follow_an_edit_that_leaves_every_label_as_it_was(lake, publish, ask):
    labels: dict[str, Any] = {"aspects": AGAINST_BILLING}
    say(lake, "a", 5, -1, labels, text="charged twice")
    publish(now=NOW)
    edited = post("a", published_at=hours_ago(5), fetched_at=NOW, edited_at=NOW, text="charged thrice")
    store(lake, [edited], [mention(edited, sentiment=-1, intents=[], **labels)], "edit")
    more = publish(now=NOW + timedelta(minutes=10), verify=True)
    assert (more.rebuilt, more.differing) == (None, ())
    [row] = ask("SELECT phrases FROM complaint_phrases")
    assert "charged thrice" in row["phrases"]


def test_of_a_day_and_brand_50_texts_are_read(lake, publish, ask):
    said = [post(f"p{number:02}", published_at=hours_ago(2)) for number in range(60)]
    store(lake, said, [mention(one, sentiment=-1, intents=[], aspects=AGAINST_BILLING) for one in said])
    publish()
    assert ask("SELECT count(*) AS n FROM complaint_phrases") == [{"n": 50}]


@pytest.mark.parametrize(
    ("acts", "last"),
    [([["recommend"], ["warn_off"], []], -1), ([["warn_off"], ["recommend", "warn_off"]], -1), ([[], None], None)],
)
def test_a_speaker_is_told_by_the_last_act(lake, publish, ask, acts, last):
    for number, intents in enumerate(acts):
        say(lake, f"p{number}", 40 - 10 * number, labels={"intents": intents}, author="ann")
    publish()
    [ann] = ask("FROM brand_speakers")
    assert (ann["speaker"], ann["is_author"], ann["last_act"]) == ("ann", True, last)
    spoke_last = hours_ago(40 - 10 * (len(acts) - 1)).replace(minute=0, tzinfo=None)
    assert ann["last_hour"] == spoke_last


def test_who_stays_out_of_the_period_is_nobody_in_it(lake, publish, ask):
    say(lake, "old", 50, labels={"intents": ["recommend"]}, author="ann")
    say(lake, "new", 2, labels={"intents": ["warn_off"]}, author="bob")
    publish()
    [row] = ask("FROM advocates('Quillon', since := ?)", hours_ago(24).replace(tzinfo=None))
    assert (row["n"], row["advocates"], row["detractors"], row["authors"]) == (1, 0, 1, 1)
