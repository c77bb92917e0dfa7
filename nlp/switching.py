"""Which move a mention tells: by the form of its sentences, and by what the model says of the brand. Pure."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from nlp.judgement import Judgement
from nlp.moves import Switch

OPPOSITE = {"from": "to", "to": "from"}


class Told(NamedTuple):
    """The columns of a mention; all None where no move is told."""

    switched_from: str | None = None
    switched_to: str | None = None
    switch_status: str | None = None


def switch_of(
    brand: str, judged: Mapping[str, Judgement], moves: Sequence[Switch], other_sides: Mapping[str, str]
) -> Told:
    """Return the move that a text tells of a brand.

    judged: what the model says of each brand of the text. moves: by the form of its sentences. Where the form tells of
    one, it knows who moves; elsewhere the model does, and another brand that it sees on the other side.
    other_sides: "from" or "to" -> who is found there, where no brand is.
    """
    by_form = next((move for move in moves if brand in (move.from_, move.to)), None)
    own = judged.get(brand)
    if by_form is not None:
        sides, status = {"from": by_form.from_, "to": by_form.to}, by_form.status
    elif own is None or own.side is None or own.status is None:
        return Told()
    else:
        others = (name for name, other in judged.items() if name != brand and other.side == OPPOSITE[own.side])
        sides, status = {own.side: brand, OPPOSITE[own.side]: next(others, None)}, own.status
    return Told(sides["from"] or other_sides.get("from"), sides["to"] or other_sides.get("to"), status)
