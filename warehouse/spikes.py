"""Negative spikes: hours in which a series draws more negative word of mouth than its own past explains.

A series is a brand, or an aspect or a source of it; its rows are hours with mentions and negatives among them. Both the
number of negatives and their share must be out of line with what the season of the series lets one expect, or a
campaign that makes everybody talk would raise an alert. Windows of the last 1 to 24 hours are tried. Pure, in NumPy;
made for half a million rows in seconds. What it finds, and how often it errs, is measured by
tests/benchmarks/test_spike_speed.py.

Nothing looks ahead: what is expected of a day was learned from days that ended a whole day before it began, so that a
slow burn does not become its own excuse, and the verdict on an hour rests on that hour and those before it.
"""

from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import ArrayLike, NDArray

from warehouse import spike_tails
from warehouse.spike_gates import discoveries, lasting, openings
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
    verdicts = _judge_sorted(
        series[order], hour[order], mentions[order], negatives[order], cost[order], unjudged, rules
    )
    back = np.empty(len(order), dtype=np.int64)
    back[order] = np.arange(len(order))
    return Verdicts(**{column.name: getattr(verdicts, column.name)[back] for column in fields(Verdicts)})


def _judge_sorted(
    series: Integers,
    hour: Integers,
    mentions: Numbers,
    negatives: Numbers,
    cost: Numbers,
    unjudged: int,
    rules: Rules,
) -> Verdicts:
    follows = np.zeros(len(hour), dtype=bool)
    follows[1:] = (np.diff(series) == 0) & (np.diff(hour) <= 1)
    if (np.diff(hour)[follows[1:]] == 0).any():
        raise ValueError("two rows of one series and hour")
    if (negatives > mentions).any() or (negatives < 0).any():
        raise ValueError("negatives must lie between 0 and mentions")
    silent = np.isnan(mentions) | np.isnan(negatives)
    after = np.zeros(len(hour), dtype=bool)
    after[1:] = follows[1:] & silent[:-1] & ~silent[1:]
    heard = ~(silent | after)
    number = np.unique(series, return_inverse=True)[1]
    found = np.empty((FINDINGS, len(hour)))
    for first in range(0, int(number.max(initial=-1)) + 1, SERIES_AT_ONCE):
        rows = slice(*np.searchsorted(number, (first, first + SERIES_AT_ONCE)))
        found[:, rows] = _found(number[rows] - first, hour[rows], mentions[rows], negatives[rows], heard[rows], rules)
    score, window, seen, told_of, expected, share, days = found
    ready = heard & (days >= DAYS_AT_LEAST)
    score = np.where(ready, score, np.nan)
    opens = ready & (score >= rules.opens + cost) & discoveries(hour, score, ready, rules.tell_rate, unjudged)
    told = lasting(series, hour, opens, ready & (score >= rules.holds + cost))
    paged = told & (score >= rules.pages + cost) & discoveries(hour, score, ready, rules.page_rate, unjudged)
    state = np.select(
        [silent, after, ~ready, openings(series, hour, told), told],
        [NOT_HEARD, CATCHING_UP, WARMING_UP, OPENED, GOES_ON],
        QUIET,
    )
    return Verdicts(score, state, told, paged, window.astype(np.int64), seen, told_of, expected, share)


def _found(
    series: Integers, hour: Integers, mentions: Numbers, negatives: Numbers, heard: Booleans, rules: Rules
) -> Numbers:
    """Return the findings on each row, (FINDINGS, rows). Days of which no series has a row cost nothing."""
    days, place = np.unique(hour // 24, return_inverse=True)
    width = int(series.max()) + 1
    where = place, hour % 24, series
    given = np.zeros((3, len(days), 24, width))
    for part, values in zip(given, (heard, mentions, negatives), strict=True):
        part[where] = np.where(heard, values, 0)
    detector = Detector(width, rules)
    found = np.empty((FINDINGS, len(days), 24, width))
    for number, day in enumerate(days):
        found[:, number] = detector.day(int(day), given[0, number] > 0, given[1, number], given[2, number])
    return found[:, *where]


class Detector:
    """Series that are judged a day after another, each by its own past."""

    def __init__(self, series: int, rules: Rules = DEFAULT) -> None:
        self._rules = rules
        self._season, self._spread = Season(series), Spread(series)
        self._days_heard = np.zeros(series)
        self._days_suspect = np.zeros(series)
        self._kept_back: list[tuple[Day, Windows]] = []

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
        scores = self._scores(windows)
        found = self._best(windows, scores)
        suspect = heard & (scores.max(0) > SUSPECT) & (self._days_heard >= 3)
        self._days_suspect = np.where(suspect.any(0), self._days_suspect + 1, 0)
        doubted = suspect & (self._days_suspect <= SUSPECT_DAYS)
        today.weight = np.where(doubted, SUSPECT_TEACHES, today.weight)
        self._kept_back.append((today, windows))
        found[6] = self._days_heard
        self._days_heard = self._days_heard + heard.any(0)
        return found

    def _learn(self, day: Day, windows: Windows) -> None:
        grown = self._season.days >= 8
        self._season.learn(day, self._spread)
        self._spread.learn(day.day, windows, day.weight * grown)

    def _scores(self, windows: Windows) -> Numbers:
        """Return the scores of windows: midway between the share's deviate and the count's, that one as far as backed.

        Share alone would raise each quarrel of three people, counts alone each campaign; the smaller of the two finds
        less than their mean where both have to be up.
        """
        counted = spike_tails.negative_binomial(windows.negatives, windows.expected, self._spread.dispersion[:, None])
        alike = np.minimum(windows.mentions, CROWD * windows.usual + 1)
        inflation = 1 + np.maximum(alike - 1, 0) * self._spread.correlation[:, None]
        shared = spike_tails.beta_binomial(windows.negatives, windows.mentions, windows.share, inflation)
        return (shared + np.minimum(counted, shared + BACKED)) / 2

    def _best(self, windows: Windows, scores: Numbers) -> Numbers:
        """Return the findings on the window of each hour that tells most, but for the last, which is left open."""
        passes = (
            (windows.negatives >= self._rules.negatives_at_least)
            & (windows.negatives >= self._rules.times_expected_at_least * windows.expected)
            & (windows.negatives >= (windows.share + self._rules.share_above_at_least) * windows.mentions)
        )
        gated = np.where(passes, np.maximum(scores, 0), 0)
        best = gated.argmax(0)[None]
        parts = (gated, windows.negatives, windows.mentions, windows.expected, windows.share)
        score, seen, mentions, expected, share = (np.take_along_axis(part, best, 0)[0] for part in parts)
        window = np.asarray(WINDOWS)[best[0]]
        return np.stack([score, window, seen, mentions, expected, share, np.zeros_like(score)])
