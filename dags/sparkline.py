"""Numbers as a line of bars, for where there is only text."""

from collections.abc import Sequence

_BARS = "▁▂▃▄▅▆▇█"


def sparkline(values: Sequence[float | None]) -> str:
    """Return values as bars of eight heights, the largest the tallest; a missing one is a space."""
    top = max((value for value in values if value is not None), default=0) or 1
    return "".join(" " if value is None else _BARS[min(7, int(max(value, 0) / top * 7.999))] for value in values)
