"""The mention model at work: texts and names in, what they say and whom they name out. ONNX on the CPU; no torch.

The model and its card lie in nlp/models/mention: model.onnx (int8), tokenizer.json, and labels.json, which says how
scores become probabilities (a temperature a head) and probabilities become answers (chosen on development data:
nlp/training/calibrate.py), sentiment by another rule where a text is judged as a whole. A text's scores do not depend
on what else is judged with it: each is run by itself, since int8 sums are scaled over all that is run together.
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
from nlp.mention_text import Read, read, windows
from nlp.named_entities import TAGS, Entity, entities

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
    label per text, or of an `any` head a tuple of labels. entities: those named in each text, None where the text is
    longer than what was read of it (`MentionModel.entities` reads all).
    """

    probabilities: Mapping[str, np.ndarray]
    answers: Mapping[str, list[Any]]
    entities: Sequence[list[Entity] | None] = ()


class MentionModel:
    """Judges texts for names. Building one takes a quarter of a second and about 100 MB; threads may share it."""

    def __init__(self, folder: Path = FOLDER, *, threads: int = 1) -> None:
        """threads: how many texts are judged side by side; each takes one core. Raises ModelBroken."""
        self.rules, self.overall = rules(folder / "labels.json")
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
        found, named = self._read(texts, names, spans)
        return self.answered(found, names)._replace(entities=named)

    def answered(self, scores: np.ndarray, names: Sequence[str | None]) -> Judged:
        """Return probabilities and answers for rows of scores, each of a text and the name it was judged for."""
        probabilities = {head: probable(head, scores, rule.temperature) for head, rule in self.rules.items()}
        answers = {head: decided(head, found, self.rules[head]) for head, found in probabilities.items()}
        whole = [place for place, name in enumerate(names) if not name]
        if whole:
            probabilities["sentiment"][whole] = probable("sentiment", scores[whole], self.overall.temperature)
            for place, answer in zip(
                whole, decided("sentiment", probabilities["sentiment"][whole], self.overall), strict=True
            ):
                answers["sentiment"][place] = answer
        return Judged(probabilities, answers)

    def entities(self, text: str) -> list[Entity]:
        """Return whom and what a text of any length names, in its order; what it takes grows with its length."""
        return [entity for one in windows(self._tokenizer, text) for entity in _named(one, self._run(one)[1])]

    def scores(
        self,
        texts: Sequence[str],
        names: Sequence[str | None],
        spans: Sequence[tuple[int, int] | None] | None = None,
    ) -> np.ndarray:
        """Return the raw scores, a row of WIDTH per text, in the order of the texts."""
        return self._read(texts, names, spans)[0]

    def _read(
        self,
        texts: Sequence[str],
        names: Sequence[str | None],
        spans: Sequence[tuple[int, int] | None] | None,
    ) -> tuple[np.ndarray, list[list[Entity] | None]]:
        where = [None] * len(texts) if spans is None else spans
        found = np.zeros((len(texts), WIDTH), np.float32)
        named: list[list[Entity] | None] = [None] * len(texts)

        def fill(place: int) -> None:
            one = read(self._tokenizer, texts[place], names[place] or "", where[place])
            found[place], tags = self._run(one)
            if one.whole:
                named[place] = _named(one, tags)

        if len(texts) != len(names) or len(texts) != len(where):
            raise ValueError(f"{len(texts)} texts, {len(names)} names, {len(where)} spans")
        if self._threads == 1 or len(texts) < 2:
            for place in range(len(texts)):
                fill(place)
        else:
            with ThreadPoolExecutor(self._threads) as pool:
                list(pool.map(fill, range(len(texts))))
        return found, named

    def _run(self, one: Read) -> tuple[np.ndarray, np.ndarray]:
        """Return the scores of the heads, and of TAGS, a row per piece."""
        given = {"ids": np.array([one.ids], np.int64), "kinds": np.array([one.kinds], np.int64)}
        scores, tags = self._session.run(["scores", "tags"], given)
        return np.asarray(scores)[0], np.asarray(tags)[0]


def _named(of: Read, tags: np.ndarray) -> list[Entity]:
    """Return the entities by the scores of tags: a word has the tag of its first piece."""
    likeliest = tags.argmax(axis=1).tolist()
    return list(entities([likeliest[w.place] for w in of.words], [(w.start, w.end) for w in of.words]))


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


def rules(path: Path) -> tuple[dict[str, Rule], Rule]:
    """Return head -> rule as labels.json has them, and the one for the sentiment of texts judged for no name.

    Raises ModelBroken, also where its heads are not this code's.
    """
    told = _json(path)
    try:
        heads, overall = told["heads"], told["overall"]
        found = {head.name: heads[head.name] for head in HEADS}
    except (KeyError, TypeError) as error:
        raise ModelBroken(path, f"lacks {error}") from error
    return {name: _rule(path, name, one) for name, one in found.items()}, _rule(path, "sentiment", overall)


def _rule(path: Path, name: str, told: Mapping[str, Any]) -> Rule:
    labels = BY_NAME[name].labels
    try:
        if tuple(told["labels"]) != labels:
            raise ModelBroken(path, f"{name} has labels {told['labels']}, expected {list(labels)}")
        weights = np.array(told["weights"], np.float64)
        rule = Rule(float(told["temperature"]), weights, float(told["at_least"]))
    except (KeyError, TypeError, ValueError) as error:
        raise ModelBroken(path, f"head {name}: {error!r}") from error
    if weights.shape != (len(labels),) or not rule.temperature > 0:
        raise ModelBroken(path, f"head {name}: {told}")
    return rule


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
    given = {output.name: output.shape[-1] for output in session.get_outputs()}
    expected = {"scores": WIDTH, "tags": len(TAGS)}
    if given != expected:
        raise ModelBroken(path, f"gives {given}, expected {expected}")
    return session
