"""Pictures of the report as inline SVG: plain shapes, stretched to their place, whose colours the style sheet gives."""

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

HOUR = 10  # units of width
HEIGHT = 100
GAP = 2  # between two hours


def hours_chart(hours: Sequence[Mapping[str, Any]], told_from: int) -> str:
    """Return the negatives of each hour as bars over the line of what is usual.

    hours: as in evidence, the oldest first. told_from: number of the first that belongs to the incident.
    """
    top = most(hours)
    width = HOUR * len(hours)
    band = width - HOUR * told_from
    shapes = [f'<rect class="band" x="{HOUR * told_from}" y="0" width="{band}" height="{HEIGHT}"/>'] if band > 0 else []
    shapes += [_hour(number, hour, top, number >= told_from) for number, hour in enumerate(hours)]
    shapes.append(f'<path class="base" d="M0 {HEIGHT}H{width}"/>')
    if usual := _steps(hours, top):
        shapes.append(f'<path class="usual" d="{usual}"/>')
    label = f"Negative mentions an hour, {len(hours)} hours, {top:.0f} at most"
    return (
        f'<svg viewBox="0 0 {width} {HEIGHT}" preserveAspectRatio="none" role="img" aria-label="{escape(label)}">'
        f"{''.join(shapes)}</svg>"
    )


def most(hours: Sequence[Mapping[str, Any]]) -> float:
    """Return what the tallest bar or step stands for, at least 1."""
    return max([hour[name] or 0 for hour in hours for name in ("negatives", "expected")], default=0) or 1


def bar(part: float, tick: float | None = None, *, style: str = "part") -> str:
    """Return a share, 0 to 1, as a bar, with a tick where the usual share is."""
    mark = "" if tick is None else f'<rect class="tick" x="{_share(tick) * 98.8:.1f}" y="-1" width="1.2" height="12"/>'
    return (
        '<svg class="bar" viewBox="0 0 100 10" preserveAspectRatio="none" aria-hidden="true">'
        '<rect class="room" x="0" y="2" width="100" height="6"/>'
        f'<rect class="{style}" x="0" y="2" width="{100 * _share(part):.1f}" height="6"/>{mark}</svg>'
    )


def stacked(shares: Sequence[float]) -> str:
    """Return up to four shares of one whole side by side."""
    rects, x = [], 0.0
    for share, style in zip(shares, ("first", "second", "third", "fourth"), strict=False):
        rects.append(f'<rect class="{style}" x="{100 * x:.1f}" y="0" width="{100 * _share(share):.1f}" height="10"/>')
        x += share
    return f'<svg class="who" viewBox="0 0 100 10" preserveAspectRatio="none" aria-hidden="true">{"".join(rects)}</svg>'


def _hour(number: int, hour: Mapping[str, Any], top: float, is_told: bool) -> str:
    at, seen, usual = hour["hour"][:16].replace("T", " "), hour["negatives"], hour["expected"]
    words = "not heard" if seen is None else f"{seen} negative"
    words += "" if usual is None else f", {usual:.1f} usual"
    high = HEIGHT if seen is None else HEIGHT * seen / top
    style = "unheard" if seen is None else "seen told" if is_told else "seen"
    return (
        f'<rect class="{style}" x="{HOUR * number + GAP / 2:.1f}" y="{HEIGHT - high:.1f}" '
        f'width="{HOUR - GAP}" height="{high:.1f}"><title>{escape(f"{at} UTC: {words}")}</title></rect>'
    )


def _steps(hours: Sequence[Mapping[str, Any]], top: float) -> str:
    """Return the path of what is usual, broken where that is not known."""
    path, was_known = [], False
    for number, hour in enumerate(hours):
        if (usual := hour["expected"]) is None:
            was_known = False
            continue
        y = HEIGHT - HEIGHT * usual / top
        path.append(f"{'V' if was_known else f'M{HOUR * number} '}{y:.1f}H{HOUR * (number + 1)}")
        was_known = True
    return "".join(path)


def _share(value: float) -> float:
    return min(1.0, max(0.0, value))
