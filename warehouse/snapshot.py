"""The snapshot: one DuckDB file, made from the lake, in which the data team asks its questions.

Schema `lake` holds the lake's tables as they were loaded, plus `lake.snapshot` (one row: when, of which
nlp_version), `lake.files` and `lake.origin` (what it was made from) and `lake.confusion` (how that nlp_version errs);
schema `spare` what the next publish needs and nobody else; the schema `main` holds the stable names: views, marts
(stored) and macros, one SQL file each under sql/. All times in it are UTC and of type TIMESTAMP, so that a day is the
same day in every reader's time zone, and Python reads them without pytz.

A publish goes on from a copy of the last file where it can: what arrived since is taken in (renewing.py), and the rest
stays. Built anew from the whole lake (building.py) the file would hold the same rows. The new one is made in a folder
of its own beside the old one, checked, and renamed over it; the old one is kept to go back to. Readers that have the
old one open keep reading it; those that come later get the new one; nobody waits for a lock. Publishers of one database
take turns, so that an older view of the lake never replaces a newer one.
"""

import contextlib
import errno
import fcntl
import hashlib
import os
import shutil
import time
import uuid
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

import duckdb
import pyarrow as pa

from warehouse import tables
from warehouse.arrivals import Arrival, Unreadable, listed
from warehouse.building import Order, build, keep_files, stamp
from warehouse.checking import in_words, offences
from warehouse.comparing import Difference, differences
from warehouse.held_files import Stamp, by_table, changes
from warehouse.lake import Lake, LakeError
from warehouse.layout import unread
from warehouse.nearby import Nearby
from warehouse.renewing import Renewal
from warehouse.spike_rules import DEFAULT, Rules
from warehouse.statements import literal, statements

STORAGE = "v1.2.0"  # newer ones store texts in a way that is no smaller, and slow where few rows of many are read
TO_WRITE = f"STORAGE_VERSION '{STORAGE}'"
MADE = 3  # raised when the same SQL and contract give other rows than before
LISTINGS = 5  # the lake is listed anew when a merge took files away; merges are a daily affair
NEW_AT_MOST, SMALL = 1 / 3, 32 << 20  # of the lake's bytes: beyond it a file built anew is as quick, and lies in order;
# so many bytes are quick in any case
MEMORY_AT_LEAST, MEMORY_A_THREAD = 1_200_000_000, 600_000_000  # bytes; what needs more goes through files in between
LAST = "last.duckdb"  # a second name of the last file, in the folder where the new one is made
FICLONE = 0x40049409  # of Linux: the copy shares the disk's blocks, where the file system can


class Published(NamedTuple):
    """What a publish made: rows by table, wall seconds, and what a person should look at (nothing failed).

    rebuilt: why it was built from the whole lake; None where it went on from the last file. differing: where that
    file and one built anew disagree, if that was asked for; there are none unless we have a bug.
    """

    rows: dict[str, int]
    seconds: float
    warnings: tuple[str, ...]
    rebuilt: str | None = None
    differing: tuple[Difference, ...] = ()


class CheckFailed(Exception):
    """Rows offend a check: the last good file stays. A retry does not help until the data or the code is mended."""

    def __init__(self, check: str, reason: str, rows: Sequence[dict[str, Any]]) -> None:
        self.check = check
        self.reason = reason
        self.rows = list(rows)
        shown = "; ".join(map(in_words, self.rows[:3]))
        more = " ..." if len(self.rows) > 3 else ""
        super().__init__(f"{check}: {reason}: {shown}{more}")


class NoPrevious(Exception):
    """There is no earlier snapshot to go back to."""


class DatabaseMissing(Exception):
    """There is no snapshot at this path yet: publish first."""


class DatabaseUnreadable(Exception):
    """The file at this path is damaged, or no snapshot of ours: publishing again replaces it."""


def publish(
    lake: Lake,
    database: Path,
    brands: pa.RecordBatch,
    feeds: pa.RecordBatch,
    nlp_version: str,
    now: datetime,
    confusion: Sequence[Sequence[float]] | None = None,
    *,
    rules: Rules = DEFAULT,
    rebuild: bool = False,
    verify: bool = False,
) -> Published:
    """Make the snapshot of a lake, check it and put it in the place of the last one, which becomes previous(database).

    brands and feeds: BRANDS and FEEDS batches, as listening.toml has them. now: UTC; "the last 30 days" end there.
    confusion: how nlp_version errs about sentiment (warehouse/confusion.py); None if that was not measured.
    rules: what is told as a spike.
    rebuild: from the whole lake, whatever the last file holds. verify: build it both ways and compare; what was built
    anew is put in place then.
    Waits while another process publishes the same database. Raises CheckFailed, and OSError, duckdb.Error or LakeError
    where the disk is full or the lake in motion (a retry may help); the last good file stays in each case.
    """
    started = time.monotonic()
    database = database.absolute()
    database.parent.mkdir(parents=True, exist_ok=True)
    order = Order(brands, feeds, nlp_version, now, confusion, rules)
    with _turn(database), _workplace(database) as folder:
        publisher = _Publisher(lake, database, folder, order)
        try:
            new = publisher.make("it was asked for" if rebuild else None)
            differing: list[Difference] = []
            if verify and publisher.rebuilt is None:
                anew = publisher.build(folder / "anew.duckdb", publisher.arrivals_of_all())
                differing = differences(new, anew)
                new = anew
            rows, warnings = publisher.rows, publisher.warnings
        except (duckdb.IOException, duckdb.TransactionException) as error:  # the second: its log had no room
            raise OSError(f"{database} cannot be built, the last one stays: {error}") from error
        except OSError as error:
            if error.errno != errno.ENOSPC:
                raise
            raise OSError(errno.ENOSPC, f"the disk of {database} is full, the last one stays: make room") from error
        if publisher.keeps_last:
            (folder / LAST).replace(previous(database))
        else:
            previous(database).unlink(missing_ok=True)
        _hand_over(new, database)
    return Published(rows, time.monotonic() - started, tuple(warnings), publisher.rebuilt, tuple(differing))


def previous(database: Path) -> Path:
    """Return where the snapshot before this one lies, if there is one."""
    return database.with_name(f"{database.stem}.previous{database.suffix}")


def rollback(database: Path) -> None:
    """Put the previous snapshot in the place of this one, which becomes the previous one: done twice, nothing changes.

    The next publish goes on from it. Raises NoPrevious where there is none.
    """
    database = database.absolute()
    database.parent.mkdir(parents=True, exist_ok=True)
    with _turn(database), _workplace(database) as folder:
        if not previous(database).exists():
            raise NoPrevious(f"{previous(database)} is not there: only what was published before can be gone back to")
        last = folder / LAST
        with contextlib.suppress(FileNotFoundError):
            _link(database, last)
        _hand_over(previous(database), database)
        if last.exists():
            last.replace(previous(database))


def drop_previous(database: Path) -> None:
    """Remove the previous snapshot: for whoever was forgotten and must not be gone back to."""
    with _turn(database.absolute()):
        previous(database.absolute()).unlink(missing_ok=True)


def connect(database: Path) -> duckdb.DuckDBPyConnection:
    """Return a read-only connection to the snapshot as it is now; it never keeps a publisher waiting.

    Close it to see later ones: a process reads the file it opened for as long as it has a connection to it.
    Raises DatabaseMissing where nothing was published yet, DatabaseUnreadable where the file is none of ours.
    """
    if not database.exists():
        raise DatabaseMissing(f"{database} is not there: publish first")
    try:
        connection = duckdb.connect(str(database), read_only=True)
    except duckdb.Error as error:
        if "Could not set lock" in str(error):
            raise DatabaseUnreadable(
                f"{database} is open for writing elsewhere, which shuts all others out; close it there and open it "
                f"read-only, or publish again: {error}"
            ) from error
        raise DatabaseUnreadable(f"{database} is damaged, publish again: {error}") from error
    try:
        connection.execute("SELECT 1 FROM lake.snapshot").fetchall()
    except duckdb.Error as error:
        connection.close()
        raise DatabaseUnreadable(f"{database} holds no snapshot of ours: name another in WOM_DATABASE") from error
    return connection


class _Last(NamedTuple):
    """What the last file holds: its files by table, those of them it took in since it was built, and from what."""

    files: dict[str, dict[str, Stamp]]
    added: set[str]
    origin: dict[str, str]
    published_at: datetime
    hour: datetime


class _Publisher:
    """Makes one file. `rebuilt` tells why it was built anew, once it is made."""

    def __init__(self, lake: Lake, database: Path, folder: Path, order: Order) -> None:
        self._lake, self._database, self._folder, self._order = lake, database, folder, order
        self._near = Nearby(lake, folder / "lake")
        self._arrivals: Mapping[str, Arrival] = {}
        self.rebuilt: str | None = None
        self.keeps_last = False
        self.rows: dict[str, int] = {}
        self.warnings: list[str] = []

    def make(self, asked: str | None) -> Path:
        """Return the new file, made from the last one unless somebody asked or something speaks against it."""
        last = self._find_last()
        self.rebuilt = asked or _against(last, self._order)
        deep = False
        for _ in range(LISTINGS):
            held = last.files if last and not self.rebuilt else {}
            arrivals = listed(self._lake, self._near, self._order.nlp_version, held, deep=deep)
            if any(arrival.moved for arrival in arrivals.values()):
                continue
            self.keeps_last = last is not None and not _forgets(last, arrivals)
            if last and not self.rebuilt and (why := self._too_much(last, arrivals)):
                self.rebuilt = why
                continue
            try:
                if last is None or self.rebuilt:
                    return self.build(self._folder / "snapshot.duckdb", arrivals)
                return self.renew(self._folder / "snapshot.duckdb", arrivals, last)
            except Unreadable as error:
                came = {table: arrival.changes.come for table, arrival in arrivals.items()}
                if not any(self._near.lake.scan(table, files=files).gone for table, files in came.items()):
                    if deep or error.is_about_room:
                        raise error.cause from None
                    deep = True  # footers are whole, and something within a file may not be: read all to tell which
        raise LakeError(self._lake.location, f"its files were moved during each of {LISTINGS} listings; try again")

    def _find_last(self) -> _Last | None:
        """Return what the last file holds, read under a new name: under its own this process may hold an older one."""
        if not self._database.exists():
            return None
        _link(self._database, self._folder / LAST)
        return _last(self._folder / LAST)

    def build(self, path: Path, arrivals: Mapping[str, Arrival]) -> Path:
        """Make the file from the whole lake: in little memory if that suffices, or else in as much as DuckDB takes."""
        for is_frugal in (True, False):
            path.unlink(missing_ok=True)
            try:
                with _connected(self._folder) as connection, _attached(connection, path, TO_WRITE):
                    if is_frugal:
                        connection.execute(f"SET memory_limit = '{_little_memory(connection)}B'")
                    build(connection, self._near.lake, arrivals, self._order, _origin(self._order))
                    connection.execute("USE snapshot")
                    self._finish(connection, arrivals, None)
                break
            except duckdb.OutOfMemoryException:  # not all that it does can go through files
                if not is_frugal:
                    raise
        return path

    def renew(self, path: Path, arrivals: Mapping[str, Arrival], last: _Last) -> Path:
        """Make the file from the last one."""
        there = {name for arrival in arrivals.values() for name in arrival.there}
        added = (last.added | {name for arrival in arrivals.values() for name in arrival.changes.come}) & there
        with _connected(self._folder) as connection, ThreadPoolExecutor(1) as beside:
            copied = beside.submit(_copy, self._folder / LAST, path)
            with _attached(connection, self._folder / LAST, "READ_ONLY"):
                renewal = Renewal(connection, self._near.lake, last.hour, self._order.rules)
                renewal.prepare(arrivals)
            copied.result()
            with _attached(connection, path, TO_WRITE):
                stamp(connection, self._order)
                renewal.run(arrivals)
                keep_files(connection, arrivals, sorted(added))
                self._finish(connection, arrivals, renewal)
        return path

    def _finish(
        self, connection: duckdb.DuckDBPyConnection, arrivals: Mapping[str, Arrival], renewal: Renewal | None
    ) -> None:
        self._arrivals = arrivals
        skipped = [one for arrival in arrivals.values() for one in arrival.skipped]
        self.warnings = [f"{path} was left out: {reason}" for path, reason in skipped]
        version = self._order.nlp_version
        read = [*arrivals["mentions"].there, *(path for path, _ in arrivals["mentions"].skipped)]
        if pending := len(unread(arrivals["posts"].there, read, version)):
            self.warnings.append(f"{pending} posts files have no mentions of nlp_version {version} yet: enrich them")
        for check, found in offences(connection, renewal):
            if check.severity == "fail":
                raise CheckFailed(check.name, check.title, found)
            self.warnings.append(f"{check.title} ({in_words(found[0])}{', and more' if len(found) > 1 else ''})")
        connection.execute("USE snapshot")
        self.rows = {name: _count(connection, relation) for name, relation in _counted().items()}

    def arrivals_of_all(self) -> dict[str, Arrival]:
        """Return the arrivals of whoever takes in all the files that the file just made holds, and bring them near."""
        for arrival in self._arrivals.values():
            come = set(arrival.changes.come)  # is near
            self._near.bring({path: stamp for path, stamp in arrival.there.items() if path not in come})
        return {
            table: arrival._replace(changes=arrival.changes._replace(come=list(arrival.there), gone=[]))
            for table, arrival in self._arrivals.items()
        }

    def _too_much(self, last: _Last, arrivals: Mapping[str, Arrival]) -> str | None:
        if _forgets(last, arrivals):
            return "people were forgotten: nothing of them may be left in the file"
        whole = sum(stamp.bytes for arrival in arrivals.values() for stamp in arrival.there.values())
        new = 0
        for table, arrival in arrivals.items():
            held = last.files.get(table, {})
            come = set(arrival.changes.come)
            new += sum(one.bytes for path, one in arrival.there.items() if path in come or path in last.added)
            new += sum(held[path].bytes for path in arrival.changes.gone)
        return "much of it is new" if new > max(SMALL, NEW_AT_MOST * whole) else None


def _last(database: Path) -> _Last | None:
    """Return what the last file holds; None where there is none that can be gone on from."""
    try:
        with connect(database) as connection:
            files = connection.execute("SELECT path, bytes, written, is_added FROM lake.files").fetchall()
            origin = dict(connection.execute("SELECT what, digest FROM lake.origin").fetchall())
            [(published_at, hour)] = connection.execute("SELECT published_at, hour FROM lake.snapshot").fetchall()
    except (DatabaseMissing, DatabaseUnreadable, duckdb.Error, ValueError):
        return None
    held = {path: Stamp(size, written) for path, size, written, _ in files}
    added = {path for path, _, _, is_added in files if is_added}
    return _Last(by_table(held, ()), added, origin, published_at, hour)


def _forgets(last: _Last, arrivals: Mapping[str, Arrival]) -> bool:
    """Return whether somebody was forgotten since the last file was made."""
    return any(changes(last.files.get("erasures", {}), arrivals["erasures"].there))


def _against(last: _Last | None, order: Order) -> str | None:
    """Return why the new file cannot go on from the last one; None if it can."""
    if last is None:
        return "there is no file to go on from"
    if other := [what for what, digest in _origin(order).items() if last.origin.get(what) != digest]:
        return f"{' and '.join(other)} changed"
    if order.at < last.published_at:
        return "the clock was set back"
    return None


def _origin(order: Order) -> dict[str, str]:
    """Return a digest of each thing but the lake that a file is made from."""
    kinds = ("tables", "views", "marts", "macros", "checks")
    parts = {
        "the program": [STORAGE, str(MADE), duckdb.__version__],
        "its SQL": [one.text for kind in kinds for one in statements(kind)],
        "the contract": [str(schema.to_string(show_schema_metadata=True)) for schema in tables.TABLES.values()],
        "nlp_version": [order.nlp_version],
        "nlp's measured errors": [repr(order.confusion)],
        "the rules of spikes": [repr(order.rules)],
        "the brands of listening.toml": [repr(order.brands.to_pylist())],
        "the feeds of listening.toml": [repr(order.feeds.to_pylist())],
    }
    return {what: hashlib.sha256("\0".join(texts).encode()).hexdigest()[:16] for what, texts in parts.items()}


@contextlib.contextmanager
def _connected(folder: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """Connect to a database in memory; what finds no room there goes into the folder."""
    with duckdb.connect(config={"temp_directory": str(folder / "spill")}) as connection:
        connection.execute("SET TimeZone = 'UTC'")
        connection.execute("SET parquet_metadata_cache = true")  # each file is read several times
        connection.execute("SET checkpoint_threshold = '1TB'")  # once, at the end: what is killed is thrown away
        yield connection


@contextlib.contextmanager
def _attached(connection: duckdb.DuckDBPyConnection, path: Path, how: str) -> Iterator[None]:
    """Open a file as `snapshot`; at the end its last byte is written."""
    connection.execute(f"ATTACH {literal(str(path))} AS snapshot ({how})")  # it takes no parameters
    yield
    connection.execute("USE memory")
    connection.execute("DETACH snapshot")


def _little_memory(connection: duckdb.DuckDBPyConnection) -> int:
    """Return in how many bytes DuckDB is to build a file first: by itself it takes whatever the machine has."""
    [[spared, threads]] = connection.execute(
        "SELECT parse_formatted_bytes(current_setting('memory_limit')), current_setting('threads')"
    ).fetchall()
    return min(spared, max(MEMORY_AT_LEAST, threads * MEMORY_A_THREAD))


def _counted() -> dict[str, str]:
    """Return what is counted, by name: what is stored, and of the views those that cost nothing to count."""
    stored = [one.full_name for kind in ("tables", "marts") for one in statements(kind)]
    standing = {"posts": "lake.posts WHERE is_current AND NOT deleted", "mentions": "lake.mentions WHERE is_current"}
    return {name: name for name in stored} | standing


def _count(connection: duckdb.DuckDBPyConnection, name: str) -> int:
    counted = connection.execute(f"SELECT count(*) FROM {name}").fetchone()  # noqa: S608
    return counted[0] if counted else 0


def _copy(source: Path, target: Path) -> None:
    """Copy a file, by sharing its blocks where the file system can."""
    with source.open("rb") as old, target.open("wb") as new, contextlib.suppress(OSError):
        fcntl.ioctl(new.fileno(), FICLONE, old.fileno())
        return
    shutil.copyfile(source, target)


def _link(source: Path, target: Path) -> None:
    """Give a file a second name, or a copy, where the file system has no links."""
    try:
        target.hardlink_to(source)
    except FileNotFoundError:
        raise
    except OSError:
        shutil.copyfile(source, target)


def _hand_over(new: Path, database: Path) -> None:
    """Put a finished file in the place of the last one, with no right to write to it.

    A program that opens a file to write shuts all others out. What it leaves behind when it is killed, a log of the
    file that goes, would keep everybody from opening the one that comes.
    """
    with contextlib.suppress(PermissionError):  # another user's, or of a disk that knows no rights
        new.chmod(new.stat().st_mode & ~0o222)
    database.with_name(f"{database.name}.wal").unlink(missing_ok=True)
    new.replace(database)


@contextlib.contextmanager
def _turn(database: Path) -> Iterator[None]:
    """Hold the only right to publish this database; a killed process lets go of it."""
    with (database.parent / f".{database.name}.lock").open("ab") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


@contextlib.contextmanager
def _workplace(database: Path) -> Iterator[Path]:
    """Make a folder beside the database, on the same disk, and take it away at the end.

    Whoever has the turn is the only living publisher, so folders that are there already belong to dead ones.
    """
    prefix = f".{database.name}.new-"
    for left_behind in database.parent.glob(f"{prefix.replace('[', '[[]')}*"):
        shutil.rmtree(left_behind, ignore_errors=True)
    folder = database.parent / f"{prefix}{os.getpid()}-{uuid.uuid4().hex[:8]}"
    folder.mkdir()
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
