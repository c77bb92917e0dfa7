"""What is noticed besides negative spikes: posts, mentions and visits in, what is worth telling out."""

import random
from datetime import timedelta
from typing import Any

import pytest
from warehouse_rows import NOW, batch, feeds, hours_ago, mention, post, store, visit

from warehouse import snapshot, tables
from warehouse.noticing import SpikeHour, noticed, standing_run
from warehouse.spike_rules import DEFAULT


def said(name: str, hours: float, sentiment: int = -1, *aspects: str, brand: str = "Quillon", **of_post: Any):
    """A post and its mention, read some minutes after it was published some hours before NOW."""
    at = hours_ago(hours)
    one = post(name, published_at=at, fetched_at=min(NOW, at + timedelta(minutes=5)), **of_post)
    intents = ["complain"] if sentiment < 0 else []
    found = [{"aspect": aspect, "sentiment": sentiment, "start": 0, "end": 4} for aspect in aspects]
    return one, mention(one, brand, sentiment, intents=intents, aspects=found)


@pytest.fixture
def notice(lake, publish, database):
    """Publish what was said and heard, and return what is noticed of the kinds asked for, by kind and brand."""

    def notice(rows, *kinds, visits=(), heard=None, **competitors):
        store(lake, [one for one, _ in rows], [one for _, one in rows])
        if visits:
            lake.append(batch(tables.VISITS, *visits), tables.VISITS, "visits")
        names = {"Quillon": [], **competitors}
        publish(
            batch(
                tables.BRANDS, *({"brand": name, "competitors": rivals, "owners": []} for name, rivals in names.items())
            ),
            heard,
        )
        with snapshot.connect(database) as connection:
            return noticed(connection, {"Quillon": kinds}, DEFAULT)

    return notice


def test_complaints_of_who_is_heard_or_complains_again_wait_for_an_answer(notice):
    quiet: Any = {"replies": 0, "author_followers": 10}
    rows = [said(f"other-{number}", 50 + number, 0, **quiet) for number in range(30)]
    rows += [
        said("loud", 5, -1, "billing", author="ann", text="Quillon took it twice, write to ann@mail.example",
             replies=0, author_followers=90_000),
        said("answered", 5, author="bo", replies=2, author_followers=50_000),
        said("not told", 5, author="cy", replies=None, author_followers=50_000),
        said("just now", 1, author="di", replies=0, author_followers=50_000),
        said("long ago", 80, author="eve", replies=0, author_followers=50_000),
        said("small", 5, author="fay", **quiet),
        *(said(f"again-{number}", 5 + 100 * number, author="gil", **quiet) for number in range(3)),
        said("came round", 6, author="hal", replies=0, author_followers=50_000), said("glad", 4, 1, author="hal"),
    ]  # fmt: skip
    loud, again = notice(rows, "recovery")
    assert (loud.kind, loud.subject, loud.since) == ("recovery", "ann", hours_ago(5).replace(tzinfo=None))
    assert (loud.evidence["is_heard"], loud.evidence["followers"]) == (True, 90_000)
    assert loud.evidence["about"] == {"aspects": ["billing"], "sources": ["rss"]}
    assert loud.evidence["quotes"][0]["text"] == "Quillon took it twice, write to (mail address)"
    assert (again.subject, again.evidence["is_heard"], again.evidence["complaints"]) == ("gil", False, 3)


def test_a_feed_that_does_not_answer_or_has_nothing_where_it_usually_has_is_silent(notice):
    rows = [
        said(f"{feed}-{hours}", hours, 0, feed=feed)
        for feed, last in (("fails", 40), ("dry", 80), ("fine", 2), ("others", 80))
        for hours in range(last, 28 * 24, 5)
    ] + [said("rare", 300, 0, feed="rare"), said("rarer", 600, 0, feed="rare")]
    visits = [visit("fails", "new", 40), visit("fails", "failed", 2, error="503 from its server")]
    visits += [visit(name, "unchanged", 1) for name in ("dry", "fine", "others", "rare")]
    heard = feeds("fails", "dry", "fine", "rare", others="Vossberg")
    [silent] = notice(rows, "silent_feed", visits=visits, heard=heard, Vossberg=[])
    assert list(silent.members) == ["dry", "fails"]
    dry, fails = silent.evidence["feeds"]
    assert (dry["error"], fails["error"]) == (None, "503 from its server")
    assert dry["usual_posts_per_day"] == pytest.approx(24 / 5, rel=0.05)
    assert fails["since"] == hours_ago(40).isoformat()


def test_aspects_and_phrases_of_complaints_that_rise_slowly_are_noticed(notice):
    rows = []
    for number in range(31 * 20):
        hours = 12.6 + 24 / 20 * number  # up to the end of yesterday
        is_new = number < 3 * 20
        if number % 3 == 0:
            words = f"the melted battery is back, number {number}" if is_new else f"it costs too much, number {number}"
            rows.append(said(f"p{number}", hours, -1, "reliability" if is_new else "price", text=words))
        else:
            rows.append(said(f"p{number}", hours, 0, text=f"open today, number {number}"))
    aspects, phrases = notice(rows, "rising_aspect", "rising_phrase")
    assert (aspects.kind, list(aspects.members)) == ("rising_aspect", ["reliability"])
    assert aspects.evidence["about"] == {"aspects": ["reliability"], "sources": []}
    [part] = aspects.evidence["aspects"]
    assert (part["n"], part["usual_n"], part["expected"]) == (20, 0, 0)
    assert phrases.kind == "rising_phrase"
    assert "melted battery" in " ".join(phrases.members)


def test_praise_and_what_competitors_meet_are_noticed_by_the_detector_of_spikes(notice):
    chance = random.Random(5)
    rows = []
    for brand, side in (("Quillon", 1), ("Vossberg", -1)):
        for number in range(2 * 24 * 21):
            sentiment = side if chance.random() < 0.15 else 0
            rows.append(said(f"{brand}-{number}", 4 + number / 2, sentiment, brand=brand))
        rows += [said(f"{brand}-storm-{number}", number / 15 + 0.1, side, brand=brand) for number in range(45)]
    kinds = ("praise", "competitor", "rising_phrase", "recovery")
    praise, competitor = notice(rows, *kinds, Quillon=["Vossberg", "Nobody"], Vossberg=["Quillon"])
    assert (praise.kind, competitor.kind) == ("praise", "competitor")
    assert praise.evidence["positives"] > 3 * praise.evidence["usual_positives"]
    assert praise.evidence["positive_share"] > praise.evidence["usual_positive_share"]
    assert len({quote["author"] for quote in praise.evidence["quotes"]}) == 3
    assert list(competitor.members) == ["Vossberg"]
    assert competitor.evidence["competitors"][0]["negatives"] > 20


def test_who_asks_for_nothing_is_told_nothing():
    nobody = None  # no connection is asked
    assert noticed(nobody, {"Quillon": ()}, DEFAULT) == []  # pyright: ignore[reportArgumentType]


@pytest.mark.parametrize(
    ("hours", "standing"),
    [([], []), ([13], []), ([11], [11]), ([30, 11, 5], [11, 5]), ([22, 11], [22, 11]), ([24, 11], [11])],
)
def test_hours_belong_together_that_are_no_more_than_half_a_day_apart(hours, standing):
    now = NOW.replace(minute=0, tzinfo=None)
    found = standing_run([SpikeHour(now - timedelta(hours=hour), 5.0, {}) for hour in hours], now)
    assert [(now - one.hour) / timedelta(hours=1) for one in found] == standing
