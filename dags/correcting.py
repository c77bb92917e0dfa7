"""A person puts a mention right: which mention is meant, what the words for each label are, what is stored.

What is said of a mention is an event in the lake. It holds for the post in every version, edits included, and for
every nlp_version, until something later is said of the same label or it is taken back.
"""

import difflib
import json
import secrets
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from dags.settings import SettingsError
from dags.summary import ask
from nlp.mention_labels import ASPECTS, BY_NAME
from warehouse import corrections
from warehouse.lake import Lake
from warehouse.tables import CORRECTABLE, CORRECTIONS, conform

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

NONE = "none"
SIDES = {"negative": -1, "neutral": 0, "positive": 1}
_SWITCH = ("switched_from", "switched_to", "switch_status")
_CANDIDATES = 5  # posts named where a prefix fits several


@dataclass(frozen=True)
class Said:
    """One label: what the published file showed, and what holds now; `now` is None too where it was taken back."""

    label: str
    before: Any
    now: Any


@dataclass(frozen=True)
class Corrected:
    """What was said of one mention, which is stored. is_undone: it was taken back."""

    post_id: str
    brand: str
    by: str
    is_undone: bool
    said: tuple[Said, ...]


def correct(
    lake: Lake,
    database: "DuckDBPyConnection",
    post: str,
    brand: str,
    labels: Mapping[str, Any],
    *,
    by: str,
    note: str | None,
    now: datetime,
) -> Corrected:
    """Store what is right of a mention. post: its id, how that begins if no other does, or its URL. labels: of `read`.

    Raises SettingsError where the published file has no such mention, or the labels contradict each other.
    """
    mention = _mention(database, post, brand)
    labels = _spelled(database, labels)
    _refuse_half_a_switch(mention, labels)
    values = {label: json.dumps(value, ensure_ascii=False) for label, value in labels.items()}
    _append(lake, mention, values, by, note, now, corrections.events(lake))
    said = tuple(Said(label, mention[label], value) for label, value in labels.items())
    return Corrected(mention["post_id"], mention["brand"], by, False, said)


def undo(
    lake: Lake,
    database: "DuckDBPyConnection",
    post: str,
    brand: str,
    labels: Sequence[str],
    *,
    by: str,
    note: str | None,
    now: datetime,
) -> Corrected:
    """Take back what was said of these labels of a mention (all of them unless named): nlp's answer shows again.

    Raises SettingsError where the published file has no such mention, or nothing is to be taken back.
    """
    mention = _mention(database, post, brand)
    past = corrections.events(lake)
    named = (mention["post_id"], mention["brand"])
    held = [event["column"] for event in corrections.standing(past) if (event["post_id"], event["brand"]) == named]
    if strays := [label for label in labels if label not in held]:
        raise SettingsError(
            f"{', '.join(strays)} of {mention['brand']} in {mention['post_id']} was not corrected; "
            f"corrected: {', '.join(held) or 'nothing'}"
        )
    if not held:
        raise SettingsError(f"nothing of {mention['brand']} in {mention['post_id']} was corrected")
    taken = list(dict.fromkeys(labels)) or held
    _append(lake, mention, dict.fromkeys(taken), by, note, now, past)
    return Corrected(
        mention["post_id"], mention["brand"], by, True, tuple(Said(label, mention[label], None) for label in taken)
    )


def read(words: Sequence[str]) -> dict[str, Any]:
    """Return label -> value of `label=word` pairs, as the mentions table holds them.

    Raises SettingsError for a label or a word that is none, with those that are.
    """
    labels: dict[str, Any] = {}
    for pair in words:
        label, equals, word = pair.partition("=")
        if not equals:
            raise SettingsError(f"{pair!r}: write label=value, as in sentiment=negative; labels: {_all(CORRECTABLE)}")
        known(label)
        if label in labels:
            raise SettingsError(f"{label} is there twice")
        labels[label] = _READERS[label](label, word.strip())
    if not labels:
        raise SettingsError(f"say what is right, as in sentiment=negative; labels: {_all(CORRECTABLE)}")
    return labels


def known(label: str) -> str:
    """Return the label. Raises SettingsError for one that is none."""
    if label not in CORRECTABLE:
        raise SettingsError(f"unknown label {label!r}; valid: {_all(CORRECTABLE)}{_meant(label, CORRECTABLE)}")
    return label


# Words to values


def _one_of(words: Mapping[str, Any]) -> Callable[[str, str], Any]:
    """Return a reader that takes one of these words; the numbers that stand for them are taken too."""
    by_number = {str(value): value for value in words.values() if isinstance(value, int)}

    def read_one(label: str, word: str) -> Any:
        if word not in words and word not in by_number:
            raise SettingsError(f"{label} is {word!r}; valid: {_all(words)}{_meant(word, words)}")
        return words[word] if word in words else by_number[word]

    return read_one


def _of_head(name: str, *, may_lack: bool = False) -> Callable[[str, str], Any]:
    return _one_of({label: None if may_lack and label == NONE else label for label in BY_NAME[name].labels})


def _brand(label: str, word: str) -> str | None:
    if not word:
        raise SettingsError(f"{label} is empty; valid: the name of a brand, or {NONE}")
    return None if word == NONE else word


def _intents(label: str, word: str) -> list[str]:
    valid = BY_NAME["intents"].labels
    return [_one_of({intent: intent for intent in valid})(label, one) for one in _listed(label, word, valid)]


def _aspects(label: str, word: str) -> list[dict[str, Any]]:
    found: dict[str, Any] = {}
    for one in _listed(label, word, ["aspect:side, as in billing:negative"]):
        aspect, colon, side = (part.strip() for part in one.partition(":"))
        if not colon:
            raise SettingsError(f"{label}: {one!r}: write aspect:side, as in billing:negative")
        if aspect not in ASPECTS:
            raise SettingsError(f"{label}: no aspect {aspect!r}; valid: {_all(ASPECTS)}{_meant(aspect, ASPECTS)}")
        if aspect in found:
            raise SettingsError(f"{label}: {aspect} is there twice; an aspect with both sides is neutral")
        found[aspect] = _one_of(SIDES)(f"{label}: {aspect}", side)
    return [{"aspect": aspect, "sentiment": side} for aspect, side in found.items()]


def _listed(label: str, word: str, valid: Iterable[str]) -> list[str]:
    """Return the parts of `one,two`; none for `none`."""
    parts = list(dict.fromkeys(part for raw in word.split(",") if (part := raw.strip())))
    if not parts or (NONE in parts and len(parts) > 1):
        raise SettingsError(f"{label} is {word!r}; valid: {NONE}, or some of {_all(valid)}, with commas between")
    return [] if parts == [NONE] else parts


_READERS: Mapping[str, Callable[[str, str], Any]] = {
    "certainty": _one_of({"0": 0, "1": 1}),  # 1: the words mean the company
    "sentiment": _one_of(SIDES),
    "emotion": _of_head("emotion"),
    "experience": _of_head("experience"),
    "intents": _intents,
    "switched_from": _brand,
    "switched_to": _brand,
    "switch_status": _of_head("switch_status", may_lack=True),
    "stage": _of_head("stage"),
    "staff": _one_of({"actor": "actor", "victim": "victim", "both": "both", NONE: None}),
    "aspects": _aspects,
}


# The mention, and the lake


def _mention(database: "DuckDBPyConnection", post: str, brand: str) -> dict[str, Any]:
    """Return a mention's row. Raises SettingsError where the file has none, or several that fit."""
    exactly, beginning = "(post_id = $post OR url = $post)", "starts_with(post_id, $post)"
    fitting = exactly if _posts(database, exactly, post) else beginning
    found, _ = ask(
        database,
        f"FROM mentions WHERE {fitting} AND lower(brand) = lower($brand) ORDER BY post_id LIMIT {_CANDIDATES + 1}",
        {"post": post, "brand": brand},
    )
    if len(found) == 1:
        return found[0]
    ids = [row["post_id"] for row in found] or _posts(database, fitting, post)
    if not ids:
        raise SettingsError(
            f"no post_id in the published file begins with {post!r}, and no post has it as its URL. "
            "Look it up: wom sql \"FROM mentions SELECT post_id, url, brand, text WHERE text ILIKE '%...%'\". "
            "If it was collected since then: wom enrich, wom publish."
        )
    if len(ids) > 1:
        lack = "" if found else f", none of which mentions {brand!r}"
        shown = ", ".join(ids[:_CANDIDATES]) + (", ..." if len(ids) > _CANDIDATES else "")
        raise SettingsError(f"{post!r} fits several posts{lack}; give the id of one: {shown}")
    named, _ = ask(database, "SELECT brand FROM mentions WHERE post_id = $id ORDER BY brand", {"id": ids[0]})
    names = [row["brand"] for row in named]
    raise SettingsError(
        f"the post {ids[0]} has no mention of {brand!r}; it mentions: {_all(names) or 'no brand'}{_meant(brand, names)}"
    )


def _posts(database: "DuckDBPyConnection", fitting: str, post: str) -> list[str]:
    query = f"SELECT post_id FROM posts WHERE {fitting} ORDER BY post_id LIMIT {_CANDIDATES + 1}"  # noqa: S608
    return [row["post_id"] for row in ask(database, query, {"post": post})[0]]


def _spelled(database: "DuckDBPyConnection", labels: Mapping[str, Any]) -> dict[str, Any]:
    """Return the labels with the names of brands, and of their competitors, spelled as in listening.toml."""
    known_names, _ = ask(database, "SELECT brand FROM brands UNION SELECT unnest(competitors) FROM brands")
    spelling = {row["brand"].casefold(): row["brand"] for row in known_names}
    sides = {label: labels[label] for label in _SWITCH[:2] if labels.get(label)}
    return {**labels, **{label: spelling.get(name.casefold(), name) for label, name in sides.items()}}


def _refuse_half_a_switch(mention: Mapping[str, Any], labels: Mapping[str, Any]) -> None:
    """Raise SettingsError where a switch would lack its status or both sides, or be none of this brand's."""
    if not any(label in labels for label in _SWITCH):
        return
    left, joined, status = (labels.get(label, mention[label]) for label in _SWITCH)
    sides = [side for side in (left, joined) if side is not None]
    if bool(sides) != (status is not None):
        raise SettingsError(
            f"the switch would be from {left or NONE} to {joined or NONE}, its status {status or NONE}: one has a side "
            f"and a status, or neither; say {'=, '.join(_SWITCH)}= as well ({NONE}: not told)"
        )
    if sides and mention["brand"] not in sides:
        raise SettingsError(f"a switch is from {mention['brand']} or to it; this one is of {' and '.join(sides)}")


def _append(
    lake: Lake,
    mention: Mapping[str, Any],
    values: Mapping[str, str | None],
    by: str,
    note: str | None,
    now: datetime,
    past: Sequence[Mapping[str, Any]],
) -> None:
    """Append an event for each label, later than all that was said of the mention: clocks of machines differ."""
    named = (mention["post_id"], mention["brand"])
    earlier = [event["at"] for event in past if (event["post_id"], event["brand"]) == named]
    at = max([now, *(told + timedelta(microseconds=1) for told in earlier)])
    rows = [
        {"post_id": named[0], "brand": named[1], "column": label, "value": value, "by": by, "at": at, "note": note}
        for label, value in values.items()
    ]
    batch = conform(pa.RecordBatch.from_pylist(rows, schema=CORRECTIONS), CORRECTIONS)
    lake.append(batch, CORRECTIONS, f"{at:%Y%m%dT%H%M%S%f}-{secrets.token_hex(4)}")


def _all(words: Iterable[str]) -> str:
    return ", ".join(words)


def _meant(word: str, valid: Iterable[str]) -> str:
    close = difflib.get_close_matches(word, list(valid), n=1)
    return f" (did you mean {close[0]!r}?)" if close else ""
