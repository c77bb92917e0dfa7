"""The thresholds of the detector of spikes that a person may choose: [alerts.rules] in listening.toml.

What they do to what is told, `wom replay` shows on stored history.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Rules:
    """When hours are told as a spike. The defaults were set on simulated brands of 2 to 5,000 mentions an hour.

    opens, holds, pages: scores (about standard deviations) that an hour needs to open a spike, to go on with one, and
    to wake somebody: costly to enter, free to leave. tell_rate, page_rate: the share, 0 to 1, of false discoveries
    that is borne among what is told and among what pages. The rest are gates that a window must pass: negative mentions
    in it, how many times as many as expected, and how far their share lies above the one expected (0 to 1).
    """

    opens: float = 3.75
    holds: float = 2.5
    pages: float = 4.25  # there, fewer than page_rate of the incidents were false on those brands
    tell_rate: float = 0.2
    page_rate: float = 0.05
    negatives_at_least: int = 5
    times_expected_at_least: float = 1.5
    share_above_at_least: float = 0.05


DEFAULT = Rules()
