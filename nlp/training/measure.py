"""How well answers agree with labels: confusion, F1, recall, calibration, and how sure these figures are."""

from collections.abc import Callable, Sequence
from typing import NamedTuple, Self

import numpy as np

from nlp.mention_labels import PLACES
from nlp.mention_model import MentionModel
from nlp.training.mentions import Example, row

DRAWS = 1000  # of the bootstrap
BINS = 15  # of the expected calibration error (Guo et al. 2017)


class Known(NamedTuple):
    """What is known of one head: raw scores of all heads, and probabilities of its labels, a row an example."""

    scores: np.ndarray
    rows: np.ndarray


class Confusion(NamedTuple):
    """counts[wanted, given]."""

    counts: np.ndarray

    @classmethod
    def of(cls, wanted: np.ndarray, given: np.ndarray, labels: int) -> Self:
        """Return the counts of pairs of places of labels."""
        return cls(np.bincount(wanted * labels + given, minlength=labels * labels).reshape(labels, labels))

    def recalls(self) -> np.ndarray:
        """Return the recall of each label, NaN where there is nothing to recall."""
        with np.errstate(invalid="ignore"):
            return np.diag(self.counts) / self.counts.sum(axis=1)

    def f1s(self) -> np.ndarray:
        """Return the F1 of each label, NaN where it is not among the wanted ones."""
        with np.errstate(invalid="ignore"):
            found = 2 * np.diag(self.counts) / (self.counts.sum(axis=1) + self.counts.sum(axis=0))
        return np.where(self.counts.sum(axis=1) > 0, found, np.nan)

    def macro_recall(self) -> float:
        """Return the mean recall over the labels that occur."""
        return float(np.nanmean(self.recalls()))

    def macro_f1(self) -> float:
        """Return the mean F1 over the labels that occur."""
        return float(np.nanmean(self.f1s()))

    def accuracy(self) -> float:
        """Return the share of right answers."""
        return float(np.trace(self.counts) / max(1, self.counts.sum()))

    def between(self, figure: Callable[["Confusion"], float]) -> tuple[float, float]:
        """Return the bounds within which a figure lies in 95 of 100 samples of this size (bootstrap, seed fixed)."""
        total = int(self.counts.sum())
        chance = np.random.default_rng(1)
        drawn = chance.multinomial(total, self.counts.ravel() / total, DRAWS).reshape(DRAWS, *self.counts.shape)
        low, high = np.percentile([figure(Confusion(one)) for one in drawn], [2.5, 97.5])
        return float(low), float(high)


def scored(model: MentionModel, of: Sequence[Example]) -> np.ndarray:
    """Return the raw scores of the examples."""
    return model.scores([e.text for e in of], [e.name for e in of], [e.span for e in of])


def places_known(head: str, of: Sequence[Example], among: Sequence[bool] | None = None) -> list[int]:
    """Return the places of the examples (those `among` is true for) that tell something of a head."""
    return [place for place, one in enumerate(of) if head in one.labels and (among is None or among[place])]


def rows_of(head: str, of: Sequence[Example], places: Sequence[int]) -> np.ndarray:
    """Return what the examples at these places tell of a head: probabilities of its labels, a row an example."""
    return np.stack([row(of[place].labels)[PLACES[head]] for place in places])


def known(head: str, of: Sequence[Example], scores: np.ndarray, among: Sequence[bool] | None = None) -> Known | None:
    """Return what the examples (those `among` is true for) tell of a head, None if nothing."""
    places = places_known(head, of, among)
    return Known(scores[places], rows_of(head, of, places)) if places else None


def calibration_error(probabilities: np.ndarray, wanted: np.ndarray) -> float:
    """Return the expected calibration error of the likeliest label: 0 is best."""
    sure, right = probabilities.max(axis=1), probabilities.argmax(axis=1) == wanted
    bins = np.minimum((sure * BINS).astype(int), BINS - 1)
    gaps = [abs(sure[bins == b].mean() - right[bins == b].mean()) * (bins == b).mean() for b in np.unique(bins)]
    return float(sum(gaps))
