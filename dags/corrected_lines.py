"""Corrected mentions as lines to evaluate and train on, in the form of nlp/training/own.

A line has every label of that form. `corrected` names those that a person said; the others are what nlp found, or where
it judged nothing, what stands for that (neutral, none, unknown). A person who says that the brand is not
meant has said of the other labels that there are none, as that form wants it.
"""

import hashlib
import json
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from dags.summary import ask
from warehouse.statements import statement

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

BETWEEN = "\n\n"  # parts title from text, as where nlp reads them
_NOT_MEANT = {
    "certainty": 0,
    "sentiment": 0,
    "experience": "unknown",
    "intents": [],
    "switched_from": None,
    "switched_to": None,
    "switch_status": None,
    "stage": "unknown",
    "staff": None,
    "aspects": [],
}


def corrected_lines(database: "DuckDBPyConnection") -> list[str]:
    """Return a JSON object per corrected mention of the published file."""
    rows, _ = ask(database, statement("queries", "corrected_mentions").text)
    return [json.dumps(line(row), ensure_ascii=False) for row in rows]


def line(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return a mention as a labelled example.

    text: title and text as one, for either may name the brand; so title is None. brand: the words that name it, and
    start and end where they stand, both None where only the feed told. family: posts of one text share it.
    """
    title = row["title"] or ""
    head = f"{title}{BETWEEN}" if title else ""
    text = f"{head}{row['text']}"
    span = _place(text, row["brand"]) or _place(text, row["matched_text"] or "")
    brand = text[slice(*span)] if span else row["brand"]
    sides = {
        side: brand if row[side] == row["brand"] else row[side]  # the brand has one spelling in a line
        for side in ("switched_from", "switched_to")
    }
    labels = {
        "certainty": int(row["certainty"] >= 0.5),
        "sentiment": row["sentiment"] or 0,
        "emotion": row["emotion"] or "none",
        "experience": row["experience"],
        "intents": row["intents"] or [],
        **sides,
        "switch_status": row["switch_status"],
        "stage": row["stage"],
        "staff": row["staff"],
        "aspects": [_aspect(aspect, text, len(head)) for aspect in row["aspects"] or []],
    }
    if not labels["certainty"]:
        labels |= _NOT_MEANT
    return {
        "post_id": row["post_id"],
        "text": text,
        "title": None,
        "brand": brand,
        "start": span[0] if span else None,
        "end": span[1] if span else None,
        "family": f"corrected-{hashlib.sha256(text.encode()).hexdigest()[:12]}",
        **labels,
        "corrected": row["corrected"],
    }


def _aspect(aspect: Mapping[str, Any], text: str, shift: int) -> list[Any]:
    """Return [aspect, sentiment, its words]; None for words nobody told."""
    start, end = aspect["start"], aspect["end"]
    words = None if start is None or end is None else text[start + shift : end + shift]
    return [aspect["aspect"], aspect["sentiment"], words or None]


def _place(text: str, name: str) -> tuple[int, int] | None:
    """Return where a name stands first as a whole word, case ignored; None if nowhere, or it is empty."""
    found = re.search(rf"(?<!\w){re.escape(name)}(?!\w)", text, re.IGNORECASE) if name else None
    return found.span() if found else None
