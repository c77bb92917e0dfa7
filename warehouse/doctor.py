"""What is wrong with the files of a lake, why that matters, and putting it aside so that the rest goes on.

A file that cannot be read, or is none of its table, is passed over by everybody; here every byte is read, and a person
is told of each. What is put aside lies in quarantine/, under the time of that and its old path, with a note beside
it. Nobody reads it there.
"""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import NamedTuple

import pyarrow as pa

from warehouse.lake import DamagedFile, Lake
from warehouse.layout import PARTITION_CLOCK, day_of, folders_of, posts_path, table_of

_DAMAGED = {  # what it means that a file of a table cannot be read
    "posts": "Its posts are in no answer. Restore it from a backup, or have them read again: where a source keeps its "
    "past, a backfill brings them.",
    "mentions": "Its mentions are in no answer. The next `wom enrich` makes them anew, once it is away.",
    "visits": "Only the record of these visits is lost.",
    "rejects": "Only the record of these items is lost.",
    "alerts": "Restore it from a backup: these alerts, and what people answered, are forgotten without it.",
    "corrections": "Restore it from a backup: what people put right there does not hold without it.",
    "erasures": "Restore it from a backup, and leave it here until then: it tells who may not come back, and nothing "
    "is collected without it.",
}
_STAYS = ("erasures",)  # without these files people would come back who were to be forgotten


class Finding(NamedTuple):
    """One file that is not as it should be.

    kind: damaged, misplaced, foreign, orphaned or abandoned. advice: what it means, and what to do. outcome: what
    became of it: "" (nothing was done), removed, gone (before we came), or where it lies now.
    """

    path: str
    kind: str
    reason: str
    advice: str
    outcome: str = ""


def examine(lake: Lake, now: datetime, *, mend: bool = False) -> list[Finding]:
    """Return what is wrong with the lake's files, by path; none: all is well.

    Reads all of the lake, a file at a time. Holds the lock of whoever moves files, `housekeeping`. mend: what is wrong
    is put aside, or removed where it is an abandoned temporary file; killed in between, it goes on in the next run.
    """
    with lake.lock("housekeeping"):
        found = sorted(_found(lake, now))
        return [_mended(lake, finding, now) for finding in found] if mend else found


def _found(lake: Lake, now: datetime) -> Iterator[Finding]:
    for path in lake.abandoned(now):
        yield Finding(path, "abandoned", "a run that was killed left it half written", "Nothing is lost with it.")
    ill: set[str] = set()
    mentions = lake.files("mentions")  # listed before posts: who writes meanwhile writes posts first
    posts = set(lake.files("posts"))
    for table in PARTITION_CLOCK:
        for path in lake.foreign(table):
            yield Finding(path, "foreign", "no Parquet file of ours", "Nobody reads it: keep it somewhere else.")
        for path in mentions if table == "mentions" else lake.files(table):
            if finding := _wrong_with(lake, table, path):
                ill.add(path)
                yield finding
    for path in mentions:
        made_from = posts_path(path)
        if path not in ill and (made_from in ill or made_from not in posts):
            reason = f"its posts file, {made_from}, {'is not in order' if made_from in ill else 'is gone'}"
            yield Finding(path, "orphaned", reason, "It counts nowhere; if its posts come back, enrich makes it anew.")


def _wrong_with(lake: Lake, table: str, path: str) -> Finding | None:
    try:
        rows = lake.read(path)
    except FileNotFoundError:  # written over or compacted by somebody who does not hold our lock
        return None
    except DamagedFile as error:
        return Finding(path, "damaged", error.reason.rstrip("."), _DAMAGED[table])
    advice = "It is read where it lies, but neither kept nor merged as its source is. Move it to where it belongs."
    if day_of(path) is None:
        return Finding(path, "misplaced", f"no file of {table} lies there", advice)
    if strays := _elsewhere(rows, table, path):
        return Finding(path, "misplaced", f"rows of it belong to {', '.join(strays[:3])}", advice)
    return None


def _elsewhere(rows: pa.Table, table: str, path: str) -> list[str]:
    """Return the folders that some rows of a file belong in, instead of where it lies."""
    here = path.rpartition("/")[0]
    keys = rows.select([name for name in ("source", PARTITION_CLOCK[table]) if name in rows.schema.names])
    folders = {folder for batch in keys.to_batches() for folder in folders_of(batch, table).unique().to_pylist()}
    return sorted(str(folder) for folder in folders - {here})


def _mended(lake: Lake, finding: Finding, now: datetime) -> Finding:
    if finding.kind == "abandoned":
        lake.remove([finding.path])
        return finding._replace(outcome="removed")
    if table_of(finding.path) in _STAYS:
        return finding
    at = now.astimezone(UTC)
    note = (
        f"{finding.path} was put aside on {at:%Y-%m-%d %H:%M} UTC. It was {finding.kind}: {finding.reason}.\n"
        f"{finding.advice}\nMended and moved back to where it was, it is read again; else it can be deleted.\n"
    )
    try:
        return finding._replace(outcome=lake.put_aside(finding.path, f"{at:%Y%m%dT%H%M%SZ}", note))
    except FileNotFoundError:
        return finding._replace(outcome="gone")
