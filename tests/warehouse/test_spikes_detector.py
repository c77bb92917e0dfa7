"""The detector of negative spikes: rows in, verdicts out; it never looks ahead and judges each series by itself."""

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from warehouse import spike_tails, spikes
from warehouse.spike_gates import discoveries, lasting, openings
from warehouse.spike_memory import Memory
from warehouse.spike_tails import upper_tail

START = 480_000  # hours since 1970, a Friday midnight in 2024
DAYS = 35


def calm(series=1, days=DAYS, an_hour=20.0, share=0.15, seed=1):
    """Mentions and negatives, (hours, series), of brands that are spoken of by day more than by night."""
    chance = np.random.default_rng(seed)
    hours = np.arange(24 * days)[:, None]
    usual = an_hour * (1 + 0.6 * np.cos(2 * np.pi * (hours % 24 - 15) / 24)) * np.ones((1, series))
    mentions = chance.negative_binomial(20, 20 / (20 + usual)).astype(float)
    return mentions, chance.binomial(mentions.astype(int), share).astype(float)


def judge(mentions, negatives, start=START):
    """Judge arrays of (hours, series) and return each field of the verdicts in that shape."""
    hours, series = mentions.shape
    number, hour = np.meshgrid(np.arange(series), np.arange(start, start + hours))
    verdicts = spikes.judge(number.ravel(), hour.ravel(), mentions.ravel(), negatives.ravel())
    return {name: getattr(verdicts, name).reshape(hours, series) for name in vars(verdicts)}


def storm(mentions, negatives, at, hours=4, more=60, angry=0.8, series=0):
    """Add angry people to some hours, in place."""
    mentions[at : at + hours, series] += more
    negatives[at : at + hours, series] += round(more * angry)


def same(one, other):
    return all(np.allclose(one[name], other[name], equal_nan=True) for name in one)


def test_a_storm_opens_one_incident_in_its_first_hour_with_what_was_expected():
    mentions, negatives = calm()
    storm(mentions, negatives, at=700)
    found = judge(mentions, negatives)
    assert np.flatnonzero(found["state"] == spikes.OPENED).tolist() == [700]
    assert found["told"][700:704].all()
    assert found["paged"][701]
    assert found["negatives"][700, 0] >= 48
    assert 1 < found["expected"][700, 0] < 20
    assert found["expected_share"][700, 0] == pytest.approx(0.15, abs=0.04)
    assert found["window"][700, 0] in {1, 3, 6}


def test_calm_brands_raise_next_to_nothing():
    found = judge(*calm(series=40, days=60))
    assert (found["state"] == spikes.OPENED).sum() <= 3, "in 60 brand-months"


def test_a_campaign_that_is_as_friendly_as_ever_raises_nothing():
    mentions, negatives = calm()
    storm(mentions, negatives, at=700, hours=8, more=400, angry=0.12)
    assert not judge(mentions, negatives)["told"].any()


def test_a_slow_burn_is_found_though_no_hour_of_it_is_loud():
    mentions, negatives = calm(an_hour=60)
    ramp = np.minimum(1, np.arange(72) / 24)
    more = np.round(mentions[700:772, 0] * 0.25 * ramp)
    negatives[700:772, 0] = np.minimum(mentions[700:772, 0], negatives[700:772, 0] + more)
    told = np.flatnonzero(judge(mentions, negatives)["told"])
    assert len(told)
    assert told[0] < 740


def test_four_complaints_are_no_storm_whatever_is_usual():
    mentions, negatives = calm(an_hour=0.2, share=0.0)
    storm(mentions, negatives, at=700, hours=1, more=4, angry=1)
    assert not judge(mentions, negatives)["told"].any()


@given(st.integers(340, 800), st.integers(0, 2**32 - 1))
@settings(max_examples=15, deadline=None)
def test_what_comes_later_changes_no_verdict(now, seed):
    chance = np.random.default_rng(seed)
    mentions, negatives = calm(series=3, seed=seed)
    storm(mentions, negatives, at=600)
    before = judge(mentions, negatives)
    mentions[now:] = chance.integers(0, 10_000, mentions[now:].shape)
    negatives[now:] = np.floor(mentions[now:] * chance.random(mentions[now:].shape))
    mentions[now:][chance.random(mentions[now:].shape) < 0.3] = np.nan
    after = judge(mentions, negatives)
    assert same({name: column[:now] for name, column in before.items()}, {name: c[:now] for name, c in after.items()})
    ended = judge(mentions[:now], negatives[:now])
    assert same({name: column[:now] for name, column in before.items()}, ended)


def test_series_judged_together_score_as_each_by_itself():
    mentions, negatives = calm(series=spikes.SERIES_AT_ONCE + 3, days=20, an_hour=3)
    storm(mentions, negatives, at=400, series=1)
    mentions[:100, 2] = negatives[:100, 2] = np.nan
    together = judge(mentions, negatives)
    for one in (0, 1, 2, spikes.SERIES_AT_ONCE, spikes.SERIES_AT_ONCE + 2):
        alone = judge(mentions[:, [one]], negatives[:, [one]])
        for name in ("score", "expected", "expected_share", "window"):
            assert np.allclose(together[name][:, [one]], alone[name], equal_nan=True), (one, name)


@given(st.integers(2, 34), st.integers(0, 2**32 - 1))
@settings(max_examples=3, deadline=None)
def test_judging_goes_on_from_a_memory_as_if_it_had_never_stopped(day, seed):
    chance = np.random.default_rng(seed)
    mentions, negatives = calm(series=spikes.SERIES_AT_ONCE + 2, an_hour=4, seed=seed)
    storm(mentions, negatives, at=24 * day - 2, series=spikes.SERIES_AT_ONCE)
    negatives[chance.random(negatives.shape) < 0.02] = np.nan
    negatives[24 * day - 1, 3] = np.nan
    negatives[: 24 * 9, 5] = np.nan
    hours, series = mentions.shape
    number, hour = np.meshgrid(np.arange(series), np.arange(START, START + hours))
    every: list[Any] = [part.T.ravel() for part in (number, hour, mentions, negatives, np.zeros(mentions.shape))]
    rows = spikes.Rows(*every)

    def some(chosen: Any) -> spikes.Rows:
        return spikes.Rows(*(part[chosen] for part in every))

    first, until = START // 24, START // 24 + day
    whole, memory = spikes.judge_on(rows, 7, spikes.DEFAULT, None, until)
    later = rows.hour >= 24 * until
    on, same = spikes.judge_on(some(later), 7, spikes.DEFAULT, Memory.unpacked(memory.packed()), until)
    for name in vars(on):
        if name != "state":  # of which the opening of an incident may lie before
            assert np.array_equal(getattr(whole, name)[later], getattr(on, name), equal_nan=True), name
    assert same.packed() == memory.packed()
    between = rows.hour < 24 * (first + 36)
    _, further = spikes.judge_on(some(between), 7, spikes.DEFAULT, None, first + 34)
    _, later_on = spikes.judge_on(some(later), 7, spikes.DEFAULT, memory, first + 34)
    assert later_on.packed() == further.packed()


def test_the_order_of_rows_does_not_matter_and_twice_is_the_same():
    mentions, negatives = calm(series=2)
    storm(mentions, negatives, at=700)
    series, hour = (part.ravel() for part in np.meshgrid([0, 1], np.arange(START, START + len(mentions))))
    rows = series, hour, mentions.ravel(), negatives.ravel()
    shuffled = np.random.default_rng(3).permutation(len(hour))
    straight = spikes.judge(*rows)
    mixed = spikes.judge(*(part[shuffled] for part in rows))
    for name in vars(straight):
        assert np.array_equal(getattr(straight, name)[shuffled], getattr(mixed, name), equal_nan=True)


def test_a_series_is_warming_up_until_it_was_heard_for_two_weeks():
    mentions, negatives = calm(days=15)
    storm(mentions, negatives, at=300)
    storm(mentions, negatives, at=340)
    found = judge(mentions, negatives)
    assert (found["state"][:336] == spikes.WARMING_UP).all()
    assert np.isnan(found["score"][:336]).all()
    assert not found["told"][:336].any()
    assert found["told"][340]


def test_days_nobody_listened_are_no_history():
    mentions, negatives = calm()
    mentions[24 * 3 : 24 * 25] = np.nan
    storm(mentions, negatives, at=700)
    assert (judge(mentions, negatives)["state"][24 * 26 : 24 * 30] == spikes.WARMING_UP).all()


@pytest.mark.parametrize("rows", [0, 1, 2])
def test_a_series_of_few_rows_is_warming_up(rows):
    found = spikes.judge([5] * rows, range(rows), [90.0] * rows, [80.0] * rows)
    assert found.state.tolist() == [spikes.WARMING_UP] * rows
    assert not found.told.any()


def test_an_outage_is_missing_and_not_zero_and_its_dump_raises_nothing():
    mentions, negatives = calm()
    lost = mentions[700:712].sum(), negatives[700:712].sum()
    mentions[700:712] = negatives[700:712] = np.nan
    mentions[712] += lost[0]
    negatives[712] += lost[1]
    found = judge(mentions, negatives)
    assert (found["state"][700:712] == spikes.NOT_HEARD).all()
    assert found["state"][712, 0] == spikes.CATCHING_UP
    assert np.isnan(found["score"][700:713]).all()
    assert not found["told"].any()
    whole = judge(*calm())
    assert np.allclose(found["expected"][-24:], whole["expected"][-24:], rtol=0.1), "an outage must not teach quiet"


def test_a_storm_right_after_an_outage_is_found_an_hour_later():
    mentions, negatives = calm()
    mentions[690:700] = negatives[690:700] = np.nan
    storm(mentions, negatives, at=700)
    assert np.flatnonzero(judge(mentions, negatives)["state"] == spikes.OPENED).tolist() == [701]


def test_a_gap_without_rows_raises_nothing_and_a_stray_row_of_another_century_costs_nothing():
    mentions, negatives = calm()
    hour = np.r_[0, np.arange(START, START + len(mentions))]
    kept = np.r_[True, np.random.default_rng(2).random(len(mentions)) > 0.4]
    rows = np.zeros(len(hour)), hour, np.r_[3, mentions[:, 0]], np.r_[3, negatives[:, 0]]
    assert not spikes.judge(*(part[kept] for part in rows)).told.any()


def test_a_permanent_change_becomes_how_things_are():
    mentions, negatives = calm(days=70)
    chance = np.random.default_rng(5)
    since = 24 * 30
    negatives[since:] = chance.binomial(mentions[since:].astype(int), 0.45)
    told = judge(mentions, negatives)["told"][:, 0]
    assert told[since : since + 48].any()
    assert not told[-24 * 14 :].any()


def test_an_old_storm_does_not_hide_a_new_one():
    mentions, negatives = calm(days=45)
    storm(mentions, negatives, at=700, hours=24, more=600)
    storm(mentions, negatives, at=900, more=40)
    assert 900 in np.flatnonzero(judge(mentions, negatives)["state"] == spikes.OPENED)


def test_hours_within_the_cooldown_are_one_incident():
    mentions, negatives = calm()
    for at in (700, 710, 780):
        storm(mentions, negatives, at=at, hours=1, more=200)
    found = judge(mentions, negatives)
    assert np.flatnonzero(found["state"] == spikes.OPENED).tolist() == [700, 780]


def test_an_incident_costs_to_enter_and_is_free_to_leave():
    series, hour = np.zeros(8, dtype=int), np.array([0, 1, 2, 3, 4, 30, 31, 60])
    opens = np.array([0, 1, 0, 0, 0, 0, 0, 1], dtype=bool)
    holds = np.array([1, 1, 1, 0, 1, 1, 1, 1], dtype=bool)
    told = lasting(series, hour, opens, holds)
    assert told.tolist() == [False, True, True, False, False, False, False, True]
    assert np.flatnonzero(openings(series, hour, told)).tolist() == [1, 7]


def test_incidents_of_two_series_are_two():
    series, hour = np.array([0, 0, 1, 1]), np.array([0, 1, 2, 3])
    told = lasting(series, hour, np.array([False, True, False, False]), np.ones(4, dtype=bool))
    assert told.tolist() == [False, True, False, False]
    assert openings(series, hour, np.ones(4, dtype=bool)).tolist() == [True, False, True, False]


def by_the_book(tails, rate):
    """Benjamini & Hochberg 1995, as written there."""
    ordered = sorted(tails)
    last = max((tail for rank, tail in enumerate(ordered, 1) if tail <= rate * rank / len(tails)), default=-1)
    return [tail <= last for tail in tails]


@given(st.lists(st.floats(0.01, 6), min_size=1, max_size=30), st.lists(st.floats(0.01, 6), min_size=1, max_size=9))
@settings(max_examples=60, deadline=None)
def test_false_discoveries_are_controlled_within_each_hour(one, other):
    score = np.array(one + other)
    hour = np.array([7] * len(one) + [9] * len(other))
    found = discoveries(hour, score, np.ones(len(hour), dtype=bool), 0.2)
    expected = by_the_book(upper_tail(one), 0.2) + by_the_book(upper_tail(other), 0.2)
    assert found.tolist() == expected


def test_many_quiet_series_ask_more_of_a_score_than_one_does():
    hour, tested = np.zeros(1000, dtype=int), np.ones(1000, dtype=bool)
    score = np.r_[3.0, np.zeros(999)]
    assert discoveries(hour[:1], score[:1], tested[:1], 0.2).all()
    assert not discoveries(hour, score, tested, 0.2).any()
    warming = np.r_[True, np.zeros(999, dtype=bool)]
    assert discoveries(hour, score, warming, 0.2)[0], "series that are not judged yet are no reason for doubt"


def exact_negative_binomial(count, mean, dispersion):
    size = 1 / dispersion
    chance = size / (size + mean)
    logs = [
        math.lgamma(k + size) - math.lgamma(size) - math.lgamma(k + 1)
        + size * math.log(chance) + k * math.log(1 - chance)
        for k in range(count, count + 4000)
    ]  # fmt: skip
    return math.fsum(math.exp(term) for term in logs)


@pytest.mark.parametrize("dispersion", [0.02, 0.15, 0.8])
@pytest.mark.parametrize("mean", [0.4, 6.0, 150.0])
def test_the_tail_of_a_count_is_near_the_exact_one(mean, dispersion):
    spread = math.sqrt(mean + dispersion * mean**2)
    for count in {max(1, round(mean + deviates * spread)) for deviates in (0, 1, 2, 4, 6)}:
        exact = exact_negative_binomial(count, mean, dispersion)
        told = float(upper_tail(spike_tails.negative_binomial(count, mean, dispersion)))
        assert told == pytest.approx(exact, rel=0.15), (count, exact, told)


@pytest.mark.parametrize("trials", [1, 7, 60, 2000])
@pytest.mark.parametrize("chance", [0.02, 0.2, 0.7])
def test_the_tail_of_a_share_is_near_the_exact_one(trials, chance):
    for count in {max(1, round(trials * part)) for part in (chance, (1 + chance) / 2, 1)}:
        terms = [
            math.lgamma(trials + 1) - math.lgamma(k + 1) - math.lgamma(trials - k + 1)
            + k * math.log(chance) + (trials - k) * math.log(1 - chance)
            for k in range(count, trials + 1)
        ]  # fmt: skip
        exact = math.fsum(math.exp(term) for term in terms)
        told = float(spike_tails.binomial(count, trials, chance))
        if exact > 1e-12:
            assert float(upper_tail(told)) == pytest.approx(exact, rel=0.15), (count, exact)
        else:
            assert told > 6.5


def test_the_normal_tail_is_exact_enough():
    for z in (-6, -1, 0, 0.5, 2, 4, 8, 20):
        assert float(upper_tail(z)) == pytest.approx(math.erfc(z / math.sqrt(2)) / 2, rel=1e-6)


def test_correlated_mentions_tell_less_and_no_mentions_tell_nothing():
    assert spike_tails.beta_binomial(30, 60, 0.2, 5.0) < spike_tails.beta_binomial(30, 60, 0.2, 1.0)
    assert spike_tails.beta_binomial(0, 0, 0.2, 1.0) == 0


@pytest.mark.parametrize(
    ("rows", "reason"),
    [
        (([0, 0], [5, 5], [1, 1], [0, 0]), "two rows"),
        (([0], [5], [1], [2]), "negatives"),
        (([0], [5], [1], [-1]), "neg"),
    ],
)
def test_rows_that_cannot_be_are_refused(rows, reason):
    with pytest.raises(ValueError, match=reason):
        spikes.judge(*rows)


@given(
    st.lists(
        st.tuples(
            st.integers(0, 3),
            st.integers(-10_000, 10_000) | st.integers(START, START + 400),
            st.one_of(st.just(math.nan), st.integers(0, 10**12)),
            st.floats(0, 1),
        ),
        max_size=60,
        unique_by=lambda row: row[:2],
    )
)
@settings(max_examples=60, deadline=None)
@pytest.mark.filterwarnings("error")
def test_any_rows_get_a_verdict_each_and_none_without_history_an_alert(rows):
    series, hour, mentions, share = zip(*rows, strict=True) if rows else ((), (), (), ())
    mentions = np.array(mentions, dtype=float)
    found = spikes.judge(series, hour, mentions, np.floor(mentions * np.array(share)))
    assert len(found.score) == len(rows)
    assert not found.told.any() or len({at // 24 for at in hour}) > spikes.DAYS_AT_LEAST
