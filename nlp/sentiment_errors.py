"""How the mention model errs about sentiment, as measured on held-out data and stored beside it.

Source: nlp/models/mention/labels.json, heads.sentiment.confusion: counts, a row per true label and a column per given
one, both in the order of that head's labels (negative, neutral, positive).
"""

import json
from pathlib import Path

LABELS = Path(__file__).parent / "models/mention/labels.json"


def sentiment_errors(path: Path = LABELS) -> list[list[float]] | None:
    """Return the counts; None where there is no model or its errors were not measured."""
    if not path.is_file():
        return None
    return json.loads(path.read_text(encoding="utf-8"))["heads"]["sentiment"].get("confusion")
