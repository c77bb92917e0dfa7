"""What the mention model's answers say in the words of the mentions table. Pure."""

from collections.abc import Mapping
from typing import NamedTuple

from nlp.mention_labels import ASPECTS
from nlp.mention_model import Judged

_SIGNS = {"negative": -1, "neutral": 0, "positive": 1}


class Judgement(NamedTuple):
    """What one text says of one brand, as LABELS are defined there (README, "What a mention says").

    certainty: probability that the words mean the company. side: whether the brand is left ("from") or joined
    ("to"), None if neither; status: of that move. aspects: aspect -> -1, 0 or 1.
    """

    p_negative: float
    p_neutral: float
    p_positive: float
    sentiment: int
    certainty: float
    emotion: str
    experience: str
    intents: tuple[str, ...]
    stage: str
    staff: str | None
    side: str | None
    status: str | None
    aspects: Mapping[str, int]


def judgements(judged: Judged) -> list[Judgement]:
    """Return a judgement per text, in the order they were judged."""
    answers, probabilities = judged.answers, judged.probabilities
    return [_judgement(judged, row) for row in range(len(answers["sentiment"]))] if probabilities else []


def _judgement(judged: Judged, row: int) -> Judgement:
    answer = {head: answers[row] for head, answers in judged.answers.items()}
    negative, neutral, positive = (float(p) for p in judged.probabilities["sentiment"][row])
    side, status = answer["switch"], answer["switch_status"]
    moves = side != "none" and status != "none"
    actors = answer["staff"]
    return Judgement(
        p_negative=negative,
        p_neutral=neutral,
        p_positive=positive,
        sentiment=_SIGNS[answer["sentiment"]],
        certainty=float(judged.probabilities["certainty"][row][1]),
        emotion=answer["emotion"],
        experience=answer["experience"],
        intents=answer["intents"],
        stage=answer["stage"],
        staff=None if not actors else "both" if len(actors) > 1 else actors[0],
        side=side if moves else None,
        status=status if moves else None,
        aspects={aspect: _SIGNS[said] for aspect in ASPECTS if (said := answer[f"aspect_{aspect}"]) != "absent"},
    )
