"""JSON as servers send it: one absurd number or stray control character must not cost the page."""

import json
from functools import partial
from typing import Any

_loads = partial(json.loads, strict=False)  # control characters within texts, as GDELT sends them, are let through


def parse(text: str) -> Any:
    """Return the value of a JSON text. Raises ValueError or RecursionError where it is none.

    A whole number of more than 4,300 digits, which Python refuses to read, becomes infinity and so fits no column.
    """
    try:
        return _loads(text)
    except json.JSONDecodeError:
        raise
    except ValueError:  # the number; it raises no error of its own kind
        return _loads(text, parse_int=lambda digits: int(digits) if len(digits) < 100 else float(digits))
