"""Which files of the lake a snapshot holds, and what is different in the lake now.

A file is the same as long as its path, its size and the time it was written are; files are never changed in place. That
time is told only so finely, and a file written a moment before it was listed could be written over within that moment:
it is noted without a time, and read once more by the next publish.
"""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

import pyarrow as pa

from warehouse.layout import table_of

HELD = {  # the columns of lake.files
    "path": "where it lies in the lake",
    "bytes": "its size",
    "written": "when it was written, in nanoseconds since 1970; NULL if it was too young to be sure of that",
    "is_added": "the snapshot was built without it, and took it in later",
}


class Stamp(NamedTuple):
    """What tells one state of a file from another: bytes, and when it was written (ns; None: not to be relied on)."""

    bytes: int
    written: int | None


class Changes(NamedTuple):
    """Files of one table that a snapshot has to take in, and those whose rows it has to let go.

    A file that was written over is among both.
    """

    come: list[str]
    gone: list[str]


def stamps(listed: Mapping[str, tuple[int, int]], settled_before: int) -> dict[str, Stamp]:
    """Return the stamps of files just listed, given their bytes and times.

    settled_before: a file that was written earlier would look different if it were written over.
    """
    return {
        path: Stamp(size, written if written < settled_before else None) for path, (size, written) in listed.items()
    }


def changes(held: Mapping[str, Stamp], there: Mapping[str, Stamp]) -> Changes:
    """Return what to take in and let go so that a snapshot which holds some files holds those that are there."""
    same = {path for path, stamp in there.items() if stamp.written is not None and held.get(path) == stamp}
    return Changes([path for path in there if path not in same], [path for path in held if path not in same])


def by_table(held: Mapping[str, Stamp], tables: Iterable[str]) -> dict[str, dict[str, Stamp]]:
    """Return the files of each table."""
    found: dict[str, dict[str, Stamp]] = {table: {} for table in tables}
    for path, stamp in held.items():
        found.setdefault(table_of(path), {})[path] = stamp
    return found


def as_table(files: Mapping[str, Stamp], added: Iterable[str]) -> pa.Table:
    """Return files as rows of lake.files; added: which of them were not there when the snapshot was built."""
    later = set(added)
    return pa.table({
        "path": pa.array(list(files), pa.string()),
        "bytes": pa.array([stamp.bytes for stamp in files.values()], pa.int64()),
        "written": pa.array([stamp.written for stamp in files.values()], pa.int64()),
        "is_added": pa.array([path in later for path in files], pa.bool_()),
    })  # fmt: skip
