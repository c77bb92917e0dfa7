"""The mention model at work: texts and names in, what they say out. ONNX on the CPU; no torch.

The model and its card lie in nlp/models/mention: model.onnx (int8), tokenizer.json, and labels.json, which says how
scores become probabilities (a temperature a head) and probabilities become answers (chosen on development data:
nlp/training/calibrate.py). A text's scores do not depend on what else is judged with it: each is run by itself,
since int8 sums are scaled over all that is run together.
"""

import json
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import onnxruntime
from tokenizers import Tokenizer

from nlp.mention_labels import BY_NAME, HEADS, PLACES, WIDTH
from nlp.mention_text import Read, read

FOLDER = Path(__file__).parent / "models/mention"


class ModelBroken(Exception):
    """A file of the model is missing, damaged, or of another version than this code. A retry does not help.

    path: the file; the message names it, too.
    """

    def __init__(self, path: Path, found: str) -> None:
        super().__init__(f"{path}: {found}")
        self.path = path


class Rule(NamedTuple):
    """How the scores of a head become an answer.

    weights: a probability times its label's weight decides; the share of the winner among these products must be
    `at_least`, or the head's first label ("unknown", "none", "absent") is the answer. Of an `any` head a label holds
    where its probability reaches its weight.
    """

    temperature: float
    weights: np.ndarray
    at_least: float


class Judged(NamedTuple):
    """The answers, in the order of the texts.

    probabilities: head -> a row per text, a column per label (of an `any` head each by itself). answers: head -> a
    label per text, or of an `any` head a tuple of labels.
    """

    probabilities: Mapping[str, np.ndarray]
    answers: Mapping[str, list[Any]]


class MentionModel:
    """Judges texts for names. Building one takes a quarter of a second and about 100 MB; threads may share it."""

    def __init__(self, folder: Path = FOLDER, *, threads: int = 1) -> None:
        """threads: how many texts are judged side by side; each takes one core. Raises ModelBroken."""
        self.rules = rules(folder / "labels.json")
        self._tokenizer = _tokenizer(folder / "tokenizer.json")
        self._session = _session(folder / "model.onnx")
        self._threads = threads

    def judge(
        self,
        texts: Sequence[str],
        names: Sequence[str | None],
        spans: Sequence[tuple[int, int] | None] | None = None,
    ) -> Judged:
        """Return what each text says of the name beside it; None or "": of nobody, only how it sounds as a whole.

        spans: where the name stands in its text; None: at its first whole-word occurrence, if it has one. Only the
        surroundings of that place are read (nlp/mention_text.py says how far).
        """
        return answered(self.scores(texts, names, spans), self.rules)

    def scores(
        self,
        texts: Sequence[str],
        names: Sequence[str | None],
        spans: Sequence[tuple[int, int] | None] | None = None,
    ) -> np.ndarray:
        """Return the raw scores, a row of WIDTH per text, in the order of the texts."""
        where = [None] * len(texts) if spans is None else spans
        found = np.zeros((len(texts), WIDTH), np.float32)

        def fill(place: int) -> None:
            found[place] = self._scored(read(self._tokenizer, texts[place], names[place] or "", where[place]))

        if len(texts) != len(names) or len(texts) != len(where):
            raise ValueError(f"{len(texts)} texts, {len(names)} names, {len(where)} spans")
        if self._threads == 1 or len(texts) < 2:
            for place in range(len(texts)):
                fill(place)
        else:
            with ThreadPoolExecutor(self._threads) as pool:
                list(pool.map(fill, range(len(texts))))
        return found

    def _scored(self, one: Read) -> np.ndarray:
        given = {"ids": np.array([one.ids], np.int64), "kinds": np.array([one.kinds], np.int64)}
        [scores] = self._session.run(["scores"], given)
        return np.asarray(scores)[0]


def answered(scores: np.ndarray, by: Mapping[str, Rule]) -> Judged:
    """Return probabilities and answers for rows of scores."""
    probabilities = {head.name: probable(head.name, scores, by[head.name].temperature) for head in HEADS}
    return Judged(probabilities, {name: decided(name, found, by[name]) for name, found in probabilities.items()})


def probable(name: str, scores: np.ndarray, temperature: float) -> np.ndarray:
    """Return the probabilities of a head's labels from rows of scores of all heads."""
    scaled = scores[:, PLACES[name]].astype(np.float64) / temperature
    if BY_NAME[name].any:
        return 1 / (1 + np.exp(-np.clip(scaled, -50, 50)))
    powers = np.exp(scaled - scaled.max(axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True)


def decided(name: str, probabilities: np.ndarray, rule: Rule) -> list[Any]:
    """Return the answers of a head, one per row of probabilities."""
    labels = BY_NAME[name].labels
    if BY_NAME[name].any:
        return [tuple(labels[i] for i in np.flatnonzero(row)) for row in probabilities >= rule.weights]
    weighed = probabilities * rule.weights
    best = weighed.argmax(axis=1)
    best[weighed.max(axis=1) < rule.at_least * weighed.sum(axis=1)] = 0
    return [labels[i] for i in best]


def rules(path: Path) -> dict[str, Rule]:
    """Return head -> rule as labels.json has them. Raises ModelBroken, also where its heads are not this code's."""
    told = _json(path)
    found = {}
    for head in HEADS:
        try:
            one = told["heads"][head.name]
            if tuple(one["labels"]) != head.labels:
                raise ModelBroken(path, f"{head.name} has labels {one['labels']}, expected {list(head.labels)}")
            weights = np.array(one["weights"], np.float64)
            rule = Rule(float(one["temperature"]), weights, float(one["at_least"]))
        except (KeyError, TypeError, ValueError) as error:
            raise ModelBroken(path, f"head {head.name}: {error!r}") from error
        if weights.shape != (len(head.labels),) or not rule.temperature > 0:
            raise ModelBroken(path, f"head {head.name}: {one}")
        found[head.name] = rule
    return found


def _json(path: Path) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ModelBroken(path, str(error)) from error


def _tokenizer(path: Path) -> Tokenizer:
    if not path.is_file():
        raise ModelBroken(path, "no such file")
    try:
        return Tokenizer.from_file(str(path))
    except Exception as error:  # the package raises bare Exception
        raise ModelBroken(path, str(error)) from error


def _session(path: Path) -> onnxruntime.InferenceSession:
    if not path.is_file():
        raise ModelBroken(path, "no such file")
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1  # two threads on two texts do more than two on one
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    try:
        session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    except Exception as error:  # its errors share no base of their own
        raise ModelBroken(path, str(error)) from error
    [output] = session.get_outputs()
    if output.shape[-1] != WIDTH:
        raise ModelBroken(path, f"gives {output.shape[-1]} scores, expected {WIDTH}")
    return session
