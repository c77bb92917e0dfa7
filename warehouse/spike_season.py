"""What its past lets one expect of a day of a series: mentions each hour, share of negatives, and how far both stray.

Learned a day at a time, for many series at once; arrays are (24 hours, series) unless said otherwise. What a day
teaches is cut first: an hour's mentions and negatives count up to CUT standard deviations over what was expected, so
that an old storm or campaign does not hide a new one.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.float64]
WINDOWS = (1, 3, 6, 12, 24)  # hours
LEVEL_DAYS, SHARE_DAYS = 7.0, 10.0  # what is said fades by 1/e in that long
PROFILE_DAYS, WEEK_DAYS = 21.0, 42.0  # of an hour of the day; of an hour of the week
CUT = 2.5  # standard deviations
HOUR_PRIOR, WEEKDAY_PRIOR, WEEK_PRIOR = 3.0, 2.0, 8.0  # days that say: as any hour; as any day; as hour times weekday
# What is usual of brands, and how much own past, in squared expectations and in pairs of mentions, counts as much:
DISPERSION, DISPERSION_PRIOR = 0.08, 30.0  # of counts
CORRELATION, CORRELATION_PRIOR = 0.006, 300.0  # of what is said within a window
WEEK = 7  # days after which there is a profile to cut by
CROWD = 4.0  # times the usual volume; beyond it correlation was never seen, so it is not carried further


@dataclass
class Day:
    """A day of all series, (24, series): what was said, what had been expected, and what may be learned from it.

    heard: whether the hour was listened to; its counts are 0 where it was not. share is (series). weight: 0 to 1.
    """

    day: int  # since 1970
    mentions: Numbers
    negatives: Numbers
    heard: NDArray[np.bool_]
    expected: Numbers
    profile: Numbers
    share: Numbers
    weight: Numbers

    def cut(self, spread: "Spread") -> tuple[Numbers, Numbers]:
        """Return mentions and negatives without what is more than CUT standard deviations too much."""
        dispersion = np.maximum(spread.dispersion[0], 0.02)
        most = self.expected + CUT * np.sqrt(self.expected + dispersion * self.expected**2) + 1
        kept = np.minimum(1, most / np.maximum(self.mentions, 1e-9))
        mentions = self.mentions * kept
        inflation = 1 + np.maximum(mentions - 1, 0) * spread.correlation[0]
        chance = self.share * (1 - self.share)
        most = mentions * self.share + CUT * np.sqrt(mentions * chance * inflation) + 0.5
        return mentions, np.minimum(self.negatives * kept, most)


@dataclass(frozen=True)
class Windows:
    """The windows that end with the hours of a day, (windows, 24, series).

    usual: mentions expected; expected: negatives expected; share: the share expected among the mentions there were.
    """

    mentions: Numbers
    negatives: Numbers
    usual: Numbers
    expected: Numbers
    share: Numbers

    @classmethod
    def of(cls, today: Day, before: Day | None) -> "Windows":
        """Return the windows of a day and the day before it, None where nothing is known of that."""
        sums = np.zeros((49, 5, *today.share.shape))
        for start, day in ((1, before), (25, today)):
            if day is not None:
                usual = day.expected * day.heard
                parts = (day.mentions, day.negatives, usual, usual * day.share, day.mentions * day.share)
                sums[start : start + 24] = np.stack(parts, axis=1)
        np.cumsum(sums, axis=0, out=sums)
        mentions, negatives, usual, expected, weighed = np.stack(
            [sums[25:] - sums[25 - hours : 49 - hours] for hours in WINDOWS], axis=1
        ).transpose(2, 1, 0, 3)
        share = np.where(mentions > 0, weighed / np.maximum(mentions, 1e-9), today.share)
        return cls(mentions, negatives, usual, np.maximum(expected, 0.05), np.clip(share, 0.005, 0.95))


class Season:
    """The level of each series, its shape over the day and the week, and its share of negatives."""

    def __init__(self, series: int) -> None:
        self.days = np.zeros(series)  # learned from, of each
        self._level, self._hours = Faded((series,), LEVEL_DAYS), Faded((24, series), PROFILE_DAYS)
        self._share = Faded((series,), SHARE_DAYS)
        self._weekdays = [Faded((series,), WEEK_DAYS) for _ in range(7)]
        self._week = [Faded((24, series), WEEK_DAYS) for _ in range(7)]

    def expected(self, day: int) -> tuple[Numbers, Numbers, Numbers]:
        """Return mentions to expect of each hour of a day (days since 1970), their profile, and the share (series)."""
        by_hour = self._hours.mean(1.0, HOUR_PRIOR)
        by_weekday = self._weekdays[day % 7].mean(1.0, WEEKDAY_PRIOR)
        profile = self._week[day % 7].mean(by_hour * by_weekday, WEEK_PRIOR)
        share = (self._share.sum + 1) / (self._share.weight + 5)  # nobody knows a new brand; most have some critics
        return np.maximum(self._level.ratio() * profile, 1e-3), profile, share

    def learn(self, seen: Day, spread: "Spread") -> None:
        """Take in a day; seen.weight says how much each hour may teach, 0 where nothing was heard."""
        grown = self.days >= WEEK
        mentions, negatives = seen.cut(spread)
        mentions = np.where(grown, mentions, seen.mentions)
        negatives = np.where(grown, negatives, seen.negatives)
        day, weight = seen.day, seen.weight
        profile = np.where(grown, np.maximum(seen.profile, 0.05), 1.0)
        self._level.add(day, (mentions * weight).sum(0), (profile * weight).sum(0))
        level = np.maximum(self._level.ratio(), 1e-3)
        relative = mentions * weight / level
        self._hours.add(day, relative, weight)
        self._week[day % 7].add(day, relative, weight)
        usual = (weight * self._hours.ratio()).sum(0) / 24
        self._weekdays[day % 7].add(day, np.where(grown, relative.sum(0) / 24, 0), np.where(grown, usual, 0))
        self._share.add(day, (negatives * weight).sum(0), (mentions * weight).sum(0))
        self.days += weight.any(0)


class Spread:
    """How far windows stray from what was expected: dispersion of counts, correlation of shares; (windows, series)."""

    def __init__(self, series: int) -> None:
        shape = (len(WINDOWS), series)
        self._counts, self._shares = Faded(shape, PROFILE_DAYS), Faded(shape, PROFILE_DAYS)
        self.dispersion = np.full(shape, DISPERSION)
        self.correlation = np.full(shape, CORRELATION)

    def learn(self, day: int, windows: Windows, weight: Numbers) -> None:
        """Take in the windows of a day, by moments; only hours of full weight teach, cut at 3 standard deviations."""
        mean, seen, told, share = windows.expected, windows.negatives, windows.mentions, windows.share
        whole = weight >= 1
        limit = 3 * np.sqrt(mean * (1 + self.dispersion[:, None] * mean))
        beyond = np.clip(seen - mean, -limit, limit) ** 2 - mean
        self._counts.add(day, (beyond * whole).sum(1), (mean * mean * whole).sum(1))
        chance = share * (1 - share)
        limit = 3 * np.sqrt(chance * told * (1 + np.maximum(told - 1, 0) * self.correlation[:, None]))
        beyond = np.clip(seen - told * share, -limit, limit) ** 2 - told * chance
        pairs = told * np.maximum(told - 1, 0) * chance
        self._shares.add(day, (beyond * whole).sum(1), (pairs * whole).sum(1))
        self.dispersion = np.clip(self._counts.mean(DISPERSION, DISPERSION_PRIOR), 0.01, 1.5)
        self.correlation = np.clip(self._shares.mean(CORRELATION, CORRELATION_PRIOR), 0.0005, 0.5)


class Faded:
    """Sums and their weights that fade with the days; a series that adds nothing keeps its mean."""

    def __init__(self, shape: tuple[int, ...], days: float) -> None:
        self.sum, self.weight = np.zeros(shape), np.zeros(shape)
        self._days, self._at = days, 0

    def add(self, day: int, amount: Numbers, weight: Numbers) -> None:
        kept = np.exp((self._at - day) / self._days)
        self.sum, self.weight, self._at = self.sum * kept + amount, self.weight * kept + weight, day

    def ratio(self) -> Numbers:
        return self.sum / np.maximum(self.weight, 1e-9)

    def mean(self, prior: Numbers | float, prior_weight: float) -> Numbers:
        return (self.sum + prior * prior_weight) / (self.weight + prior_weight)
