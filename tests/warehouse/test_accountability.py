"""Closing the loop: what became of what each owner was told, and what nobody owns."""

import json
from datetime import timedelta

import pytest
from warehouse_rows import NOW, batch, event, hours_ago, mention, post, store

from warehouse import tables


def owned(**owners):
    return batch(tables.BRANDS, {"brand": "Quillon", "competitors": [], "owners": list(owners.items())})


def told(alert_id, owner, hours, what="opened", why="first"):
    return event(alert_id, "notified", hours, by=owner, evidence=json.dumps({"why": why, "event": what}))


def opened(alert_id, hours, *aspects, kind=None):
    evidence = {"since": hours_ago(hours).isoformat(), "about": {"aspects": aspects, "sources": []}}
    return event(alert_id, "opened", hours, kind=kind, evidence=json.dumps(evidence))


@pytest.fixture
def accountability(lake, publish, ask):
    """Publish events and mentions, and return the view's rows by owner."""

    def rows(*events, mentions=(), **owners):
        lake.append(batch(tables.ALERTS, *events), tables.ALERTS, "events")
        if mentions:
            store(lake, [one for one, _ in mentions], [one for _, one in mentions])
        publish(owned(**owners))
        return {row["owner"]: row for row in ask("FROM accountability")}

    return rows


def test_what_each_owner_was_told_is_counted_by_what_became_of_it(accountability):
    rows = accountability(
        opened("taken", 50), told("taken", "care", 50), event("taken", "acknowledged", 49, by="kim"),
        event("taken", "resolved", 40, by="kim"),
        opened("over", 30), told("over", "care", 29), event("over", "resolved", 10),
        opened("none", 28), told("none", "care", 28), event("none", "dismissed", 27, by="lee"),
        opened("open", 5), told("open", "care", 5), told("open", "boss", 4, why="escalation"),
        event("open", "escalated", 4, evidence='{"from": "care", "to": "boss", "reason": "no answer"}'),
        opened("untold", 3),
        default="care", billing="money",
    )  # fmt: skip
    care = rows["care"]
    assert (care["alerts"], care["attended"], care["closed"], care["dismissed"]) == (4, 2, 1, 1)
    assert (care["ended"], care["standing"], care["passed_on"]) == (1, 1, 1)
    assert (rows["boss"]["alerts"], rows["boss"]["passed_on"], rows["boss"]["brands"]) == (1, 0, ["Quillon"])
    assert rows["money"]["alerts"] == 0
    assert care["median_minutes_to_attend"] is None, "of two nothing is claimed"


def test_how_soon_people_attend_and_close_counts_from_when_the_owner_was_told(accountability):
    events = []
    for number, (attend, close) in enumerate([(10, 60), (20, 120), (30, 180), (40, 240), (500, 600)]):
        at = 100 - 12 * number
        events += [opened(f"a{number}", at + 1), told(f"a{number}", "care", at)]
        events += [event(f"a{number}", "acknowledged", at - attend / 60, by="kim")]
        events += [event(f"a{number}", "resolved", at - close / 60, by="kim")]
    care = accountability(*events, default="care")["care"]
    assert (care["attended"], care["closed"]) == (5, 5)
    assert care["median_minutes_to_attend"] == pytest.approx(30)
    assert care["median_hours_to_close"] == pytest.approx(3)


def test_that_it_is_over_or_a_channel_is_dead_counts_as_no_alert(accountability):
    rows = accountability(
        opened("a", 9), told("a", "care", 9), event("a", "resolved", 2), told("a", "care", 1, what="resolved"),
        told("a", "boss", 1, what="undelivered"), default="care",
    )  # fmt: skip
    assert rows["care"]["alerts"] == 1
    assert "boss" not in rows


def test_recovery_is_that_of_those_who_complained_while_the_alert_stood(accountability):
    def said(name, author, hours, sentiment):
        at = hours_ago(hours)
        one = post(name, author=author, published_at=at, fetched_at=at + timedelta(minutes=5))
        intents = ["complain"] if sentiment < 0 else ["praise"]
        aspect = {"aspect": "billing", "sentiment": sentiment, "start": 0, "end": 4}
        return one, mention(one, sentiment=sentiment, intents=intents, aspects=[aspect])

    mentions = [said(f"c{number}", f"author{number}", 90 - number, -1) for number in range(6)]
    mentions += [said(f"p{number}", f"author{number}", 40 - number, 1) for number in range(3)]  # three came round
    mentions += [said(f"n{number}", f"author{number}", 30 - number, -1) for number in range(3, 6)]  # three did not
    mentions += [said("early", "early", 200, -1), said("early-2", "early", 100, 1)]  # before the alert
    rows = accountability(
        opened("a", 95, "billing"), told("a", "care", 94), event("a", "resolved", 60, by="kim"),
        opened("b", 95, "staff"), told("b", "shops", 94),
        opened("c", 95, kind="praise"), told("c", "praised", 94),
        mentions=mentions, default="care", staff="shops", app="praised",
    )  # fmt: skip
    care = rows["care"]
    assert (care["complained"], care["heard_again"], care["recovered"]) == (6, 6, 3)
    assert care["recovery_rate"] == pytest.approx(0.5)
    assert care["recovery_rate_low"] < 0.5 < care["recovery_rate_high"]
    assert rows["shops"]["complained"] == 0, "nobody complained of what this alert was about"
    assert rows["praised"]["complained"] == 0
    assert rows["shops"]["recovery_rate"] is None


@pytest.fixture
def unowned(lake, publish, ask):
    """Publish a brand with these owners and mentions against it, each of some aspects, and return the view's rows."""

    def rows(owners, *told, hours=5):
        posts, mentions = [], []
        for number, aspects in enumerate(told):
            at = hours_ago(hours + number / 100)
            posts.append(post(f"p{number}", author=f"author{number % 2}", published_at=at, fetched_at=at))
            found = [{"aspect": name, "sentiment": -1, "start": 0, "end": 4} for name in aspects]
            mentions.append(mention(posts[-1], sentiment=-1, aspects=found))
        store(lake, posts, mentions)
        publish(owned(**owners))
        return ask("FROM unowned ORDER BY aspect NULLS FIRST")

    return rows


def test_negatives_that_nobody_owns_are_counted_by_aspect(unowned):
    rows = unowned({"billing": "money"}, ["billing"], ["billing", "staff"], ["staff"], ["staff"], [], [])
    assert [(row["aspect"], row["negatives"], row["authors"]) for row in rows] == [(None, 2, 2), ("staff", 3, 2)]
    assert rows[1]["share"] == pytest.approx(0.5)
    assert rows[0]["last_at"] == hours_ago(5.04).replace(tzinfo=None)


def test_a_default_owner_owns_the_rest(unowned):
    assert unowned({"default": "care"}, ["billing"], []) == []


def test_what_is_older_than_30_days_is_not_shown(unowned):
    assert unowned({}, ["billing"], hours=31 * 24) == []
    assert hours_ago(31 * 24) < NOW
