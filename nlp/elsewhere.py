"""Posts from elsewhere: lines of JSON in, lines of JSON out, whatever listening.toml says. Nothing is stored.

A line is {"post_id", "text"} and perhaps "title", "brand", "start", "end", "language". With `brand` it is judged toward
that, wherever the text names it, or at start..end of `text`; it need stand neither in the text nor in listening.toml.
Without, it is a mention of each brand of listening.toml that it names, and may give no line or several.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from datetime import date, datetime
from itertools import islice
from typing import Any

from nlp.brands import Brand
from nlp.enrich import Enricher
from nlp.languages import detect
from nlp.matcher import Match
from nlp.mention_judge import WHOLE, Asked
from nlp.mention_rows import Post, analysed
from nlp.mention_text import place
from warehouse.tables import MENTIONS

AT_A_TIME = 1_000  # lines


class BadLine(ValueError):
    """A line that cannot be judged; the message says why."""


def judged(lines: Iterable[str], enricher: Enricher, *, overall: bool = False) -> Iterator[dict[str, Any]]:
    """Yield what each line says, with every column of mentions, in the order of the lines.

    overall: one row a line, of the text as a whole, its brand null. A line that cannot be judged becomes one with
    `error` and, if it has one, its post_id.
    """
    numbered = enumerate(lines, 1)
    while batch := list(islice(numbered, AT_A_TIME)):
        posts: list[Post] = []
        brands: dict[str, Brand] = dict(enricher.brands)
        told: list[dict[str, Any] | None] = []
        for number, line in batch:
            if not line.strip():
                continue
            found = None
            try:
                found = _object(line)
                posts.append(_post(found, enricher, brands, overall))
                told.append(None)
            except BadLine as error:
                told.append({"post_id": found and found.get("post_id"), "error": f"line {number}: {error}"})
        answers = enricher.mentions(posts, brands)
        for wrong in told:
            if wrong is not None:
                yield wrong
            else:
                yield from (_shown(row) for row in next(answers))


def _object(line: str) -> dict[str, Any]:
    try:
        found = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise BadLine(f"not JSON: {error}") from error
    if not isinstance(found, dict):
        raise BadLine(f"{type(found).__name__} where an object is due")
    return found


def _post(found: Mapping[str, Any], enricher: Enricher, brands: dict[str, Brand], overall: bool) -> Post:
    post_id, text, title, name = (_text(found, key) for key in ("post_id", "text", "title", "brand"))
    if post_id is None or text is None:
        raise BadLine(f"lacks {'post_id' if post_id is None else 'text'}")
    whole, shift = analysed(title, text)
    row = {"post_id": post_id, "version": None, "source": None, "published_at": None, "fetched_at": None}
    language = detect(whole, _text(found, "language"))
    if overall:
        return Post(row, whole, shift, (), None, language, (Asked(WHOLE, ""),))
    if name is None:
        return Post(row, whole, shift, enricher.matches(whole), None, language)
    if not name.strip():
        raise BadLine("`brand` is empty")
    brands.setdefault(name, Brand.model_construct(name=name))
    span = _span(found, text, shift) or place(whole, name)
    if span is None:
        return Post(row, whole, shift, (), name, language)
    match = Match(name, *span, whole[slice(*span)], "alias")
    return Post(row, whole, shift, (match,), None, language)


def _text(found: Mapping[str, Any], key: str) -> str | None:
    value = found.get(key)
    if isinstance(value, int) and not isinstance(value, bool) and key == "post_id":
        return str(value)
    if value is not None and not isinstance(value, str):
        raise BadLine(f"`{key}` is {type(value).__name__}, not text")
    return value


def _span(found: Mapping[str, Any], text: str, shift: int) -> tuple[int, int] | None:
    start, end = found.get("start"), found.get("end")
    if start is None and end is None:
        return None
    if type(start) is not int or type(end) is not int or not 0 <= start < end <= len(text):
        raise BadLine(f"start..end {start!r}..{end!r} is no part of a text of {len(text)} characters")
    return start + shift, end + shift


def _shown(row: Mapping[str, Any]) -> dict[str, Any]:
    """Every column of mentions, as JSON has it."""
    values = {name: row.get(name) for name in MENTIONS.names}
    return {name: value.isoformat() if isinstance(value, datetime | date) else value for name, value in values.items()}
