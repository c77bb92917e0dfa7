"""Who left whom for whom: the moves between named companies that a text tells by the form of its sentences. Pure.

Of a pattern (sentence_forms.py) {A} is who is left, {B} who is joined. The first that fits wins: what it covers is not
read again.
"""

import re
from collections.abc import Sequence
from typing import Literal, NamedTuple

from nlp.sentence_forms import Name, any_of, compiled, sentences

Status = Literal["considered", "done", "returned"]


class Switch(NamedTuple):
    """A move between two companies, by name; None where a side is unnamed."""

    from_: str | None
    to: str | None
    status: Status


_LEAVE = any_of(
    "left", "leave", "leaving", "ditch(?:ed|ing)?", "dump(?:ed|ing)?", "drop(?:ped|ping)?", "quit(?:ting)?",
    "cancel(?:l?ed|l?ing)?", "abandon(?:ed|ing)?", "swap(?:ped|ping)?", "trad(?:ed|ing|e)(?: in)?",
    "replac(?:ed|ing|e)",
)  # fmt: skip
_MOVE = any_of(
    "switch(?:ed|ing|es)?(?: back| over)?", "mov(?:ed|ing|e)", "chang(?:ed|ing|e)", "port(?:ed|ing)?",
    "migrat(?:ed|ing|e)", "went", "gone", "go(?:ing)?", "jump(?:ed|ing)?(?: ship)?", "swap(?:ped|ping)?",
    "convert(?:ed|ing)?", "transfer(?:red|ring)?",
)  # fmt: skip
_JOINED = "and (?:went|moved|switched|joined|signed up|go|going|moving|switching)(?: over| back)?(?: to| with)?"
_FORMS = (
    "(?:goodbye|bye|bye bye|farewell)~ {A}~ (?:hello|hi)~ {B}",
    f"{_LEAVE}~ {{A}}~ (?:for|to|with|{_JOINED})~ {{B}}",
    f"{_MOVE}≈ (?:away )?from~ {{A}}~ (?:to|for|onto|over to)~ {{B}}",
    f"(?:{_MOVE}|over|back|came|come|coming)~ (?:to|with|over to)~ {{B}}~ from~ {{A}}",
    "(?:back|returned|returning|came back|went back)~ (?:with|to|at|on)~ {B}~ after~ {A}",
    "(?:went|moved|switched|gone|tried)(?: over)?(?: to| with)? {A}≈ "
    + any_of("returned", "back", "came back", "went back", "going back", "came home", "again", "crawled back")
    + "(?: to| with| at)? {B}",
    "{A} is out≈ {B} is in",
    f"{_MOVE} (?:away )?from {{A}}",
    any_of("unsubscrib(?:ed|ing) from", "cancel(?:l?ed|l?ing)?", "ditch(?:ed|ing)?", "dump(?:ed|ing)?") + " {A}",
    "(?:leave|leaving) {A}(?! (?:at|early|store|shop|office|hq|station)\\b)",
    "(?:switch(?:ed|ing)?|migrat(?:ed|ing)|convert(?:ed|ing)?)(?: over)? to {B}",
)  # fmt: skip

_CONSIDERED = re.compile(
    r"\b(?:think(?:ing)? (?:of|about)|consider(?:ing)?|might|may|about to|tempted|want(?:ing)? to|wanna|going to|gonna|"
    r"should i|time to|plan(?:ning)? (?:to|on)|looking (?:to|at|into)|if|i'?ll|will|would|could|ready to|worth|anyone|"
    r"better off|close to)\b"
)
_RETURNED = re.compile(r"\b(?:back|returned|came home|again)\b")
_DENIED = re.compile(r"\b(?:not|never|(?:do|did|wo|would|have|is|are|ai)n'?t|no plans? to)(?: \w+){0,2} $")
_NEARBY = 8  # words before a move that may make it a plan
_PATTERNS = [compiled(form) for form in _FORMS]


def moves(text: str, names: Sequence[Name]) -> list[Switch]:
    """Return the moves told, in the order of the sentences. names: in text order, not overlapping."""
    told = [move for said in sentences(text, names) for move in _told(said, names)]
    return [move for move in told if move.from_ != move.to]


def _told(said: str, names: Sequence[Name]) -> list[Switch]:
    covered: list[tuple[int, int]] = []
    found = []
    for pattern in _PATTERNS:
        for match in pattern.finditer(said):
            if any(match.start() < end and match.end() > start for start, end in covered):
                continue
            covered.append(match.span())
            if not _DENIED.search(said[: match.start()]):
                found.append(_switch(match, said, names))
    return found


def _switch(match: re.Match[str], said: str, names: Sequence[Name]) -> Switch:
    left, joined = match.groupdict().get("A"), match.groupdict().get("B")
    before = " ".join(said[: match.start()].split()[-_NEARBY:])
    status: Status = "done"
    if said.rstrip().endswith("?") or _CONSIDERED.search(before):
        status = "considered"
    elif _RETURNED.search(match.group()):
        status = "returned"
    return Switch(
        None if left is None else names[int(left)].name, None if joined is None else names[int(joined)].name, status
    )
