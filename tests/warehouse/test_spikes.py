"""negative_spikes: storms are found, and what merely looks like one is not."""

import random
from datetime import timedelta

import pytest
from together import together
from warehouse_rows import NOW, batch, hours_ago, mention, post, store_pairs, visit

from warehouse import tables

DAYS = 30


def calm(hours, chance, brand="Quillon", an_hour=2, negative=0.15):
    """Return posts and mentions of a usual brand for these hours before NOW."""
    said, told = [], []
    for hour in hours:
        for number in range(an_hour):
            minutes = chance.randrange(30)  # stays within the hour that began at half past before NOW's hour
            one = post(f"{brand}-{hour}-{number}", published_at=hours_ago(hour) - timedelta(minutes=minutes))
            said.append(one)
            told.append(mention(one, brand, -1 if chance.random() < negative else chance.choice([0, 1])))
    return said, told


def crowd(hours, an_hour, negative, brand="Quillon", **other):
    """Return posts of many people in these hours before NOW, a share of them against the brand."""
    said, told = [], []
    for hour in hours:
        for number in range(an_hour):
            one = post(f"{brand}-crowd-{hour}-{number}", published_at=hours_ago(hour), **other)
            said.append(one)
            told.append(mention(one, brand, -1 if number < negative * an_hour else 1))
    return said, told


def pairs(*parts):
    return [pair for said, told in parts for pair in zip(said, told, strict=True)]


def usual(brand, seed=1):
    return calm(range(4, DAYS * 24), random.Random(seed), brand)


def spikes_of(ask, brand, hours=DAYS * 24):
    """Return the hours that spike of the last ones before NOW."""
    return ask(
        "FROM negative_spikes WHERE brand = ? AND hour > ? ORDER BY hour", brand, hours_ago(hours).replace(tzinfo=None)
    )


@together
def test_a_storm_is_found_with_what_was_expected(brand):
    ask = yield pairs(usual(brand), usual("Telvo", 2), crowd([3, 2, 1], 12, 0.8, brand))
    assert spikes_of(ask, "Telvo") == []
    spikes = spikes_of(ask, brand)
    worst = max(spikes, key=lambda row: row["score"])
    assert worst["hour"] >= hours_ago(4).replace(tzinfo=None)
    assert worst["negatives"] >= 20
    assert worst["expected"] < 5
    assert worst["expected_share"] == pytest.approx(0.15, abs=0.05)
    assert worst["negative_share"] > 0.6
    assert worst["window_hours"] in {1, 3, 6, 12, 24}


@together
def test_a_loud_storm_is_found_though_the_brand_is_spoken_of_in_threads_of_one_mood(brand):
    """Threads make the share of small hours swing; that excuses a bad hour but not a hundred complaints."""
    chance = random.Random(3)
    threads = [
        calm([hour], chance, brand, 4, negative=1.0 if chance.random() < 0.4 else 0.0)
        for hour in range(4, DAYS * 24)
        if chance.random() < 0.2
    ]
    ask = yield pairs(*threads, crowd([3, 2, 1], 40, 0.75, brand))
    assert spikes_of(ask, brand, 4)


@together
def test_one_more_thread_of_one_mood_is_none_for_a_brand_that_is_spoken_of_in_such(brand):
    threads = [crowd([hour], 4, number % 2, brand) for number, hour in enumerate(range(60, DAYS * 24, 24))]
    ask = yield pairs(*threads, crowd([3], 7, 5 / 7, brand))
    assert spikes_of(ask, brand, 24) == []


@together
def test_a_burst_that_is_as_friendly_as_ever_is_none(brand):
    ask = yield pairs(usual(brand), crowd([3, 2, 1], 60, 0.15, brand))
    assert spikes_of(ask, brand, 24) == []


@together
def test_a_handful_of_complaints_is_none(brand):
    ask = yield pairs(usual(brand), crowd([1], 3, 1.0, brand))
    assert spikes_of(ask, brand, 24) == []


@together
def test_one_who_complains_all_day_is_no_storm(brand):
    ask = yield pairs(usual(brand), crowd([3, 2, 1], 30, 0.9, brand, author="ann"))
    assert spikes_of(ask, brand, 24) == []


@together
def test_a_brand_heard_for_less_than_a_week_is_warming_up(brand):
    young = calm(range(4, 6 * 24), random.Random(3), brand)
    ask = yield pairs(young, crowd([3, 2, 1], 30, 0.9, brand))
    assert spikes_of(ask, brand) == []


def test_what_comes_later_changes_no_earlier_verdict(lake, publish, ask):
    chance = random.Random(4)
    calm_then_storm = pairs(calm(range(31, DAYS * 24), chance), crowd([30, 29, 28], 12, 0.8))
    store_pairs(lake, calm_then_storm, "Quillon", "past")
    publish(now=NOW - timedelta(hours=28))
    before = ask("FROM negative_spikes ORDER BY hour")
    assert before
    store_pairs(lake, pairs(calm(range(4, 28), chance), crowd([3, 2, 1], 40, 0.9)), "Quillon", "future")
    publish()
    assert ask("FROM negative_spikes WHERE hour <= ? ORDER BY hour", before[-1]["hour"]) == before


def test_hours_in_which_every_visit_failed_are_missing_and_not_calm(lake, publish, ask):
    heard = pairs(calm(range(7 * 24, 17 * 24), random.Random(5)), crowd([3, 2, 1], 30, 0.9))
    store_pairs(lake, heard, "Quillon", "heard")
    failed = [visit(outcome="failed", hours=hour) for hour in range(4, 7 * 24)]
    lake.append(batch(tables.VISITS, *failed), tables.VISITS, "visits")
    publish()
    assert ask("FROM negative_spikes") == [], "it was heard on ten days"


@together
def test_a_brand_nobody_spoke_of_for_weeks_spikes_on_a_real_storm(brand):
    ask = yield pairs(crowd([24 * 29], 1, 0, brand), crowd([2, 1], 10, 1.0, brand))
    assert spikes_of(ask, brand)
