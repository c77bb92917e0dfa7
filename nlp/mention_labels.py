"""What the mention model answers: its heads, in the order in which their scores lie side by side in its output.

The labels are those of the mentions table. Of an `any` head each label is judged by itself; of the others one
label holds. `switch` and `switch_status` are told of the brand at hand: who is on the other side, the text must tell.
"""

from typing import NamedTuple

ASPECTS = (
    "product", "reliability", "price", "billing", "delivery", "support", "staff",
    "place", "app", "returns", "privacy", "employer", "ethics",
)  # fmt: skip


class Head(NamedTuple):
    """One question. labels: its possible answers; any: whether several of them, or none, may hold at once."""

    name: str
    labels: tuple[str, ...]
    any: bool = False


HEADS = (
    Head("sentiment", ("negative", "neutral", "positive")),
    Head("certainty", ("other", "company")),
    Head(
        "emotion",
        (
            "none", "anger", "disappointment", "worry", "sadness",
            "joy", "gratitude", "admiration", "amusement", "surprise",
        ),
    ),
    Head("experience", ("unknown", "first_hand", "second_hand", "opinion")),
    Head(
        "intents",
        ("complain", "praise", "recommend", "warn_off", "ask_help", "consider_leaving", "left", "joined", "buy"),
        any=True,
    ),
    Head(
        "stage",
        ("unknown", "aware", "choose", "buy", "onboard", "use", "pay", "support", "leave", "return"),
    ),
    Head("staff", ("actor", "victim"), any=True),
    Head("switch", ("none", "from", "to")),
    Head("switch_status", ("none", "considered", "done", "returned")),
    *(Head(f"aspect_{aspect}", ("absent", "negative", "neutral", "positive")) for aspect in ASPECTS),
)  # fmt: skip


def _places() -> dict[str, slice]:
    places, start = {}, 0
    for head in HEADS:
        places[head.name] = slice(start, start + len(head.labels))
        start += len(head.labels)
    return places


PLACES = _places()  # head -> where its scores lie
WIDTH = sum(len(head.labels) for head in HEADS)
BY_NAME = {head.name: head for head in HEADS}
