"""Negative spikes: hours in which a series draws more negative word of mouth than its own past explains.

A series is a brand, or an aspect or a source of it; its rows are hours with mentions and negatives among them. Both the
number of negatives and their share must be out of line with what the season of the series lets one expect, or a
campaign that makes everybody talk would raise an alert. Windows of the last 1 to 24 hours are tried. Pure, in NumPy;
made for half a million rows in seconds. What it finds, and how often it errs, is measured by
tests/benchmarks/test_spike_speed.py.

Nothing looks ahead: what is expected of a day was learned from days that ended a whole day before it began, so that a
slow burn does not become its own excuse, and the verdict on an hour rests on that hour and those before it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from warehouse import spike_tails
from warehouse.spike_gates import COOLDOWN_HOURS, discoveries, lasting, openings
from warehouse.spike_memory import Memory, arrays_of, days_of, put_back
from warehouse.spike_rules import DEFAULT, Rules
from warehouse.spike_season import CROWD, WINDOWS, Day, Season, Spread, Windows

Numbers = NDArray[np.float64]
Booleans = NDArray[np.bool_]
Integers = NDArray[np.int64]

DAYS_AT_LEAST = 14  # heard before a series is judged: two of each weekday
BACKED = 3.0  # deviates by which a count may speak louder than the share does; a campaign speaks only in counts
SUSPECT, SUSPECT_TEACHES = 3.0, 0.1  # an hour of this score teaches the season only that much,
SUSPECT_DAYS = 5  # unless it has gone on for so many days: then it is how things are now
DAYS_KEPT_BACK = 1  # whole days between what was learned from and what is judged
SERIES_AT_ONCE = 256  # so that a day of them stays in the processor's cache

FINDINGS = 7  # of an hour: score, window, negatives, mentions, expected, expected share; days heard before

NO_DAY = -(1 << 40)  # before all others
NOT_HEARD, CATCHING_UP, WARMING_UP, QUIET, OPENED, GOES_ON = range(6)  # states of an hour


@dataclass(frozen=True)
class Verdicts:
    """What was found, a row for each row given and in its order.

    score: 0 or more, about a standard normal deviate; 0 where a gate stays shut; NaN where nothing can be said. state:
    one of the states above. told: of an incident; paged: and sure enough to wake somebody. The rest is of the window
    that tells most, or of the hour alone where none passes the gates: window (hours), negatives and mentions in it,
    expected negatives, expected_share of them among the mentions.
    """

    score: Numbers
    state: Integers
    told: Booleans
    paged: Booleans
    window: Integers
    negatives: Numbers
    mentions: Numbers
    expected: Numbers
    expected_share: Numbers


def judge(
    series: ArrayLike,
    hour: ArrayLike,
    mentions: ArrayLike,
    negatives: ArrayLike,
    *,
    cost: ArrayLike = 0.0,
    unjudged: int = 0,
    rules: Rules = DEFAULT,
) -> Verdicts:
    """Return the verdict on each row: one of a series (number) and hour (hours since 1970), in any order.

    NaN counts are hours nobody listened: missing, not zero; the hour after one is not judged either, for it may bring
    what was missed. Hours without a row are missing too. cost: what a row's score must be higher by to open, hold and
    page, as where many series tell of one thing. unjudged: how many series besides were looked at, and had too little
    to show. Raises ValueError for two rows of one series and hour, and for negatives above mentions or below 0.
    """
    series, hour = np.asarray(series, dtype=np.int64), np.asarray(hour, dtype=np.int64)
    mentions, negatives = np.asarray(mentions, dtype=float), np.asarray(negatives, dtype=float)
    cost = np.broadcast_to(np.asarray(cost, dtype=float), series.shape)
    order = np.lexsort((hour, series))
    rows = Rows(series[order], hour[order], mentions[order], negatives[order], cost[order])
    verdicts, _ = judge_on(rows, unjudged, rules, None, NO_DAY)
    back = np.empty(len(order), dtype=np.int64)
    back[order] = np.arange(len(order))
    return Verdicts(**{column.name: getattr(verdicts, column.name)[back] for column in fields(Verdicts)})


class Rows(NamedTuple):
    """What judge takes, in order of series and hour."""

    series: Integers
    hour: Integers
    mentions: Numbers
    negatives: Numbers
    cost: Numbers


def judge_on(rows: Rows, unjudged: int, rules: Rules, memory: Memory | None, until: int) -> tuple[Verdicts, Memory]:
    """Return the verdict on each row, as judge does, and the memory of all before the day `until`.

    rows: in order; with a memory, of the same series and none before its day. memory: of all before these rows; None
    where there is nothing before. What is found is the same, bit for bit, as if the rows before were given too.
    """
    series, hour, mentions, negatives, cost = rows
    follows = np.zeros(len(hour), dtype=bool)
    follows[1:] = (np.diff(series) == 0) & (np.diff(hour) <= 1)
    if (np.diff(hour)[follows[1:]] == 0).any():
        raise ValueError("two rows of one series and hour")
    if (negatives > mentions).any() or (negatives < 0).any():
        raise ValueError("negatives must lie between 0 and mentions")
    first = np.flatnonzero(np.diff(series, prepend=series[:1] - 1))
    if memory is None:
        none = np.zeros(len(first), dtype=bool)
        memory = Memory(NO_DAY, np.full(len(first), 24 * NO_DAY), none, none, [])
    silent = np.isnan(mentions) | np.isnan(negatives)
    after = np.zeros(len(hour), dtype=bool)
    after[1:] = follows[1:] & silent[:-1] & ~silent[1:]
    after[first] = memory.silent & (hour[first] - memory.hour <= 1) & ~silent[first]
    heard = ~(silent | after)
    number = np.zeros(len(hour), dtype=np.int64)
    number[first[1:]] = 1
    number = np.cumsum(number)
    found, learned = np.empty((FINDINGS, len(hour))), []
    for place, start in enumerate(range(0, len(first), SERIES_AT_ONCE)):
        of = slice(*np.searchsorted(number, (start, start + SERIES_AT_ONCE)))
        width = min(SERIES_AT_ONCE, len(first) - start)
        detector = Detector(width, rules)
        if memory.learned:
            detector.recall(memory.learned[place])
        found[:, of], before = _found(
            detector, width, number[of] - start, hour[of], mentions[of], negatives[of], heard[of], until
        )
        learned.append(before)
    score, window, seen, told_of, expected, share, days = found
    ready = heard & (days >= DAYS_AT_LEAST)
    score = np.where(ready, score, np.nan)
    opens = ready & (score >= rules.opens + cost) & discoveries(hour, score, ready, rules.tell_rate, unjudged)
    holds = ready & (score >= rules.holds + cost)
    opens[first] |= memory.told & (hour[first] - memory.hour <= COOLDOWN_HOURS) & holds[first]
    told = lasting(series, hour, opens, holds)
    paged = told & (score >= rules.pages + cost) & discoveries(hour, score, ready, rules.page_rate, unjudged)
    state = np.select(
        [silent, after, ~ready, openings(series, hour, told), told],
        [NOT_HEARD, CATCHING_UP, WARMING_UP, OPENED, GOES_ON],
        QUIET,
    )
    known = np.bincount(number, weights=hour < 24 * until, minlength=len(first)).astype(np.int64)
    last = np.maximum(first + known - 1, 0)
    memory = Memory(
        until,
        np.where(known > 0, hour[last], memory.hour),
        np.where(known > 0, silent[last], memory.silent),
        np.where(known > 0, told[last], memory.told),
        learned,
    )
    return Verdicts(score, state, told, paged, window.astype(np.int64), seen, told_of, expected, share), memory


def _found(
    detector: "Detector",
    width: int,
    series: Integers,
    hour: Integers,
    mentions: Numbers,
    negatives: Numbers,
    heard: Booleans,
    until: int,
) -> tuple[Numbers, dict[str, NDArray[Any]]]:
    """Return the findings on each row, (FINDINGS, rows), and what the detector had learned when a day began.

    Days of which no series has a row cost nothing.
    """
    days, place = np.unique(hour // 24, return_inverse=True)
    where = (place * 24 + hour % 24) * width + series
    given = np.zeros((3, len(days) * 24 * width))
    for part, values in zip(given, (heard, mentions, negatives), strict=True):
        part[where] = np.where(heard, values, 0)
    given = given.reshape(3, len(days), 24, width)
    found = np.empty((FINDINGS, len(days), 24, width))
    learned = None
    for number, day in enumerate(days):
        if day >= until and learned is None:
            learned = detector.learned()
        found[:, number] = detector.day(int(day), given[0, number] > 0, given[1, number], given[2, number])
    return found.reshape(FINDINGS, -1).take(where, axis=1), learned or detector.learned()


class Detector:
    """Series that are judged a day after another, each by its own past."""

    def __init__(self, series: int, rules: Rules = DEFAULT) -> None:
        self._rules = rules
        self._season, self._spread = Season(series), Spread(series)
        self._days_heard = np.zeros(series)
        self._days_suspect = np.zeros(series)
        self._kept_back: list[tuple[Day, Windows]] = []

    def learned(self) -> dict[str, NDArray[Any]]:
        """Return all that was learned so far, as arrays by name."""
        return dict(arrays_of([*self._parts(), self._kept_back], "of"))

    def recall(self, learned: Mapping[str, NDArray[Any]]) -> None:
        """Go on from what a detector of the same series had learned."""
        parts = put_back(self._parts(), "of", learned)
        self._season, self._spread, self._days_heard, self._days_suspect = parts
        self._kept_back = days_of(f"of.{len(parts)}", learned)

    def day(self, day: int, heard: Booleans, mentions: Numbers, negatives: Numbers) -> Numbers:
        """Return the findings on a day (since 1970) later than those before, (FINDINGS, 24, series).

        Counts are 0 where nothing was heard.
        """
        while self._kept_back and self._kept_back[0][0].day < day - DAYS_KEPT_BACK:
            self._learn(*self._kept_back.pop(0))
        expected, profile, share = self._season.expected(day)
        today = Day(day, mentions, negatives, heard, expected, profile, share, heard.astype(float))
        before = self._kept_back[-1][0] if self._kept_back and self._kept_back[-1][0].day == day - 1 else None
        windows = Windows.of(today, before)
        passes = self._passes(windows)
        scores = self._scores(windows, passes | self._may_be_suspect(windows))
        found = self._best(windows, np.where(passes, scores, 0))
        suspect = heard & (scores.max(0) > SUSPECT) & (self._days_heard >= 3)
        self._days_suspect = np.where(suspect.any(0), self._days_suspect + 1, 0)
        doubted = suspect & (self._days_suspect <= SUSPECT_DAYS)
        today.weight = np.where(doubted, SUSPECT_TEACHES, today.weight)
        self._kept_back.append((today, windows))
        found[6] = self._days_heard
        self._days_heard = self._days_heard + heard.any(0)
        return found

    def _parts(self) -> list[Any]:
        return [self._season, self._spread, self._days_heard, self._days_suspect]

    def _learn(self, day: Day, windows: Windows) -> None:
        grown = self._season.days >= 8
        self._season.learn(day, self._spread)
        self._spread.learn(day.day, windows, day.weight * grown)

    def _passes(self, windows: Windows) -> Booleans:
        """Return which windows pass the gates."""
        return (
            (windows.negatives >= self._rules.negatives_at_least)
            & (windows.negatives >= self._rules.times_expected_at_least * windows.expected)
            & (windows.negatives >= (windows.share + self._rules.share_above_at_least) * windows.mentions)
        )

    def _may_be_suspect(self, windows: Windows) -> Booleans:
        """Return which windows may score over SUSPECT: not those whose share is within a standard deviation."""
        beyond = windows.negatives - windows.share * windows.mentions
        return (beyond > 0) & (beyond * beyond > windows.share * (1 - windows.share) * windows.mentions)

    def _scores(self, windows: Windows, wanted: Booleans) -> Numbers:
        """Return the scores of the wanted windows, 0 or more, and 0 of the others.

        A score lies midway between the share's deviate and the count's, that one as far as backed. Share alone would
        raise each quarrel of three people, counts alone each campaign; the smaller of the two finds less than their
        mean where both have to be up.
        """
        window, _, series = np.nonzero(wanted)
        negatives, told = windows.negatives[wanted], windows.mentions[wanted]
        counted = spike_tails.negative_binomial(
            negatives, windows.expected[wanted], self._spread.dispersion[window, series]
        )
        alike = np.minimum(told, CROWD * windows.usual[wanted] + 1)
        inflation = 1 + np.maximum(alike - 1, 0) * self._spread.correlation[window, series]
        shared = spike_tails.beta_binomial(negatives, told, windows.share[wanted], inflation)
        scores = np.zeros(wanted.shape)
        scores[wanted] = np.maximum((shared + np.minimum(counted, shared + BACKED)) / 2, 0)
        return scores

    def _best(self, windows: Windows, scores: Numbers) -> Numbers:
        """Return the findings on the window of each hour that tells most, but for the last, which is left open."""
        best = scores.argmax(0)
        parts = (scores, windows.negatives, windows.mentions, windows.expected, windows.share)
        found = np.empty((FINDINGS, *best.shape))
        for place, part in zip((0, 2, 3, 4, 5), parts, strict=True):
            found[place] = part[0]
        hour, series = np.nonzero(best)
        window = best[hour, series]
        for place, part in zip((0, 2, 3, 4, 5), parts, strict=True):
            found[place, hour, series] = part[window, hour, series]
        found[1] = np.asarray(WINDOWS)[best]
        return found
