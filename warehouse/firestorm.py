"""The firestorm score of an incident: how far it looks like a wave that carries, 0 to 100, with its parts.

The parts are those in which firestorms differ from other bad days: how much larger than usual, how one-sided, how fast
growing (Pfeffer, Zorbach & Carley 2014), how many and how new the voices (Lamba, Malik & Pfeffer 2015), and how far
people speak of what befell others rather than themselves (Strathern, Schönfeld, Ghawi & Pfeffer 2022: "I" and "me" fall
at the onset). Each runs from 0 to 1 and weighs the same: without labelled incidents to learn from, equal weights
predict about as well as fitted ones (Dawes 1979).
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass

PARTS_AT_LEAST = 4  # of six; with fewer the score would hang on what happens to be known
SIZE_DOUBLINGS = 5  # 32 times what is usual is as large as it gets
GROWTH_DOUBLINGS = 3  # eight times within 3 hours is as fast as it gets
TOO_LITTLE = f"fewer than {PARTS_AT_LEAST} of its parts are known"


@dataclass(frozen=True)
class Incident:
    """What the score is made of. None: not known, and then that part does not count.

    negatives and expected: negative mentions, and how many would be usual. share and usual_share: of negatives among
    all mentions. last and before: negatives in the last 3 hours and in the 3 hours before. authors: negative mentions
    of each author. new_authors_share: of negative mentions, by authors new to the brand. first_hand_share and
    usual_first_hand_share: of negative mentions, by those it befell themselves.
    """

    negatives: int
    expected: float | None
    share: float | None
    usual_share: float | None
    last: int
    before: int
    authors: tuple[int, ...]
    new_authors_share: float | None
    first_hand_share: float | None
    usual_first_hand_share: float | None


@dataclass(frozen=True)
class Firestorm:
    """The score, 0 to 100, and each part, 0 to 1; None where not known, and then reason says why."""

    score: float | None
    parts: Mapping[str, float | None]
    reason: str | None


def firestorm(incident: Incident) -> Firestorm:
    """Return the mean of the parts that are known, times 100.

    size:            log2((negatives + 1) / (expected + 1)) / 5
    excess_share:    (share - usual_share) / (1 - usual_share)
    growth:          log2((last + 1) / (before + 1)) / 3
    spread:          1 - Herfindahl index of the authors' shares
    new_authors:     new_authors_share
    first_hand_fall: 1 - first_hand_share / usual_first_hand_share

    each held between 0 and 1.
    """
    parts = {
        "size": _doublings(incident.negatives, incident.expected, SIZE_DOUBLINGS),
        "excess_share": _excess(incident.share, incident.usual_share),
        "growth": _doublings(incident.last, incident.before, GROWTH_DOUBLINGS),
        "spread": _spread(incident.authors),
        "new_authors": incident.new_authors_share,
        "first_hand_fall": _fall(incident.first_hand_share, incident.usual_first_hand_share),
    }
    known = [part for part in parts.values() if part is not None]
    if len(known) < PARTS_AT_LEAST:
        return Firestorm(None, parts, TOO_LITTLE)
    return Firestorm(100 * math.fsum(known) / len(known), parts, None)


def _doublings(now: float, before: float | None, most: int) -> float | None:
    return None if before is None else _held(math.log2((now + 1) / (before + 1)) / most)


def _excess(share: float | None, usual: float | None) -> float | None:
    if share is None or usual is None:
        return None
    return 0.0 if usual >= 1 else _held((share - usual) / (1 - usual))


def _spread(authors: tuple[int, ...]) -> float | None:
    said = sum(authors)
    return 1 - math.fsum((one / said) ** 2 for one in authors) if said else None


def _fall(share: float | None, usual: float | None) -> float | None:
    return None if share is None or not usual else _held(1 - share / usual)


def _held(part: float) -> float:
    return min(1.0, max(0.0, part))
