"""What people put right, as it stands in the lake now, published or not; lake.corrections says the same in SQL."""

from collections.abc import Iterable, Mapping
from typing import Any

from warehouse.lake import DamagedFile, Lake, LakeError

Event = Mapping[str, Any]  # a row of CORRECTIONS
LISTINGS = 5  # the lake is listed anew when a merge took files away; merges are a daily affair


def events(lake: Lake) -> list[dict[str, Any]]:
    """Return every event, oldest first; those of files that are damaged are left out (publishing tells of them).

    Raises LakeError where files move faster than they can be listed.
    """
    for _ in range(LISTINGS):
        rows: list[dict[str, Any]] = []
        try:
            for path in lake.files("corrections"):
                try:
                    rows += lake.read(path).to_pylist()
                except DamagedFile:
                    continue
        except FileNotFoundError:
            continue
        return sorted(rows, key=_order)
    raise LakeError(lake.location, f"corrections were moved during each of {LISTINGS} listings; try again")


def standing(past: Iterable[Event]) -> list[dict[str, Any]]:
    """Return what holds, oldest first: the newest event of each post, brand and column, unless it takes back."""
    newest: dict[tuple[str, str, str], dict[str, Any]] = {}
    for event in sorted(past, key=_order):
        newest[event["post_id"], event["brand"], event["column"]] = dict(event)
    return sorted((event for event in newest.values() if event["value"] is not None), key=_order)


def _order(event: Event) -> tuple[Any, ...]:
    return event["at"], event["by"], event["post_id"], event["brand"], event["column"]
