"""Keeping the lake small and whole: merging small files, and clearing what nobody needs or wants to keep.

Each step may be killed at any byte and run again. Readers may count meanwhile: while a merge is under way a row
lies in two files, and the snapshot takes each key once. What is merged at once, a source's day, has to fit in memory:
a million posts take about 1 GB.
"""

import hashlib
from collections import defaultdict
from collections.abc import Callable, Sequence
from datetime import date, datetime, timedelta
from pathlib import PurePosixPath

import pyarrow as pa

from warehouse.lake import DamagedFile, Lake
from warehouse.layout import day_of, mentions_path, posts_path, source_of, version_of

# Tables without a partner in another one. Alerts are few, and `watch` reads them at any time.
ALONE = ("visits", "rejects", "corrections")
FILES_A_PARTITION = 4  # of a day that runs, fewer are not worth a merge: each is another read and write of the day
OF_SOURCES = ("posts", "mentions", "visits", "rejects")  # what is kept as long as its source; posts go before mentions
VISITS_AT_LEAST = 35  # days: the schedule and `feed_health` look back on the visits of so many

KeptFor = Callable[[str], int | None]  # a source -> days after their fetch that its rows are kept; None: for ever


def for_ever(source: str) -> int | None:
    """Return how many days what a source brought is kept: None, no end."""
    return None


def tidy(lake: Lake, nlp_version: str, now: datetime, kept_for: KeptFor = for_ever) -> dict[str, int]:
    """Do all that keeps a lake in order and return counts, by what was done.

    kept_for: days after its fetch that what a source brought is kept; None: for ever.

    Holds the lake's lock `housekeeping`, so two at once take turns. A posts file that enrich has not read yet stays as
    it is, and so does one that another nlp_version has read, until this one has read all that the other has: the
    snapshot shows the version that has read most.
    """
    with lake.lock("housekeeping"):
        return {
            "temporaries_removed": lake.clean(now),
            "old_files_removed": drop_old(lake, kept_for, now),
            "damaged_mentions_removed": drop_damaged_mentions(lake),
            "old_mentions_removed": drop_superseded_mentions(lake, nlp_version),
            "orphan_mentions_removed": drop_orphan_mentions(lake),
            "files_merged": merge_posts(lake, nlp_version, now) + sum(merge(lake, table, now) for table in ALONE),
        }


def drop_old(lake: Lake, kept_for: KeptFor, now: datetime) -> int:
    """Remove the files of sources whose days are over, by the day they were fetched; return how many.

    Killed after any of them, it goes on in the next run: posts go before their mentions, so that none looks unread.
    """
    old = [path for table in OF_SOURCES for path in lake.files(table) if _is_old(path, kept_for, now.date())]
    return lake.remove(old)


def _is_old(path: str, kept_for: KeptFor, today: date) -> bool:
    source, day = source_of(path), day_of(path)
    days = None if source is None else kept_for(source)
    if days is None or day is None:
        return False
    return day < today - timedelta(days=max(days, VISITS_AT_LEAST) if path.startswith("visits/") else days)


def drop_damaged_mentions(lake: Lake) -> int:
    """Remove mentions files that cannot be read, so that enrich makes them anew; return how many."""
    return lake.remove([path for path, _ in lake.scan("mentions").skipped])


def drop_superseded_mentions(lake: Lake, nlp_version: str) -> int:
    """Remove the mentions of every nlp_version that has read no posts file which this one has not; return how many."""
    made: dict[str, list[str]] = defaultdict(list)
    for path in lake.files("mentions"):
        made[version_of(path)].append(path)
    unread = set(lake.pending(nlp_version))
    others = [paths for version, paths in made.items() if version != nlp_version]
    return sum(lake.remove(paths) for paths in others if unread.isdisjoint(map(posts_path, paths)))


def drop_orphan_mentions(lake: Lake) -> int:
    """Remove mentions files whose posts file is gone: what a merge that was killed leaves; return how many."""
    posts = set(lake.files("posts"))
    return lake.remove([path for path in lake.files("mentions") if posts_path(path) not in posts])


def merge_posts(lake: Lake, nlp_version: str, now: datetime) -> int:
    """Merge the posts files of each source and day that only this nlp_version has read, with their mentions.

    Returns how many files went. The merged mentions are written before the merged posts, so that these never look
    unread; the old posts go before the old mentions, so that they do not either.
    """
    left_alone = set(lake.pending(nlp_version))
    left_alone |= {posts_path(path) for path in lake.files("mentions") if version_of(path) != nlp_version}
    merged = 0
    for paths in _crowded([path for path in lake.files("posts") if path not in left_alone], now.date()):
        mentions = [mentions_path(path, nlp_version) for path in paths]
        try:
            posts = pa.concat_tables([lake.read(path) for path in paths])
            found = pa.concat_tables([lake.read(path) for path in mentions])
        except (DamagedFile, FileNotFoundError):
            continue  # `publish` reports it; nothing of this day is touched before a person has looked
        target = _merged_path(paths)
        lake.replace("mentions", found, mentions_path(target, nlp_version))
        lake.replace("posts", posts, target)
        merged += lake.remove(paths)
        lake.remove(mentions)
    return merged


def merge(lake: Lake, table: str, now: datetime) -> int:
    """Merge the files of each source and day of a table that has no partner; return how many files went."""
    merged = 0
    for paths in _crowded(lake.files(table), now.date()):
        try:
            rows = pa.concat_tables([lake.read(path) for path in paths])
        except (DamagedFile, FileNotFoundError):
            continue
        lake.replace(table, rows, _merged_path(paths))
        merged += lake.remove(paths)
    return merged


def _crowded(paths: Sequence[str], today: date) -> list[list[str]]:
    """Return the groups of files that are worth a merge: of a day that is over, all that are not alone."""
    by_partition: dict[str, list[str]] = defaultdict(list)
    for path in paths:
        by_partition[str(PurePosixPath(path).parent)].append(path)
    return [
        group
        for group in by_partition.values()
        if len(group) >= (2 if (day := day_of(group[0])) and day < today else FILES_A_PARTITION)
    ]


def _merged_path(paths: Sequence[str]) -> str:
    """Return where the merged file goes: the same files give the same name, so a killed merge is done over."""
    digest = hashlib.sha256("\n".join(sorted(paths)).encode()).hexdigest()[:16]
    return f"{PurePosixPath(paths[0]).parent}/merged-{digest}.parquet"
