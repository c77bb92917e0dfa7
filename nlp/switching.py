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


def switch_of(brand: str, judged: Mapping[str, Judgement], moves: Sequence[Switch]) -> Told:
    """Return the move that a text tells of a brand.

    judged: what the model says of each brand of the text. moves: by the form of its sentences. Where the form tells of
    one, it knows both sides; elsewhere the model does, and another brand that it sees on the other side.
    """
    by_form = next((move for move in moves if brand in (move.from_, move.to)), None)
    if by_form is not None:
        return Told(*by_form)
    own = judged.get(brand)
    if own is None or own.side is None or own.status is None:
        return Told()
    others = (name for name, other in judged.items() if name != brand and other.side == OPPOSITE[own.side])
    sides = {own.side: brand, OPPOSITE[own.side]: next(others, None)}
    return Told(sides["from"], sides["to"], own.status)
