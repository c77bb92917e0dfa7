"""The questions about people, places and journeys, against figures worked out by hand."""

from datetime import datetime, timedelta
from itertools import count
from math import exp, log, sqrt
from typing import Any

import pytest
from test_macros import utc, wilson
from together import together
from warehouse_rows import NOW, batch, brands, event, feeds, hours_ago, mention, post, store, store_pairs, visit

from warehouse import tables
from warehouse.confusion import ConfusionUnusable

_numbers = count()


def told(
    sentiment: int | None = 0,
    author: str | None = None,
    hours: float = 2.0,
    brand: str | None = None,
    text: str | None = None,
    post_of: dict[str, Any] | None = None,
    **labels: Any,
):
    """Return a post and its mention.

    author: by that name, else one nobody else has. brand: the test's own unless named. post_of: columns of the post.
    """
    name = f"p{next(_numbers)}"
    own = {
        "author": author or f"author-of-{name}",
        "published_at": hours_ago(hours),
        "text": text or f"what {name} says",
    }
    said = post(name, **own | (post_of or {}))
    return said, mention(said, brand, sentiment, **{"intents": [], "aspects": []} | labels)


def say(lake, *pairs):
    """Store posts with their mentions."""
    store_pairs(lake, pairs, "Quillon", f"run{next(_numbers)}")


def aspects(*names, sentiment=-1):
    return [{"aspect": name, "sentiment": sentiment, "start": 0, "end": 4} for name in names]


def log_bounds(ratio, *halves):
    """Return the ends of a log interval with these terms of variance."""
    half = 1.96 * sqrt(sum(halves))
    return ratio - half, ratio + half


# advocates


@together
def test_an_authors_latest_act_makes_an_advocate_or_a_detractor(brand):
    ask = yield [
        *(told(1, intents=["recommend"]) for _ in range(3)), *(told(-1, intents=["warn_off"]) for _ in range(2)),
        told(-1, "ann", 9, intents=["warn_off"]), told(1, "ann", 3, intents=["recommend"]), told(0, "ann", 2),
        told(0, intents=["recommend", "warn_off"]), told(0), *(told(None, intents=None) for _ in range(2))]  # fmt: skip
    rows = {row["brand"]: row for row in ask("FROM advocates(NULL)")}
    row, silent = rows[brand], rows["Silent"]
    low, high = log_bounds(log(4.5 / 2.5), 1 / 4.5, 1 / 2.5)
    assert row == {
        "brand": brand, "n": 6, "advocates": 4, "detractors": 2, "authors": 10, "unknown_share": pytest.approx(0.2),
        "log_ratio": pytest.approx(log(4.5 / 2.5)), "log_ratio_low": pytest.approx(low),
        "log_ratio_high": pytest.approx(high), "coverage": None, "reason": None,
    }  # fmt: skip
    assert (silent["brand"], silent["n"], silent["log_ratio"], silent["reason"]) == (
        "Silent", 0, None, "nothing was heard",
    )  # fmt: skip


# contagion


@together
def test_contagion_is_hearsay_against_each_experience(brand):
    first: dict[str, Any] = {"experience": "first_hand"}
    second: dict[str, Any] = {"experience": "second_hand"}
    opinion: dict[str, Any] = {"experience": "opinion"}
    ask = yield [*(told(-1, hours=30, **first) for _ in range(4)), *(told(-1, hours=3, **second) for _ in range(3)),
        told(-1, "ann", 50, **first), told(-1, "ann", 3, **second),  # was there: not contagion
        told(-1, **opinion), told(-1), told(-1), told(1, **second)]  # fmt: skip
    [row] = ask("FROM contagion(?)", brand)
    low, high = log_bounds(log(3.5 / 5.5), 1 / 3.5, 1 / 5.5)
    assert row == {
        "brand": brand, "n": 8, "first_hand": 5, "second_hand": 3, "opinions": 1, "unknowns": 2,
        "unknown_share": pytest.approx(2 / 11), "contagion": pytest.approx(3 / 5),
        "contagion_low": pytest.approx(exp(low)), "contagion_high": pytest.approx(exp(high)),
        "if_unknowns_first_hand": pytest.approx(3 / 7), "if_unknowns_second_hand": pytest.approx(5 / 5),
        "lagged_contagion": pytest.approx(3 / 4), "coverage": None, "reason": None,
    }  # fmt: skip
    assert ask("SELECT lagged_contagion AS l FROM contagion(?, lag_hours := 2)", brand) == [{"l": None}]


@together
def test_contagion_without_anybody_who_was_there_is_null_with_a_reason(brand):
    ask = yield [*(told(-1, experience="second_hand") for _ in range(5))]
    [row] = ask("FROM contagion(?)", brand)
    assert (row["contagion"], row["contagion_low"], row["reason"]) == (None, None, "nobody tells of it first-hand")


# consistency


@together
def test_consistency_is_the_bad_cells_against_the_mean(brand):
    pairs = []
    shares = {"buy": 10, "use": 10, "pay": 9, "support": 2, "onboard": 10}  # not negative, of 10 each
    for stage, good in shares.items():
        labels: dict[str, Any] = {"stage": stage, "experience": "first_hand"}
        pairs += [told(0 if number < good else -1, **labels) for number in range(10)]
    pairs += [told(-1, stage="leave", experience="first_hand") for _ in range(4)]
    ask = yield pairs + [told(-1) for _ in range(6)]
    [row] = ask("FROM consistency(?)", brand)
    raw = [good / 10 for good in shares.values()]
    mean = sum(raw) / 5
    variance = sum((p - mean) ** 2 for p in raw) / 4
    by_chance = sum(p * (1 - p) / 10 for p in raw) / 5
    strength = mean * (1 - mean) / (variance - by_chance)
    shrunk = sorted((10 * p + strength * mean) / (10 + strength) for p in raw)
    tenth = shrunk[0] + 0.4 * (shrunk[1] - shrunk[0])  # the 10th percentile of 5 lies 0.4 of the way to the second
    index = tenth / (sum(shrunk) / 5)
    assert (row["n"], row["cells"], row["unknown_share"]) == (50, 5, pytest.approx(6 / 60))
    assert row["index"] == pytest.approx(index)
    upper = 4 * (0.1 + 1.96 * sqrt(0.1 * 0.9 / 5))  # places from the least on: Woodruff 1952
    high = shrunk[1] + (upper - 1) * (shrunk[2] - shrunk[1])
    assert row["index_low"] == pytest.approx(shrunk[0] / (sum(shrunk) / 5))
    assert row["index_high"] == pytest.approx(high / (sum(shrunk) / 5))
    assert row["overdispersion"] == pytest.approx(variance / by_chance)
    assert row["chance_high"] == pytest.approx(9.488 / 4, rel=0.01)  # 95 % of chi-square with 4 degrees of freedom
    assert (row["worst_cell"]["stage"], row["worst_cell"]["feed"], row["worst_share"]) == ("support", "town-talk", 0.2)
    assert row["reason"] is None


@together
def test_differences_that_chance_explains_are_no_inconsistency(brand):
    pairs = []
    for stage, good in {"buy": 4, "use": 5, "pay": 4, "support": 4, "onboard": 5}.items():
        labels: dict[str, Any] = {"stage": stage, "experience": "first_hand"}
        pairs += [told(0 if number < good else -1, **labels) for number in range(5)]
    ask = yield pairs
    [row] = ask("FROM consistency(?)", brand)
    assert (row["index"], row["index_low"]) == (pytest.approx(1), pytest.approx(1))
    assert row["overdispersion"] < 1


@together
def test_too_few_cells_have_no_consistency(brand):
    ask = yield [*(told(0, stage="use", experience="first_hand") for _ in range(20))]
    [row] = ask("FROM consistency(?)", brand)
    assert (row["n"], row["cells"], row["index"]) == (20, 1, None)
    assert row["reason"] == "fewer than 5 cells of 5 first-hand units"


# friction


@together
def test_friction_is_the_share_of_newcomers_in_trouble_against_the_rest(brand):
    first: dict[str, Any] = {"experience": "first_hand"}
    ask = yield [*(told(-1, stage="onboard", **first) for _ in range(5)), told(1, stage="onboard", **first),
        told(-1, text="My first week with them and nothing works", stage="use", **first),
        told(1, text="My first ever car was a Quillon", stage="use", **first),  # no newcomer
        *(told(-1, stage="use", **first) for _ in range(2)), *(told(0, stage="use", **first) for _ in range(5)),
        *(told(-1, text="My first bill was wrong", stage="pay", **first) for _ in range(2)),
        told(-1, stage="onboard", experience="second_hand"), told(0)]  # fmt: skip
    rest, billing = ask("FROM friction(?)", brand)
    low, high = wilson(6, 7)
    lift_low, lift_high = log_bounds(log(6.5 / 7.5) - log(2.5 / 8.5), 1 / 6.5 - 1 / 7.5, 1 / 2.5 - 1 / 8.5)
    assert rest == {
        "brand": brand, "part": "the rest", "n": 7, "negatives": 6, "others_n": 8, "others_negatives": 2,
        "unknown_share": pytest.approx(1 / 17), "friction": pytest.approx(6 / 7), "friction_low": pytest.approx(low),
        "friction_high": pytest.approx(high), "lift": pytest.approx(6 / 7 / (2 / 8)),
        "lift_low": pytest.approx(exp(lift_low)), "lift_high": pytest.approx(exp(lift_high)), "coverage": None,
        "reason": None,
    }  # fmt: skip
    assert (billing["part"], billing["n"], billing["friction"], billing["reason"]) == (
        "billing", 2, None, "fewer than 5",
    )  # fmt: skip


# employer


@together
def test_how_staff_act_is_told_apart_from_how_they_are_treated(brand):
    ask = yield [*(told(1, staff="actor") for _ in range(4)), told(-1, staff="actor"), told(-1, staff="both"),
        *(told(-1, staff="victim") for _ in range(2)), told(0), told(0)]  # fmt: skip
    actor, victim = ask("FROM employer(?)", brand)
    low, high = wilson(4, 6)
    assert actor == {
        "brand": brand, "lens": "actor", "n": 6, "positives": 4, "negatives": 2, "neutrals": 0,
        "unknown_share": 0.0, "net_sentiment": pytest.approx(2 / 6), "net_sentiment_low": pytest.approx(2 * low - 1),
        "net_sentiment_high": pytest.approx(2 * high - 1), "share": pytest.approx(0.6), "coverage": None,
        "reason": None,
    }  # fmt: skip
    assert (victim["n"], victim["negatives"], victim["net_sentiment"]) == (3, 3, None)
    assert victim["reason"] == "fewer than 5"


# switching


def moves(speaker, start, end, status="done", **other):
    return told(0, speaker, brand="Quillon", switched_from=start, switched_to=end, switch_status=status, **other)


def test_flows_count_each_author_and_pair_once(lake, publish, ask):
    both = moves("ann", "Quillon", "Telvo")
    both_ways = (both[0], [both[1], mention(both[0], "Telvo", 1, **{
        name: both[1][name] for name in ("switched_from", "switched_to", "switch_status", "intents")})])  # fmt: skip
    store(lake, [both_ways[0]], both_ways[1], "both")
    say(lake, moves("ann", "Quillon", "Telvo", hours=1), moves("ben", "Quillon", "Telvo"),
        moves("cid", "Quillon", None), moves("dan", "Telvo", "Quillon", "returned"),
        moves("eve", "Quillon", "Telvo", "considered"),
        told(0, "fay"), told(0, "guy"), told(0, intents=None))  # fmt: skip
    publish(brands("Quillon", "Telvo"))
    rows = {(row["brand"], row["other"]): row for row in ask("FROM switching_flows()")}
    assert list(rows) == [("Quillon", None), ("Quillon", "Telvo"), ("Telvo", None), ("Telvo", "Quillon")]
    low, high = wilson(3, 8)
    assert rows["Quillon", None] == {
        "brand": "Quillon", "other": None, "n": 5, "lost": 3, "won": 1, "net": -2, "considering_leaving": 1,
        "considering_joining": 0, "authors": 8, "unknown_share": pytest.approx(1 / 8),
        "loss_rate": pytest.approx(3 / 8), "loss_rate_low": pytest.approx(low), "loss_rate_high": pytest.approx(high),
        "coverage": None, "reason": None,
    }  # fmt: skip
    pair = rows["Quillon", "Telvo"]
    assert (pair["lost"], pair["won"], pair["net"]) == (2, 1, -1)
    other = rows["Telvo", "Quillon"]
    assert (other["lost"], other["won"], other["considering_joining"], other["authors"]) == (1, 2, 1, 4)
    assert (other["loss_rate"], other["reason"]) == (None, "fewer than 5")
    assert ask("SELECT count(*) AS n FROM switching WHERE author = 'ann'") == [{"n": 2}]


# recovery


@together
def test_recovery_is_kaplan_meiers_share_of_those_who_come_round(brand):
    """Seven complain. Come round after 24, 48 and 96 hours: three; last heard after 48 and 72 hours: two; never
    again: one; after 15 days, which is too late: one."""
    complaint: dict[str, Any] = {"intents": ["complain"], "hours": 600}
    ask = yield [told(-1, "a", **complaint), told(1, "a", 576, p_positive=0.95, p_neutral=0.04, p_negative=0.01),
        told(-1, "b", **complaint), told(1, "b", 552), told(1, "b", 540, intents=["recommend"]),
        told(-1, "c", **complaint), told(0, "c", 552),
        told(-1, "d", **complaint), told(-1, "d", 528, intents=["complain"]),
        told(-1, "e", **complaint), told(1, "e", 504),
        told(-1, "f", **complaint),
        told(-1, "g", **complaint), told(1, "g", 240),
        told(-1, hours=9, post_of={"author": None}, intents=["complain"])]  # fmt: skip
    [row] = ask("FROM recovery(?)", brand)
    # At risk: 6 after 24 h (f is gone at once), 5 after 48 h, 2 after 96 h (c and d are gone).
    staying = (5 / 6) * (4 / 5) * (1 / 2)
    greenwood = 1 / (6 * 5) + 1 / (5 * 4) + 1 / (2 * 1)
    low, high = (1 - staying ** exp(sign * 1.96 * sqrt(greenwood) / -log(staying)) for sign in (-1, 1))
    assert (row["n"], row["heard_again"], row["recovered"], row["won"]) == (7, 6, 3, 2)
    assert row["unknown_share"] == pytest.approx(1 / 7)
    assert row["recovery_rate"] == pytest.approx(1 - staying)
    assert (row["recovery_rate_low"], row["recovery_rate_high"]) == (pytest.approx(low), pytest.approx(high))
    # Won over: a after 24 h (6 at risk); b after 60 h, when c (48 h) is gone: b, d, e, g are at risk.
    assert row["won_rate"] == pytest.approx(1 - (5 / 6) * (3 / 4))
    assert (row["median_hours"], row["owner"], row["reason"]) == (None, None, None)  # of three it says little
    [a] = ask("SELECT complained_at, recovered_at, won_at FROM recoveries WHERE author = 'a'")
    assert a["recovered_at"] - a["complained_at"] == a["won_at"] - a["complained_at"] == timedelta(hours=24)


def test_recovery_is_told_by_owner_and_by_public_answer(lake, publish, ask):
    for number in range(6):
        about: dict[str, Any] = {
            "aspects": aspects("billing" if number < 5 else "app"),
            "intents": ["complain"],
            "hours": 100,
        }
        say(lake, told(-1, f"a{number}", post_of={"replies": number}, **about), told(1, f"a{number}", 50))
    owned = batch(tables.BRANDS, {"brand": "Quillon", "competitors": [],
                                  "owners": [("default", "care"), ("billing", "finance")]})  # fmt: skip
    publish(owned)
    rows = {(row["owner"], row["is_answered"]): row for row in ask("FROM recovery('Quillon')")}
    counted = {key: (row["n"], row["recovered"], row["recovery_rate"]) for key, row in rows.items()}
    assert counted == {(None, None): (6, 6, 1.0), (None, False): (1, 1, None), (None, True): (5, 5, 1.0),
                       ("care", None): (1, 1, None), ("finance", None): (5, 5, 1.0)}  # fmt: skip
    assert rows[None, None]["recovery_rate_low"] == pytest.approx(wilson(6, 6)[0])
    assert rows[None, None]["median_hours"] == 50


@together
def test_a_rate_of_those_who_are_not_heard_again_is_not_told(brand):
    ask = yield [*(told(-1, intents=["complain"]) for _ in range(9))]
    [row] = ask("FROM recovery(?)", brand)
    assert (row["n"], row["unknown_share"], row["recovery_rate"]) == (9, 1.0, None)
    assert row["reason"] == "fewer than 5 were heard again"


# hotspots


@together
def test_a_hotspot_is_more_complaint_than_the_brands_own_past_explains(brand):
    bills: dict[str, Any] = {"aspects": aspects("billing"), "stage": "pay"}
    ask = yield [
        *(told(-1, hours=40 + i, text=f"the bill is late, number {i}", **bills) for i in range(2)),
        *(told(0, hours=40) for _ in range(18)),  # before: 2 of 20
        *(told(-1, hours=3 + i, text=f"Double charged again, number {i}", **bills) for i in range(6)),
        *(told(0, hours=3) for _ in range(23)), told(None, hours=3, aspects=None)]  # now: 6 of 30  # fmt: skip
    [row] = ask("FROM hotspots(?, since := ?)", brand, utc(2026, 11, 19, 12))
    p, q = 6 / 30, 2 / 20
    (p_low, p_high), (q_low, q_high) = wilson(6, 30), wilson(2, 20)
    assert row == {
        "brand": brand, "aspect": "billing", "stage": "pay", "n": 6, "n_before": 2, "units": 30, "units_before": 20,
        "unknown_share": pytest.approx(1 / 30), "expected": pytest.approx(3), "excess": pytest.approx(3),
        "excess_low": pytest.approx(30 * (p - q - sqrt((p - p_low) ** 2 + (q_high - q) ** 2))),
        "excess_high": pytest.approx(30 * (p - q + sqrt((p_high - p) ** 2 + (q - q_low) ** 2))),
        "phrases": ["charged", "double", "double charged"], "coverage": None, "reason": None,
    }  # fmt: skip


@together
def test_phrases_grow_by_log_odds_with_a_prior(brand):
    bills: dict[str, Any] = {"aspects": aspects("billing"), "stage": "pay"}
    ask = yield [*(told(-1, hours=40, text="late bill", **bills) for _ in range(4)),
        *(told(-1, hours=3, text="wrong bill", **bills) for _ in range(6))]  # fmt: skip
    rows = ask("FROM phrases_that_grew(?, since := ?)", brand, utc(2026, 11, 19, 12))
    assert [(row["phrase"], row["n"], row["n_before"]) for row in rows] == [("wrong", 6, 0), ("wrong bill", 6, 0)]
    # 30 phrases in all, 6 of them "wrong": of the 10 of the prior, 2. Now 6 of 18, before 0 of 12.
    odds = log((6 + 2) / (18 + 10 - 6 - 2)) - log((0 + 2) / (12 + 10 - 0 - 2))
    assert rows[0]["log_odds"] == pytest.approx(odds)
    assert rows[0]["z"] == pytest.approx(odds / sqrt(1 / 8 + 1 / 2))


@together
def test_a_brand_without_complaints_has_a_line_that_says_so(brand):
    ask = yield [told(0)]
    [row] = ask("FROM hotspots(?)", brand)
    assert (row["aspect"], row["n"], row["units"], row["reason"]) == (None, 0, 1, "nothing was heard")


@together
def test_aspects_are_rows_with_the_words_that_show_them(brand):
    shown = [
        {"aspect": "price", "sentiment": -1, "start": 4, "end": 14},
        {"aspect": "app", "sentiment": 1, "start": None, "end": None},
    ]
    ask = yield [told(-1, "ann", text="The price rise hurts", aspects=shown), told(-1, "ann", aspects=aspects("price"))]
    rows = ask("SELECT aspect, sentiment, words FROM mention_aspects WHERE brand = ? ORDER BY ALL", brand)
    assert rows[0] == {"aspect": "app", "sentiment": 1, "words": None}
    assert {"aspect": "price", "sentiment": -1, "words": "price rise"} in rows
    [app, price] = ask(
        "SELECT aspect, mentions, authors, negatives, net_sentiment FROM aspect_days WHERE brand = ? ORDER BY aspect",
        brand,
    )
    assert price == {"aspect": "price", "mentions": 2, "authors": 1, "negatives": 2, "net_sentiment": None}
    assert (app["mentions"], app["negatives"]) == (1, 0)


# why


def test_why_tells_what_an_alert_is_made_of(lake, publish, ask):
    say(lake, *(told(-1, hours=100 + i, stage="use", aspects=aspects("app")) for i in range(5)), told(-1, "ann", 99),
        *(told(-1, hours=4, stage="pay", aspects=aspects("billing")) for _ in range(5)),
        told(-1, "ann", 4, aspects=aspects("app")))  # fmt: skip
    evidence = '{"since": "2026-11-20T08:00:00+00:00", "until": "2026-11-20T09:00:00+00:00"}'
    lake.append(batch(tables.ALERTS, event("x", "opened", 3, evidence=evidence)), tables.ALERTS, "alerts")
    publish()
    rows = {(row["dimension"], row["value"]): row for row in ask("FROM why('x')")}
    billing = rows["aspect", "billing"]
    low, high = wilson(5, 6)
    assert billing == {
        "dimension": "aspect", "value": "billing", "n": 5, "negatives": 6, "share": pytest.approx(5 / 6),
        "share_low": pytest.approx(low), "share_high": pytest.approx(high), "usual_n": 0, "usual_share": 0.0,
        "expected": 0.0, "excess": 5.0, "z": pytest.approx((2 * (5 * log(2) + 6 * log(6 / 3.5) - log(3.5))) ** 0.5),
        "unknown_share": 0.0, "coverage": None, "reason": None,
    }  # fmt: skip
    app = rows["aspect", "app"]
    assert (app["n"], app["expected"], app["excess"]) == (1, pytest.approx(5 / 6 * 6), pytest.approx(1 - 5))
    assert (rows["author", "new to the brand"]["n"], rows["author", "heard of it before"]["n"]) == (5, 1)
    assert rows["stage", None]["unknown_share"] == pytest.approx(1 / 6)
    assert ask("FROM why('nothing')") == []


def test_why_takes_how_an_alerts_id_begins_if_no_other_does(lake, publish, ask):
    say(lake, *(told(-1, hours=4, aspects=aspects("billing")) for _ in range(5)))
    evidence = '{"since": "2026-11-20T08:00:00+00:00", "until": "2026-11-20T09:00:00+00:00"}'
    opened = [event(alert_id, "opened", 3, evidence=evidence) for alert_id in ("ab1", "ab2")]
    lake.append(batch(tables.ALERTS, *opened), tables.ALERTS, "alerts")
    publish()
    whole = ask("FROM why('ab1')")
    assert whole
    lake.append(batch(tables.ALERTS, event("cd34", "opened", 3, evidence=evidence)), tables.ALERTS, "more")
    publish()
    assert ask("FROM why('cd')") == ask("FROM why('cd34')") == whole
    assert ask("FROM why('ab')") == ask("FROM why('')") == []


# unit


@together
def test_a_voice_is_an_author_telling_a_story_on_a_day(brand):
    story = bytes(range(64))
    ask = yield [*(told(-1, "ann", hours, signature=story) for hours in (1, 2, 3)), told(-1, "cid", signature=story),
        told(1, "ben", 1), told(1, "ben", 30)]  # fmt: skip
    figures = "SELECT n, positives, negatives FROM trend(?, grain := NULL, unit := ?{})"
    for as_of in ("", ", as_of := TIMESTAMP '2026-11-20 12:30'"):  # from marts, and counted anew
        counted = {unit: ask(figures.format(as_of), brand, unit) for unit in (None, "mention", "story", "author")}
        assert counted == {
            None: [{"n": 4, "positives": 2, "negatives": 2}],
            "mention": [{"n": 6, "positives": 2, "negatives": 4}],
            "story": [{"n": 3, "positives": 2, "negatives": 1}],
            "author": [{"n": 3, "positives": 1, "negatives": 2}],
        }
    days = ask("SELECT n FROM trend(?, unit := 'author')", brand)
    assert days == [{"n": 1}, {"n": 3}]  # an author counts in each period
    for whole in ("share_of_voice(unit := 'author')", "word_of_mouse(NULL, unit := 'author')"):
        assert ask(f"SELECT n FROM {whole} WHERE brand = ?", brand) == [{"n": 3}]


@together
def test_an_unknown_unit_is_refused_in_words(brand):
    ask = yield [told(0)]
    with pytest.raises(Exception, match="unit is mention, story, author or NULL"):
        ask("FROM trend(?, unit := 'post')", brand)


# as_of


def at(hours):
    return hours_ago(hours).replace(tzinfo=None)


def test_what_was_read_later_does_not_count(lake, publish, ask):
    first = post("a", text="bad", published_at=hours_ago(60), fetched_at=hours_ago(50), author="ann")
    edited = post("a", text="good", published_at=hours_ago(60), fetched_at=hours_ago(20), author="ann")
    gone = post("b", published_at=hours_ago(60), fetched_at=hours_ago(50))
    tombstone = post("b", text="", deleted=True, published_at=hours_ago(60), fetched_at=hours_ago(20))
    late = post("c", published_at=hours_ago(60), fetched_at=hours_ago(20))
    store(lake, [first, edited, gone, tombstone, late],
          [mention(first, sentiment=-1), mention(edited, sentiment=1), mention(gone, sentiment=-1),
           mention(late)])  # fmt: skip
    publish()
    counted = "SELECT n, positives, negatives FROM trend('Quillon', grain := NULL, as_of := ?)"
    assert ask(counted, at(30)) == [{"n": 2, "positives": 0, "negatives": 2}]
    assert ask(counted, at(10)) == ask(counted, None) == [{"n": 2, "positives": 1, "negatives": 0}]
    assert ask(counted, at(55)) == []
    assert ask("SELECT n, positives FROM word_of_mouse('Quillon', as_of := ?)", at(30)) == [{"n": 2, "positives": 0}]


def rounded(row):
    """Return a row without the last digits, which depend on the order in which DuckDB adds up."""
    return {name: round(value, 9) if isinstance(value, float) else value for name, value in row.items()}


QUESTIONS = ["trend(NULL, {})", "trend(NULL, grain := NULL, unit := 'author', {})", "share_of_voice({})",
             "word_of_mouse(NULL, {})", "hotspots(NULL, {})", "advocates(NULL, {})", "consistency(NULL, {})",
             "contagion(NULL, {})", "friction(NULL, {})", "employer(NULL, {})", "switching_flows({})",
             "recovery(NULL, {})", "phrases_that_grew(NULL, {})", "amplification(NULL, {})"]  # fmt: skip


def test_every_figure_once_quoted_can_be_had_again(lake, publish, ask):
    """Ask all questions of a file; publish again after edits, deletions, late posts and visits; ask as of then."""
    pairs = []
    for number in range(60):
        intents = [["complain"], ["recommend"], ["warn_off"], []][number % 4]
        labels: dict[str, Any] = {
            "intents": intents,
            "signature": bytes([number % 7]) * 64,
            "stage": "pay",
            "staff": "actor",
            "experience": ["first_hand", "second_hand"][number % 2],
            "aspects": aspects("billing"),
            "switched_from": "Quillon",
            "switched_to": "Telvo",
            "switch_status": "done",
        }
        fetched = {"fetched_at": hours_ago(50), "author_followers": number, "replies": number % 3}
        pairs.append(told([-1, 1, 0][number % 3], f"a{number % 20}", 51 + number % 40, text="double charged again",
                          brand=["Quillon", "Telvo"][number % 5 == 0], post_of=fetched, **labels))  # fmt: skip
    say(lake, *pairs)
    lake.append(batch(tables.VISITS, visit(hours=50.2), visit(hours=49.9, outcome="failed")), tables.VISITS, "before")
    then, known = hours_ago(49.75), (brands("Quillon", "Telvo"), feeds("town-talk"))
    asked = at(49.75)

    def answers(as_of):
        until = [question.format("as_of := CAST($1 AS TIMESTAMP)") for question in QUESTIONS]
        return [[rounded(row) for row in ask(f"FROM {question}", as_of)] for question in until]

    publish(*known, now=then)
    quoted = answers(None)
    assert answers(asked) == quoted
    for number, (said, found) in enumerate(pairs[:30]):
        changed = {**said, "fetched_at": hours_ago(9 - number / 10)}
        if number % 3 == 0:
            changed |= {"text": "", "deleted": True, "version": "gone", "author": None}
        elif number % 3 == 1:
            changed |= {"text": "all is well", "version": "edited"}
        else:  # read again, the same text says the same
            changed |= {"author_followers": 10**6, "replies": 99}
        again = found | {"fetched_at": changed["fetched_at"]}
        if changed["version"] != said["version"]:
            again = mention(changed, found["brand"], 1, intents=["recommend"], aspects=[])
        store(lake, [changed], [] if changed["deleted"] else [again], f"later{number}")
    say(
        lake,
        *(told(-1, f"late{i}", 60, post_of={"fetched_at": hours_ago(8)}, aspects=aspects("app")) for i in range(9)),
    )
    lake.append(batch(tables.VISITS, visit(hours=49.6, outcome="failed"), visit(hours=3)), tables.VISITS, "after")
    publish(*known)
    for question, again, once in zip(QUESTIONS, answers(asked), quoted, strict=True):
        assert again == once, question
    assert answers(None) != quoted


# The panel


def test_a_feed_that_joined_meanwhile_moves_no_shares(lake, publish, ask):
    old = [told(0, brand="Quillon", hours=hours) for hours in (2, 3, 4)] + [told(0, brand="Telvo", hours=5)] * 1
    new = [told(0, brand="Telvo", hours=2, post_of={"feed": "village"}) for _ in range(9)]
    say(lake, *old, *(told(0, brand="Telvo", hours=6) for _ in range(2)), *new)
    visits = [visit(hours=hours) for hours in (90, 60, 40, 20, 1)] + [visit("village", hours=1)]
    lake.append(batch(tables.VISITS, *visits), tables.VISITS, "run")
    publish(brands("Quillon", "Telvo"), feeds("town-talk", "village"))
    since = utc(2026, 11, 18, 12)
    assert ask("FROM panel(?, NULL)", since) == [{"feed": "town-talk"}]
    shares = ask("SELECT brand, n, share_of_voice FROM share_of_voice(since := ?)", since)
    assert shares == [
        {"brand": "Quillon", "n": 3, "share_of_voice": 0.5},
        {"brand": "Telvo", "n": 3, "share_of_voice": 0.5},
    ]
    assert ask("SELECT n FROM word_of_mouse('Telvo', since := ?)", since) == [{"n": 12}]  # all that was heard


@pytest.mark.parametrize("since", [hours_ago(30.5), hours_ago(84), hours_ago(60).replace(hour=0, minute=0)])
def test_what_lies_ready_by_the_day_is_what_counting_each_mention_gives(lake, publish, ask, since):
    """As of the last publish nothing is known less, and every mention is looked at."""
    pairs = []
    for number in range(240):
        labels: dict[str, Any] = {
            "signature": bytes([number % 50]) * 64,
            "stage": ["pay", "use", "buy"][number % 3],
            "experience": ["first_hand", "second_hand", "opinion", "unknown"][number % 4],
            "aspects": [aspects("billing"), aspects("app", "price"), [], None][number * 7 % 4],
        }
        post_of = {"author_followers": [None, number, number**2][number % 3], "source": ["rss", "reddit"][number % 2]}
        text = "charged twice again" if number < 40 else "late every morning"
        pairs.append(told([-1, 1, 0, -1, None][number % 5], f"a{number % 60}", 1.2 + number * 0.7, text=text,
                          post_of=post_of, brand=["Quillon", "Telvo"][number % 7 == 0], **labels))  # fmt: skip
    say(lake, *pairs)
    publish(brands("Quillon", "Telvo"), feeds("town-talk"))
    moment = since.replace(tzinfo=None)
    for question in QUESTIONS:
        ready = ask(f"FROM {question.format('since := $1')}", moment)
        counted = ask(f"FROM {question.format('since := $1, as_of := $2')}", moment, NOW.replace(tzinfo=None))
        assert list(map(rounded, ready)) == list(map(rounded, counted)), question
        assert ready, question


# Reach


@together
def test_negative_reach_weighs_by_potential_audience(brand):
    def reaching(sentiment, followers, **other):
        return told(sentiment, hours=2.5, post_of={"author_followers": followers, **other})

    ask = yield [reaching(-1, 9999), reaching(-1, 99), reaching(1, 99), reaching(0, 99), reaching(1, None),
        reaching(None, 99)]  # fmt: skip
    [row] = ask("FROM word_of_mouse(?)", brand)
    most = 99 + 0.96 * (9999 - 99)  # the 99th percentile of 5 lies 0.96 of the way from the fourth to the last
    loud, usual = log(1 + most), log(100)
    against, whole = loud + usual, loud + 4 * usual
    worth = whole**2 / (loud**2 + 4 * usual**2)
    low, high = wilson(against / whole * worth, worth)
    assert row["negative_reach"] == pytest.approx(against / whole)
    assert (row["negative_reach_low"], row["negative_reach_high"]) == (pytest.approx(low), pytest.approx(high))
    assert row["imputed_share"] == pytest.approx(1 / 6)
    age = (datetime(2026, 11, 20, 13, tzinfo=NOW.tzinfo) - hours_ago(2.5)) / timedelta(hours=1)
    assert row["negative_level"] == pytest.approx(against * exp(-age / 48))


# Corrected net sentiment


def test_nlps_usual_errors_are_taken_out_of_net_sentiment(lake, publish, ask):
    """Of 100 mentions, truly 50 against, 20 neither and 30 for, this nlp gives 44, 23 and 33."""
    errors = [[80, 10, 10], [10, 80, 10], [20 / 3, 20 / 3, 260 / 3]]
    say(lake, *(told(-1) for _ in range(44)), *(told(0) for _ in range(23)), *(told(1) for _ in range(33)))
    publish(confusion=errors)
    [row] = ask("FROM trend('Quillon', grain := NULL)")
    assert row["net_sentiment"] == pytest.approx((33 - 44) / 77)
    assert row["corrected"] == pytest.approx((30 - 50) / 80)
    assert row["corrected_low"] < row["net_sentiment_low"] < row["corrected"] < row["corrected_high"]
    assert row["reason"] is None
    assert ask("SELECT corrected FROM word_of_mouse('Quillon')") == [{"corrected": row["corrected"]}]


def test_a_share_that_correction_would_make_negative_is_none(lake, publish, ask):
    say(lake, *(told(-1) for _ in range(9)), told(1))
    publish(confusion=[[70, 10, 20], [10, 80, 10], [10, 10, 80]])
    assert ask("SELECT corrected FROM trend('Quillon')") == [{"corrected": -1.0}]


@pytest.mark.parametrize("matrix", [[[1, 2], [2, 1]], [[1, 0, 0], [0, 0, 0], [0, 0, 1]], [[1, 1, 1]] * 3,
                                    [[1, 0, 0], [0, 1], [0, 0, 1]], [[1, 0, 0], [0, -1, 2], [0, 0, 1]]])  # fmt: skip
def test_a_matrix_that_corrects_nothing_is_refused(lake, publish, matrix):
    with pytest.raises(ConfusionUnusable):
        publish(confusion=matrix)


# amplification


def echo(name, author, hours, **edges):
    """Return a post that answers, shares or quotes another, without naming the brand."""
    return post(name, author=author, published_at=hours_ago(hours), **edges)


def test_amplification_counts_who_passes_a_post_on(lake, publish, ask):
    root = told(-1, "ann", 20)
    name = root[0]["post_id"]
    say(lake, root, told(-1, "ann", 19))  # the second is passed on by nobody
    echoes = [echo("r1", "ben", 15, parent_id=name, root_id=name), echo("r2", "cid", 10, parent_id="r1", root_id=name),
              echo("r3", "dan", 5, parent_id="r1", root_id=name), echo("q1", "eve", 4, quoted_id=name),
              echo("q2", "eve", 0.5, quoted_id=name), echo("q3", "fay", 2, quoted_id=name),
              echo("q4", "guy", 0.5, quoted_id=name), echo("r4", "ann", 3, parent_id=name, root_id=name),
              echo("q5", None, 0.25, quoted_id=name)]  # fmt: skip
    store(lake, echoes, [], "echoes")
    publish()
    rows = ask("FROM amplification('Quillon')")
    # New in the last 3 hours: fay, guy and the one without a name; in the 3 before: dan and eve.
    low, high = log_bounds(log(4 / 3), 1 / 4, 1 / 3)
    assert rows == [{
        "brand": "Quillon", "post_id": name, "published_at": at(20), "sentiment": -1, "n": 7, "copies": 0,
        "unknown_share": pytest.approx(1 / 9), "velocity": 2, "growth": pytest.approx(4 / 3),
        "growth_low": pytest.approx(exp(low)), "growth_high": pytest.approx(exp(high)),
        "branching": pytest.approx(2 / 2), "coverage": None, "reason": None,
    }]  # fmt: skip  # older than 6 h: r1 with two children and r2 with none
    [then] = ask("FROM amplification('Quillon', as_of := ?)", at(-0.01))
    assert then == rows[0]


@together
def test_copies_of_a_text_are_its_amplification_where_feeds_tell_no_edges(brand):
    words = "the service of this company went down again and nobody answers the phone tonight"
    same = [told(-1, f"a{i}", 9 - i, text=words, signature=bytes(range(64))) for i in range(6)]
    ask = yield [*same]
    [row] = ask("FROM amplification(?)", brand)
    assert (row["post_id"], row["n"], row["copies"], row["branching"]) == (same[0][0]["post_id"], 5, 5, 0.0)


@together
def test_a_brand_that_nobody_passes_on_has_a_line_that_says_so(brand):
    ask = yield [told(0)]
    [row] = ask("FROM amplification(?)", brand)
    assert (row["post_id"], row["n"], row["growth"], row["reason"]) == (None, 0, None, "nothing was heard")
