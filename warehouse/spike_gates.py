"""Which scores are told: few false discoveries over all series, and one incident of hours that belong together.

All of it takes rows of many series, sorted by series and then by hour.
"""

import numpy as np
from numpy.typing import NDArray

from warehouse.spike_tails import upper_tail

Booleans = NDArray[np.bool_]
Integers = NDArray[np.int64]
COOLDOWN_HOURS = 12  # an incident is over when it was quiet for longer


def discoveries(hour: Integers, score: NDArray[np.float64], tested: Booleans, rate: float, more: int = 0) -> Booleans:
    """Return which rows stand out among all series tested in the same hour (Benjamini & Hochberg 1995).

    On average at most `rate` of them are false, however many series there are. more: series that were tested in each
    hour besides those that have a row.
    """
    found = np.zeros(len(hour), dtype=bool)
    likely = np.flatnonzero(tested & (score > 0))  # a tail above one half is no discovery at any rate worth having
    if not len(likely):
        return found
    at = np.unique(hour, return_inverse=True)[1]
    number = np.bincount(at, weights=tested) + more
    tail = upper_tail(score[likely])
    order = np.lexsort((tail, at[likely]))
    rows, tail = likely[order], tail[order]
    first = np.flatnonzero(np.r_[True, np.diff(at[rows]) > 0])
    lengths = np.diff(np.r_[first, len(rows)])
    rank = np.arange(len(rows)) - np.repeat(first, lengths) + 1
    within = tail <= rate * rank / number[at[rows]]
    last = np.maximum.reduceat(np.where(within, rank, 0), first)  # all up to the last one that is within
    found[rows] = rank <= np.repeat(last, lengths)
    return found


def lasting(series: Integers, hour: Integers, opens: Booleans, holds: Booleans) -> Booleans:
    """Return the hours of incidents: each that opens one, and those after it that hold, without a break.

    A break is an hour that does not hold, or more than COOLDOWN_HOURS of which nothing is known.
    """
    holds = holds | opens
    broken = ~holds | _apart(series, hour)
    place = np.arange(len(hour))
    began = np.maximum.accumulate(np.where(broken, place, 0))
    opened = np.maximum.accumulate(np.where(opens, place, -1))
    return holds & (opened >= began)


def openings(series: Integers, hour: Integers, told: Booleans) -> Booleans:
    """Return the first hour of each incident: told hours not more than COOLDOWN_HOURS apart are one."""
    rows = np.flatnonzero(told)
    first = np.zeros(len(hour), dtype=bool)
    first[rows[_apart(series[rows], hour[rows])]] = True
    return first


def _apart(series: Integers, hour: Integers) -> Booleans:
    """Return which rows are of another series than the row before, or come more than COOLDOWN_HOURS after it."""
    if not len(hour):
        return np.zeros(0, dtype=bool)
    return np.r_[True, (np.diff(series) != 0) | (np.diff(hour) > COOLDOWN_HOURS)]
