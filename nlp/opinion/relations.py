"""What a sentence says of brands by its form: comparisons, moves from one to another, advice, direct objects.

A sentence is written as words with a space between, brands as <0>, <1>, ... Patterns are regular
expressions in which {A} is the brand spoken against, {B} the one spoken for, and ~ up to four words
between (≈ up to twelve). The first pattern that fits wins: what it covers is not read again.
"""

import re
from collections.abc import Iterator
from typing import Literal, NamedTuple

Status = Literal["considered", "done", "returned"]


class Effect(NamedTuple):
    """What one relation adds to one brand, in log-odds against taking no side."""

    brand: int
    against: float
    for_: float


class Relation(NamedTuple):
    """A pattern found at characters start..end of the sentence, and what it says.

    opposite: a brand for which what is said of the others counts turned round ("unlike Acme, ..."), or None.
    """

    start: int
    end: int
    effects: tuple[Effect, ...]
    opposite: int | None = None


class Move(NamedTuple):
    """A customer going from one brand to another; None where a side is unnamed."""

    from_: int | None
    to: int | None
    status: Status


class _Form(NamedTuple):
    """A pattern with what it says against {A} and for {B}; move: it tells of a customer going over.

    fixed: a "not" within is part of the pattern and does not turn it round.
    """

    pattern: str
    against: float
    for_: float
    move: bool = False
    fixed: bool = False


def _any(*phrases: str) -> str:
    return "(?:" + "|".join(phrases) + ")"


_BAD = ("annoying", "expensive", "costly", "confusing", "buggy", "rude", "greedy", "painful", "evil", "bad", "shady")
_BETTER = _any(
    "better", "faster", "cheaper", "nicer", "quicker", "stronger", "smoother", "easier", "friendlier", "cleaner",
    "safer", "smarter", "kinder", "happier", rf"more (?!{_any(*_BAD)})\w+", f"less {_any(*_BAD)}",
)  # fmt: skip
_WORSE = _any(
    "worse", "slower", "pricier", "ruder", "dearer", "buggier", "weaker", "louder", "shadier", "greedier", "dirtier",
    f"more {_any(*_BAD)}", rf"less (?!{_any(*_BAD)})\w+",
)  # fmt: skip
_BEATS = _any(
    "beats?", "beating", "outperforms?", "outclasse[sd]", "destroys?", "destroyed", "crushe[sd]", "smoke[sd]",
    "trounce[sd]", "trumps", "tops", "blows away", "wins over", "eats",
    "wipes the floor with", "runs (?:rings|circles) around",
)  # fmt: skip
_NOT = _any(
    "not", "never", "no", "isn't", "aren't", "wasn't", "don't", "doesn't", "didn't", "won't", "wouldn't", "can't",
    "cannot", "couldn't",
)  # fmt: skip
_NOT_AS = f"~ {_any('not', 'isn.t', 'aren.t', 'wasn.t', 'nowhere near')}~ (?:as|so)"
_TERRIBLE = _any("slow", "bad", "awful", "terrible", "rude", "useless", "horrible", "expensive", "greedy", "unreliable")
_FINE = _any("good", "great", "reliable", "fast", "nice", "helpful", "cheap", "easy", "smooth", "friendly")
_LEAVE = _any(
    "left", "leave", "leaving", "ditch(?:ed|ing)?", "dump(?:ed|ing)?", "drop(?:ped|ping)?", "quit(?:ting)?",
    "cancel(?:l?ed|l?ing)?", "abandon(?:ed|ing)?", "swap(?:ped|ping)?", "trad(?:ed|ing|e)(?: in)?",
    "replac(?:ed|ing|e)",
)  # fmt: skip
_MOVE = _any(
    "switch(?:ed|ing|es)?(?: back| over)?", "mov(?:ed|ing|e)", "chang(?:ed|ing|e)", "port(?:ed|ing)?",
    "migrat(?:ed|ing|e)", "went", "gone", "go(?:ing)?", "jump(?:ed|ing)?(?: ship)?", "swap(?:ped|ping)?",
    "convert(?:ed|ing)?", "transfer(?:red|ring)?",
)  # fmt: skip
_JOINED = "and (?:went|moved|switched|joined|signed up|go|going|moving|switching)(?: over| back)?(?: to| with)?"
_USE = _any(
    "buy", "buying", "use", "using", "fly", "flying", "trust", "order", "ordering", "shop", "shopping", "recommend",
    "touch", "bother", "going back", "stay", "bank", "deal", "book", "renew", "renewing",
)  # fmt: skip

_FORMS = (
    _Form(f"{{A}}{_NOT_AS} {_FINE} as~ {{B}}", 2.8, 2.2, fixed=True),
    _Form(f"{{B}}{_NOT_AS} {_TERRIBLE} as~ {{A}}", 2.8, 0.8, fixed=True),
    _Form(
        f"{{A}}~ {_NOT}~ "
        + _any("compete with", "hold a candle to", "touch", "compare to", "come close to", "beat", "match", "rival")
        + "~ {B}",
        2.8, 2.8, fixed=True,
    ),
    _Form(
        "{A}~ "
        + _any("no match for", "nothing on", "inferior to", "falls short of", "pales next to", "(?:years|way) behind")
        + "~ {B}", 2.8, 2.8, fixed=True,
    ),
    _Form(f"{{B}}~ {_BEATS}~ {{A}}", 3.0, 3.0),
    _Form("{B}~ " + _any("superior to", "ahead of", "leagues above") + "~ {A}", 2.6, 2.8),
    _Form("{B}~ puts~ {A} to shame", 2.8, 2.8),
    _Form(f"{{B}}~ {_BETTER}~ than~ {{A}}", 2.8, 2.8),
    _Form(f"{{A}}~ {_WORSE}~ than~ {{B}}", 2.8, 1.6),
    _Form(
        _any("prefer", "preferred", "choose", "chose", "pick", "picked", "take", "took", "rather have", "recommend")
        + "~ {B}~ " + _any("to", "over", "instead of", "rather than", "than") + "~ {A}", 2.2, 2.6,
    ),
    _Form("{B} (?:over|instead of|rather than|>) {A}", 2.0, 2.2),
    _Form("{A} < {B}", 2.6, 2.6),
    _Form("{A}~ (?:could|should|can|needs to|must|might) learn~ from~ {B}", 2.4, 2.2),
    _Form("(?:wish|if only)~ {A}~ more like~ {B}", 2.2, 2.2),
    _Form("(?:goodbye|bye|bye bye|farewell)~ {A}~ (?:hello|hi)~ {B}", 2.4, 2.2, move=True),
    _Form(f"{_LEAVE}~ {{A}}~ (?:for|to|with|{_JOINED})~ {{B}}", 2.4, 2.0, move=True),
    _Form(f"{_MOVE}≈ (?:away )?from~ {{A}}~ (?:to|for|onto|over to)~ {{B}}", 2.2, 2.0, move=True),
    _Form(f"(?:{_MOVE}|over|back|came|come|coming)~ (?:to|with|over to)~ {{B}}~ from~ {{A}}", 2.2, 2.0, move=True),
    _Form("(?:back|returned|returning|came back|went back)~ (?:with|to|at|on)~ {B}~ after~ {A}", 1.8, 2.2, move=True),
    _Form(
        "(?:went|moved|switched|gone|tried)(?: over)?(?: to| with)? {A}≈ "
        + _any("returned", "back", "came back", "went back", "going back", "came home", "again", "crawled back")
        + "(?: to| with| at)? {B}", 2.0, 2.2, move=True,
    ),
    _Form("{A} is out≈ {B} is in", 2.2, 2.0, move=True),
    _Form("(?:nothing|nobody|no one|can't|cannot|hard to|none)~ " + _BEATS + " {B}", 0.0, 2.6, fixed=True),
    _Form(f"{_NOT}~ {_USE}~ {{A}}", 2.6, 0.0, fixed=True),
    _Form("(?:avoid|boycott|boycotting|beware of|beware|stay away from|steer clear of|keep away from)~ {A}", 2.8, 0.0),
    _Form(
        _any("fed up with", "sick of", "tired of", "done with", "hate", "hates", "hating", "loathe", "despise",
             "so over",
             "had enough of", "had it with", "screw", "fuck") + "~ {A}", 2.6, 0.0,
    ),
    _Form("(?:stuck with|stuck on|forced to use|had to use) {A}", 1.8, 0.0),
    _Form(
        "(?:wish|should have|should've|shoulda)~ "
        + _any("stayed", "gone", "chosen", "bought", "picked", "went", "stuck", "ordered", "used", "kept")
        + "(?: with| from| to)? {B}", 0.0, 2.0,
    ),
    _Form("(?:stick|sticking|stay|staying|stayed|happy|loyal) (?:with|to) {B}", 0.0, 1.8),
    _Form("(?:no|any) better than~ {A}", 2.0, 0.0, fixed=True),
    _Form(f"{_BETTER}~ than~ {{A}}", 2.0, 0.0),
    _Form(f"as {_TERRIBLE} as~ {{A}}", 1.8, 0.0, fixed=True),
    _Form("(?:kudos|props|shout out|shoutout|shout-out|hats off) (?:goes )?to~ {B}", 0.0, 2.4),
    _Form("(?:love|loves|loving|adore|recommend|recommending|miss) {B}", 0.0, 1.6),
    _Form("(?:try|choose|go with|use|get) {B} instead", 0.0, 1.8),
    _Form(f"{_MOVE} (?:away )?from {{A}}", 2.2, 0.0, move=True),
    _Form(
        _any("unsubscrib(?:ed|ing) from", "cancel(?:l?ed|l?ing)?", "ditch(?:ed|ing)?", "dump(?:ed|ing)?") + " {A}",
        2.2, 0.0, move=True,
    ),
    _Form("(?:leave|leaving) {A}(?! (?:at|early|store|shop|office|hq|station)\\b)", 2.0, 0.0, move=True),
    _Form("(?:nobody|no one|won't|don't) (?:misses|miss) {A}", 2.0, 0.0, fixed=True),
    _Form("(?:tempted|tempting|attracted)~ (?:by|to) {B}", 0.0, 1.2),
    _Form("(?:quit(?:ting)?|closed my|closing my|got rid of|getting rid of) {A}", 2.0, 0.0),
    _Form("(?:switch(?:ed|ing)?|migrat(?:ed|ing)|convert(?:ed|ing)?)(?: over)? to {B}", 0.0, 1.8, move=True),
    _Form("(?:mov(?:ed|ing) over to|sign(?:ed|ing) up (?:with|for|to)|joining|glad i chose|went with) {B}", 0.0, 1.2),
)  # fmt: skip

_CONSIDERED = re.compile(
    r"\b(?:think(?:ing)? (?:of|about)|consider(?:ing)?|might|may|about to|tempted|want(?:ing)? to|wanna|going to|gonna|"
    r"should i|time to|plan(?:ning)? (?:to|on)|looking (?:to|at|into)|if|i'll|will|would|could|ready to|worth|anyone|"
    r"better off|close to)\b"
)
_DENIED = re.compile(
    r"\b(?:not|never|didn't|don't|won't|wouldn't|haven't|no plans? to|isn't|aren't|ain't)(?: \w+){0,2} $"
)
_NOT_INSIDE = re.compile(rf"\b{_NOT}\b")
_UNLIKE = re.compile(r"\bunlike(?: \w+){0,2} <(\d+)>")
_GAP = r"(?: (?!<\d|but |while |whereas )[^\s.!?]+){0,4}?"
_LONG_GAP = r"(?: (?!<\d)[^\s]+){0,12}?"
_OWNED = r"(?:(?:the|my|our|your|a|an|this|their|his|her) )?"


def _compiled(pattern: str) -> re.Pattern[str]:
    whole = pattern.replace("~", _GAP).replace("≈", _LONG_GAP)
    for side in "AB":
        whole = whole.replace(f"{{{side}}}", rf"{_OWNED}<(?P<{side}>\d+)>")
    return re.compile(rf"(?:(?<=\s)|^){whole}(?=\s|$)")


_PATTERNS = [(_compiled(form.pattern), form) for form in _FORMS]


def relations(sentence: str) -> tuple[list[Relation], list[Move]]:
    """Return what the sentence says by its form, and the moves it tells."""
    found: list[Relation] = []
    moves: list[Move] = []
    asked = sentence.rstrip().endswith("?")
    for pattern, form in _PATTERNS:
        for match in pattern.finditer(sentence):
            if any(match.start() < relation.end and match.end() > relation.start for relation in found):
                continue
            before = _DENIED.search(sentence[: match.start()]) if not form.fixed else None
            start = before.start() if before else match.start()
            found.append(Relation(start, match.end(), tuple(_effects(match, form, bool(before), asked))))
            if form.move and not before:
                moves.append(_move(match, sentence, asked))
    found += [Relation(*match.span(), (), int(match.group(1))) for match in _UNLIKE.finditer(sentence)]
    return found, moves


def _effects(match: re.Match[str], form: _Form, denied: bool, asked: bool) -> Iterator[Effect]:
    worse, better = match.groupdict().get("A"), match.groupdict().get("B")
    scale = 0.35 if asked else 1.0  # "is Acme better than Globex?" says little
    inside = match.group()[match.group().find(">") : match.group().rfind("<")] if worse and better else ""
    if denied or (not form.fixed and _NOT_INSIDE.search(inside)):
        # "not better than Globex" is against the one and not for the other; "not switching" is neither.
        if worse is not None:
            yield Effect(int(worse), 0.0, 0.3 * scale)
        if better is not None:
            yield Effect(int(better), 0.2 if form.move else 1.8 * scale, 0.0)
        return
    if worse is not None:
        yield Effect(int(worse), form.against * scale, 0.0)
    if better is not None:
        yield Effect(int(better), 0.0, form.for_ * scale)


def _move(match: re.Match[str], sentence: str, asked: bool) -> Move:
    worse, better = match.groupdict().get("A"), match.groupdict().get("B")
    nearby = " ".join(sentence[: match.start()].split()[-8:])
    status: Status = "done"
    if asked or _CONSIDERED.search(nearby):
        status = "considered"
    elif re.search(r"\b(?:back|returned|came home|again)\b", match.group()):
        status = "returned"
    return Move(int(worse) if worse else None, int(better) if better else None, status)
