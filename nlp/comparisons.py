"""What a sentence says of two companies by comparing them: who is spoken for, who against. Pure.

The model judges one name at a time and at times hears praise for the wrong one ("Globex beats Acme"). These forms are
plain enough to be read off: {A} is spoken against, {B} for; see moves.py for how a sentence is written.
"""

import math
import re
from collections.abc import Mapping, Sequence

from nlp.judgement import Judgement
from nlp.sentence_forms import Name, any_of, compiled, sentences

AGAINST, FOR = -2.5, 2.5  # log-odds that a form adds: a clear hint, that a clear text outweighs

_BAD = ("annoying", "expensive", "costly", "confusing", "buggy", "rude", "greedy", "painful", "evil", "bad", "shady")
_BETTER = any_of(
    "better", "faster", "cheaper", "nicer", "quicker", "stronger", "smoother", "easier", "friendlier", "cleaner",
    "safer", "smarter", "kinder", "happier", rf"more (?!{any_of(*_BAD)})\w+", f"less {any_of(*_BAD)}",
)  # fmt: skip
_WORSE = any_of(
    "worse", "slower", "pricier", "ruder", "dearer", "buggier", "weaker", "louder", "shadier", "greedier", "dirtier",
    f"more {any_of(*_BAD)}", rf"less (?!{any_of(*_BAD)})\w+",
)  # fmt: skip
_BEATS = any_of(
    "beats?", "beating", "outperforms?", "outclasse[sd]", "destroys?", "destroyed", "crushe[sd]", "smoke[sd]",
    "trounce[sd]", "trumps", "tops", "blows away", "wins over", "wipes the floor with",
    "runs (?:rings|circles) around",
)  # fmt: skip
_FORMS = [
    compiled(form)
    for form in (
        "{A}~ " + any_of("no match for", "nothing on", "inferior to", "falls short of", "pales next to") + "~ {B}",
        f"{{B}}~ {_BEATS}~ {{A}}",
        "{B}~ " + any_of("superior to", "ahead of", "leagues above") + "~ {A}",
        "{B}~ puts~ {A} to shame",
        f"{{B}}~ {_BETTER}~ than~ {{A}}",
        f"{{A}}~ {_WORSE}~ than~ {{B}}",
        any_of("prefer", "preferred", "choose", "chose", "pick", "picked", "rather have") + "~ {B}~ "
        + any_of("to", "over", "instead of", "rather than", "than") + "~ {A}",
        "{A}~ (?:could|should|can|needs to|must|might) learn~ from~ {B}",
    )
]  # fmt: skip
_NOT = re.compile(any_of("not", "never", "no", r"\w+n'?t", "cannot", "hardly", "if", "whether"))


def compared(text: str, names: Sequence[Name]) -> dict[str, float]:
    """Return name -> log-odds toward it, for the names that are compared; a question or a denial compares nothing."""
    told: dict[str, float] = {}
    for said in sentences(text, names):
        if said.rstrip().endswith("?"):
            continue
        for form in _FORMS:
            if (match := form.search(said)) is None or any(map(_NOT.fullmatch, said[: match.end()].split())):
                continue
            told.setdefault(names[int(match["A"])].name, AGAINST)
            told.setdefault(names[int(match["B"])].name, FOR)
            break
    return told


def shifted(judgement: Judgement, odds: float) -> Judgement:
    """Return the judgement with its probabilities moved toward one side."""
    weights = (math.exp(-odds), 1.0, math.exp(odds))
    given = (judgement.p_negative, judgement.p_neutral, judgement.p_positive)
    moved = [max(p, 1e-6) * weight for p, weight in zip(given, weights, strict=True)]
    negative, neutral, positive = (p / sum(moved) for p in moved)
    side = max((neutral, 0), (negative, -1), (positive, 1))[1]
    return judgement._replace(p_negative=negative, p_neutral=neutral, p_positive=positive, sentiment=side)


def with_comparisons(judged: Mapping[str, Judgement], told: Mapping[str, float]) -> dict[str, Judgement]:
    """Return the judgements, those of compared brands moved."""
    return {brand: shifted(one, told[brand]) if brand in told else one for brand, one in judged.items()}
