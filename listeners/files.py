"""Rows of files in a folder: what a company exports from its own help desk, shop or survey tool.

Source: CSV, JSON lines and Parquet files (table_files.py), the first two with .gz or not; `columns` says which of their
columns is what. Nothing is asked over the network. A relative folder is relative to where the process runs; links that
lead out of it, and names that begin with a dot, are not read. What a row says is read in file_row.py.

A visit reads the files that are new or changed since the last one, by size, time and hash; where rows were only added
at the end of a text file, it reads the added ones. A changed row is a new version of its post where `id` is mapped.
Without an id, a row is known by its file, its words, author and time, and by how often those came before in the file.
A row or file that is gone is no deletion.

A bad row is rejected with file and line, a file that is wrong altogether once, with its reason; both come after the
good files, which they must not hold up. A file younger than ten seconds is left for the next visit, and so is one
that ends in the middle of a row, until it has not changed for an hour; the visit says so.

The cursor says of each file how far it is read; it moves with every page.
"""

import asyncio
import difflib
import hashlib
import json
from collections import Counter
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePath
from typing import Any, NamedTuple, Self

from pydantic import Field, field_validator, model_validator

from listeners.feed import CURSOR_FAULTS, FeedOptions, FeedUnavailable, Page, Phrase, Rejected, TimeZone, Visit
from listeners.file_row import OURS, to_post
from listeners.post import empty_page, to_page
from listeners.table_files import NotReadable, Row, Unfinished, batches, digest, is_appendable

ROWS_A_PAGE = 2_000
SETTLED = 10  # seconds since a file last changed; before, somebody may be writing it
GIVEN_UP = 3600  # seconds since a file last changed, after which what is cut off stays so
MOSTLY = 0.2  # of a file's first rows that cannot be read: it is then read after the others
NAMED = 5  # files that one message names

_IDENTIFYING = ("text", "title", "author", "published_at", "url")


class Options(FeedOptions):
    """The keys of a files feed in listening.toml."""

    folder: Phrase = Field(description="where the files are")
    pattern: Phrase = Field(default="*", description="which of them, as in *.csv, or **/*.csv for folders within")
    columns: dict[str, Phrase] = Field(description="our name = the file's column, as in { text = 'Comment' }")
    rating_scale: tuple[float, float] | None = Field(
        default=None, description="[lowest, highest] rating, where a rating is mapped"
    )
    time_zone: TimeZone = Field(default="UTC", description="of dates that name none, as in Europe/Berlin")

    @field_validator("pattern")
    @classmethod
    def _within_the_folder(cls, pattern: str) -> str:
        path = PurePath(pattern)
        if path.is_absolute() or ".." in path.parts:
            raise ValueError("it names files within the folder")
        if any("**" in part and part != "**" for part in path.parts):
            raise ValueError("** stands alone between slashes, as in **/*.csv")
        return pattern

    @field_validator("columns")
    @classmethod
    def _known(cls, columns: dict[str, str]) -> dict[str, str]:
        for name in columns:
            if name not in OURS:
                close = difflib.get_close_matches(name, OURS, n=1)
                meant = f" (did you mean {close[0]!r}?)" if close else ""
                raise ValueError(f"{name!r} is nothing a post has; valid: {', '.join(OURS)}{meant}")
        if not columns.keys() & {"text", "title"}:
            raise ValueError("a column for `text` or `title` is due")
        return columns

    @model_validator(mode="after")
    def _a_scale_for_ratings(self) -> Self:
        if ("rating" in self.columns) != (self.rating_scale is not None):
            raise ValueError("rating_scale and a column for `rating` go together")
        if self.rating_scale is not None and not self.rating_scale[0] < self.rating_scale[1]:
            raise ValueError("rating_scale is [lowest, highest]")
        return self


class Known(NamedTuple):
    """How far a file was read. rows: of those it had; done: whether to its end. modified: nanoseconds."""

    size: int
    modified: int
    digest: str
    rows: int
    done: bool


@dataclass
class _Reading:
    """What one visit knows: how far each file is read, and what is to be said at its end."""

    visit: Visit
    files: dict[str, Known]
    said: list[str] = field(default_factory=list)

    def cursor(self) -> str:
        return write_cursor(self.files, self.visit.feed)


Step = tuple[Page, Known]  # a page whose cursor is not written yet, and how far its file is then read


async def pages(visit: Visit) -> AsyncIterator[Page]:
    """Yield the rows of new and changed files, file by file. Raises FeedUnavailable where the folder cannot be read."""
    feed: Options = visit.feed
    files, links = _found(feed)
    before = read_cursor(visit.cursor, feed)
    reading = _Reading(visit, {name: known for name, known in before.items() if name in files})
    put_off: list[tuple[str, Step, AsyncIterator[Step]]] = []
    for name, path in files.items():
        steps = _steps(reading, name, path)
        first = True
        async for step in steps:
            if first and _is_mostly_bad(step[0]):
                put_off.append((name, step, steps))
                break
            first = False
            yield _moved(reading, name, step)
    for name, step, steps in put_off:
        yield _moved(reading, name, step)
        async for further in steps:
            yield _moved(reading, name, further)
    said = "; ".join(reading.said[:NAMED]) + (f"; and {len(reading.said) - NAMED} more" * (len(reading.said) > NAMED))
    left_out = Counter({"link out of the folder": links} if links else {})
    yield empty_page(reading.cursor(), capped=said or None, left_out=left_out)


def _found(feed: Options) -> tuple[dict[str, Path], int]:
    """The files of a folder by their name within it, in its order, and how many links lead out of it."""
    folder = Path(feed.folder)
    links = 0
    files: dict[str, Path] = {}
    try:
        root = folder.resolve(strict=True)
        if not root.is_dir():
            raise NotADirectoryError(20, "not a folder")
        for path in folder.glob(feed.pattern):
            name = path.relative_to(folder)
            if any(part.startswith(".") for part in name.parts) or not path.is_file():
                continue
            if path.resolve().is_relative_to(root):
                files[name.as_posix()] = path
            else:
                links += 1
    except (OSError, RuntimeError) as error:  # RuntimeError: links in a circle
        why = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise FeedUnavailable(feed.id, f"folder {str(folder)!r} (from {Path.cwd()}): {why}") from error
    return dict(sorted(files.items())), links


def _moved(reading: _Reading, name: str, step: Step) -> Page:
    page, reading.files[name] = step
    return replace(page, cursor=reading.cursor())


def _is_mostly_bad(page: Page) -> bool:
    return len(page.rejected) > MOSTLY * (page.posts.num_rows + sum(page.left_out.values()))


async def _steps(reading: _Reading, name: str, path: Path) -> AsyncIterator[Step]:
    """The pages of one file, from where it was left; none where nothing in it is new."""
    before, started_at = reading.files.get(name), reading.visit.started_at
    try:
        size, modified = _looks(path)
        age = started_at.timestamp() - modified / 1e9
        if before and before.done and (before.size, before.modified) == (size, modified):
            return
        if abs(age) < SETTLED:
            reading.said.append(f"{name} is still being written: it is left for the next visit")
            return
        now = await asyncio.to_thread(_compared, path, size, modified, before)
    except OSError as error:
        reading.said.append(_out_of_reach(name, error))
        return
    if now.done:  # only its time is new
        reading.files[name] = now
        return
    try:
        async for step in _rows(reading.visit, name, path, now):
            now = step[1]
            yield step
    except Unfinished as fault:
        if age < GIVEN_UP:
            reading.said.append(f"{name}: {fault}: it may still be being written and is left for the next visit")
            return
        yield _wrong(name, str(fault)), now._replace(done=True)
    except NotReadable as fault:
        yield _wrong(name, str(fault)), now._replace(done=True)
    except OSError as error:
        reading.said.append(_out_of_reach(name, error))
    else:
        yield empty_page(None), now._replace(done=True)


def _looks(path: Path) -> tuple[int, int]:
    """The size of a file, and when it was last changed, in nanoseconds."""
    stat = path.stat()
    return stat.st_size, stat.st_mtime_ns


def _compared(path: Path, size: int, modified: int, before: Known | None) -> Known:
    """How far a file is read, by what it held when it was last read."""
    now = Known(size, modified, digest(path, size), rows=0, done=False)
    if before and before.digest == now.digest:
        return now._replace(rows=before.rows, done=before.done)
    grew = before and before.size < size and is_appendable(path)
    if before and grew and digest(path, before.size) == before.digest:
        return now._replace(rows=max(0, before.rows - 1))  # its last row may have been without its end
    return now


def _out_of_reach(name: str, error: OSError) -> str:
    return f"{name}: {error.strerror or error}: it is left for the next visit"


def _wrong(name: str, why: str) -> Page:
    return replace(empty_page(None), rejected=(Rejected(f"{name}: {why}"[:400], name),))


async def _rows(visit: Visit, name: str, path: Path, now: Known) -> AsyncIterator[Step]:
    """The pages of a file's rows, without those that were read before."""
    feed: Options = visit.feed
    source = batches(path, feed.columns.values(), ROWS_A_PAGE)
    twins: Counter[str] = Counter()
    read = 0
    while (batch := await asyncio.to_thread(next, source, None)) is not None:
        items = [(item, _fallback(item, name, feed, twins)) for item in batch]
        read += len(items)
        new = items[max(0, len(items) - (read - now.rows)) :] if read > now.rows else []
        if new:
            page = to_page(visit, new, lambda item: _post_of(item[0], item[1], name, visit), cursor=None)
            now = now._replace(rows=read)
            yield replace(page, rejected=tuple(map(_told, page.rejected))), now


def _post_of(item: Row, fallback: str, name: str, visit: Visit) -> dict[str, Any]:
    """The row of posts that a row of a file makes. Raises ValueError that names file and place."""
    try:
        if item.fault:
            raise ValueError(item.fault)
        feed: Options = visit.feed
        cells = {ours: item.cells.get(theirs) for ours, theirs in feed.columns.items()}
        return to_post(cells, visit, fallback)
    except (TypeError, ValueError, ArithmeticError) as error:
        raise ValueError(f"{name}, {item.place}: {error}") from error


def _told(rejected: Rejected) -> Rejected:
    return replace(rejected, reason=rejected.reason.removeprefix("ValueError: "))


def read_cursor(cursor: str | None, feed: Options) -> dict[str, Known]:
    """Return how far the files of the folder were read. Another folder begins anew."""
    try:
        saved = json.loads(cursor or "{}")
        return {
            str(name): Known(int(size), int(modified), str(found), int(rows), bool(done))
            for name, (size, modified, found, rows, done) in (
                saved["files"].items() if saved.get("folder") == feed.folder else ()
            )
        }
    except CURSOR_FAULTS:
        return {}


def write_cursor(files: Mapping[str, Known], feed: Options) -> str:
    """Return how far the files are read, as text."""
    return json.dumps({"folder": feed.folder, "files": files})


def _fallback(item: Row, name: str, feed: Options, twins: Counter[str]) -> str:
    """What a row without an id is known by."""
    if item.fault or _has_id(item, feed):
        return ""
    shown = [name, *(str(item.cells.get(feed.columns.get(ours, ""))) for ours in _IDENTIFYING)]
    found = hashlib.sha256("\x1f".join(shown).encode("utf-8", "replace")).hexdigest()[:20]
    twins[found] += 1
    return f"{found}-{twins[found]}"


def _has_id(item: Row, feed: Options) -> bool:
    return "id" in feed.columns and item.cells.get(feed.columns["id"]) not in (None, "")
