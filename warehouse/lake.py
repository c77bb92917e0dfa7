"""The lake: the contract's tables as Parquet files, laid out as layout.py says, in a folder or an object store."""

import contextlib
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from pathlib import Path, PurePosixPath
from typing import NamedTuple, Self

import pyarrow as pa
import pyarrow.dataset as ds
import pyarrow.parquet as pq

from warehouse import tables
from warehouse.layout import (
    SORT_CLOCK,
    by_path,
    is_data,
    mentions_path,
    posts_path,
    safe_name,
    source_folder,
    state_path,
    table_of,
    unread,
    version_of,
)
from warehouse.object_store import ObjectStore
from warehouse.storage import Listing, OutOfReach, Storage

QUARANTINE = "quarantine"  # the folder of what `wom doctor --mend` puts aside
NOTE = ".reason.txt"  # what the note beside such a file ends with
ROWS_PER_GROUP = 122_880  # DuckDB's own row group, so that its scans split evenly


class LakeError(Exception):
    """Something in the lake is not as it should be; `path` says where."""

    def __init__(self, path: str, reason: str) -> None:
        self.path = path
        self.reason = reason
        super().__init__(f"{path}: {reason}")


class DamagedFile(LakeError):
    """A file that is not whole, or not one of this table: a retry does not help, the rest of the lake is fine."""


class Locked(LakeError):
    """Another process holds the lock: try again later."""


class Skipped(NamedTuple):
    """A file that was left out, and why, for a person."""

    path: str
    reason: str


class Scan(NamedTuple):
    """Files of one table that can be read, those that cannot, and those that are gone since they were listed.

    What is gone was merged, and its rows are in a file that the listing does not have: list anew.
    """

    files: list[str]
    skipped: list[Skipped]
    gone: list[str]


class Lake:
    """One lake. Paths it takes and gives are relative to its location, so they mean the same on every machine."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage

    @classmethod
    def open(cls, location: str) -> Self:
        """Return the lake at a folder or a URL (file://..., s3://bucket/prefix), made if it is not there.

        Raises ValueError for a URL that pyarrow has no file system for, and OSError where it cannot be reached: Refused
        where a retry does not help before something is put right.
        """
        is_here = "://" not in location or location.startswith("file://")
        return cls(Storage.open(location) if is_here else ObjectStore.open(location))

    @property
    def location(self) -> str:
        """The folder or URL it was opened with."""
        return self._storage.location

    @property
    def folder(self) -> Path | None:
        """Where it lies on this machine; None if it does not."""
        return self._storage.folder

    # Tables

    def append(self, batch: pa.RecordBatch, schema: pa.Schema, name: str) -> list[str]:
        """Store a batch and return the paths written, one per source and date; none for a batch of no rows.

        The name is the caller's, one per batch of work: storing under it again replaces, and storing the same
        rows again changes nothing. Posts that replace others lose their mentions and so become pending.
        Raises ContractError where the batch breaks its table's contract, and OSError where nothing can be written.
        """
        written = []
        for path, rows in by_path(tables.conform(batch, schema), schema, name):
            content = _parquet(rows)
            if self._storage.content(path) != content:
                if table_of(path) == "posts":
                    self.remove(self.mentions_of(path))  # first: a crash here leaves posts that are read once more
                self._storage.put(path, content)
            written.append(path)
        return written

    def files(self, table: str) -> list[str]:
        """Return the paths of a table's files, sorted; empty if nothing was stored."""
        return [path for path in self._storage.paths(table) if is_data(path)]

    def listing(self, table: str) -> Listing:
        """Return a table's files as `files` does, with what tells whether they were written over since."""
        files, settled_before = self._storage.listing(table)
        return Listing({path: told for path, told in files.items() if is_data(path)}, settled_before)

    def fetch(self, paths: Sequence[str], folder: Path) -> None:
        """Copy files to their paths in a folder of this machine; those that are gone are not there then."""
        self._storage.fetch(paths, folder)

    def read(self, path: str, columns: Sequence[str] | None = None) -> pa.Table:
        """Return a file's rows with exactly its table's columns; a column the file is too old to have is NULL.

        columns: only these of them. Raises DamagedFile where it cannot, FileNotFoundError where it is gone (compacted:
        list anew).
        """
        schema = tables.TABLES[table_of(path)]
        if columns is not None:
            schema = pa.schema([schema.field(name) for name in columns])
        with self._opened(path) as file:
            _accept(path, pq.read_schema(file), tables.TABLES[table_of(path)])
            rows = pq.read_table(file, columns=columns and list(columns))
        told = [
            rows.column(field.name) if field.name in rows.schema.names else pa.nulls(len(rows), field.type)
            for field in schema
        ]
        return pa.Table.from_arrays(told, schema=schema)

    def scan(self, table: str, *, files: Sequence[str] | None = None, deep: bool = False) -> Scan:
        """Return which files of a table can be read and which cannot, by their footers.

        files: only these, rather than all of the table. deep: read every byte, which finds damage within too.
        """

        def wrong(path: str) -> DamagedFile | FileNotFoundError | None:
            try:
                if deep:
                    self.read(path)
                else:
                    with self._opened(path, self._storage.footer) as file:
                        _accept(path, pq.read_schema(file), tables.TABLES[table])
            except (DamagedFile, FileNotFoundError) as error:
                return error
            return None

        found = Scan([], [], [])
        paths = self.files(table) if files is None else files
        for path, error in zip(paths, self._storage.each(wrong, paths), strict=True):
            if error is None:
                found.files.append(path)
            elif isinstance(error, DamagedFile):
                found.skipped.append(Skipped(path, error.reason))
            else:
                found.gone.append(path)
        return found

    def find(self, table: str, where: ds.Expression, *, source: str) -> pa.Table:
        """Return the rows of one source that a filter is true for; files that cannot be read are passed over."""
        schema = tables.TABLES[table]

        def rows(path: str) -> pa.Table:
            with contextlib.suppress(FileNotFoundError, DamagedFile), self._opened(path) as file:
                return ds.ParquetFileFormat().make_fragment(file).to_table(schema=schema, filter=where)
            return schema.empty_table()

        paths = [path for path in self.files(table) if path.startswith(source_folder(table, source))]
        return pa.concat_tables([schema.empty_table(), *self._storage.each(rows, paths)])

    def dataset(self, table: str, *, files: Sequence[str] | None = None) -> ds.Dataset:
        """Return a table (or these files of it) as a dataset with the contract's columns, damaged files left out."""
        sound = self.scan(table).files if files is None else list(files)
        return ds.dataset(sound, schema=tables.TABLES[table], format="parquet", filesystem=self._storage.filesystem)

    def replace(self, table: str, content: pa.Table, path: str) -> None:
        """Write a whole file at a path of this lake's layout: for compaction, which merges files of one partition."""
        self._storage.put(path, _parquet(content.sort_by(SORT_CLOCK[table])))

    def remove(self, paths: Sequence[str]) -> int:
        """Remove files; return how many were there to remove."""
        return self._storage.remove(paths)

    # Posts and their mentions

    def pending(self, nlp_version: str) -> list[str]:
        """Return posts files that lack a mentions file of this nlp_version, oldest partition first."""
        mentions = self.files("mentions")
        return unread(self.files("posts"), mentions, nlp_version)

    def write_mentions(self, posts_path: str, nlp_version: str, batch: pa.RecordBatch) -> str:
        """Store the mentions found in one posts file, which is then done for this nlp_version; return their path.

        A batch of no rows marks it done too. Raises ContractError where the batch breaks the contract, and
        FileNotFoundError where the posts file is gone (compacted meanwhile: its posts are in another file).
        """
        rows = tables.conform(batch, tables.MENTIONS).sort_by(SORT_CLOCK["mentions"])
        if not self._storage.exists(posts_path):
            raise FileNotFoundError(posts_path)
        path = mentions_path(posts_path, nlp_version)
        self._storage.put(path, _parquet(rows))
        return path

    def mentions_files(self, nlp_version: str) -> list[str]:
        """Return the mentions files that one nlp_version made."""
        return [path for path in self.files("mentions") if version_of(path) == nlp_version]

    def mentions_of(self, path: str) -> list[str]:
        """Return the mentions files that were made from a posts file, of whatever nlp_version."""
        folder = str(PurePosixPath(mentions_path(path, "")).parent)
        return [found for found in self._storage.paths(folder) if is_data(found) and posts_path(found) == path]

    # Small documents, locks, leftovers

    def read_state(self, name: str) -> bytes | None:
        """Return a document as it was last written; None if it never was."""
        return self._storage.content(state_path(name))

    def write_state(self, name: str, data: bytes) -> None:
        """Store a document: readers see the old one or the new one, whole. Raises OSError.

        A power cut may take it back, or leave it empty: what cannot be had anew does not belong here.
        """
        self._storage.put(state_path(name), data, durable=False)

    def revise_states(self, revised: Callable[[bytes], bytes | None]) -> int:
        """Write every document anew as `revised` has it, None takes it away; return how many that changed."""
        changed = 0
        for path in self._storage.paths("state"):
            before = self._storage.content(path)
            if before is None or (after := revised(before)) == before:
                continue
            if after is None:
                self._storage.remove([path])
            else:
                self._storage.put(path, after)
            changed += 1
        return changed

    @contextlib.contextmanager
    def lock(self, name: str, *, wait: bool = True) -> Iterator[None]:
        """Hold a name that one process of this machine can hold at a time; a killed process lets go of it.

        Raises Locked where it is held and wait is False. Machines that share a lake need their orchestrator
        (Airflow's max_active_runs) to keep them apart.
        """
        with contextlib.ExitStack() as held:
            try:
                held.enter_context(self._storage.flock(safe_name(name), wait=wait))
            except BlockingIOError as error:
                raise Locked(self.location, f"another process holds {name}") from error
            yield

    def clean(self, now: datetime) -> int:
        """Remove temporary files that nobody writes any more; return how many."""
        return self._storage.remove(self.abandoned(now))

    def abandoned(self, now: datetime) -> list[str]:
        """Return temporary files that nobody writes any more, sorted."""
        return self._storage.abandoned(now)

    # Quarantine

    def foreign(self, table: str) -> list[str]:
        """Return the files in a table's folder that are none of it and no temporary ones, sorted: nobody reads them."""
        return [path for path in self._storage.paths(table) if not is_data(path) and not path.endswith(".tmp")]

    def put_aside(self, path: str, batch: str, note: str) -> str:
        """Move a file to quarantine/<batch>/<path>, with a note beside it; return where it lies now.

        Raises FileNotFoundError where it is gone.
        """
        target = f"{QUARANTINE}/{batch}/{path}"
        self._storage.put(target + NOTE, note.encode())  # first: what lies there is always explained
        self._storage.move(path, target)
        return target

    def quarantined(self) -> list[str]:
        """Return the files that were put aside, sorted, without their notes."""
        return [path for path in self._storage.paths(QUARANTINE) if not path.endswith(NOTE)]

    @contextlib.contextmanager
    def _opened(self, path: str, how: Callable[[str], pa.NativeFile] | None = None) -> Iterator[pa.NativeFile]:
        """Give a file to read. Raises DamagedFile where it cannot be, FileNotFoundError where it is gone.

        how: one of the storage's ways to open it. OutOfReach is no damage, and comes through.
        """
        try:
            with (how or self._storage.opened)(path) as file:
                yield file
        except (FileNotFoundError, OutOfReach):
            raise
        except (pa.ArrowException, OSError) as error:
            raise DamagedFile(path, str(error).partition("\n")[0] or type(error).__name__) from error


def _accept(path: str, found: pa.Schema, expected: pa.Schema) -> None:
    """Raise DamagedFile where a file is none of this table.

    A column that came later is NULL in older files. One that goes by another name must not read as NULL: where a column
    is missing and there is one of its type that the table does not know, it was renamed, as far as we can tell.
    """
    unknown = {field.type: field.name for field in found if field.name not in expected.names}
    for field in expected:
        if field.name not in found.names:
            if stray := unknown.get(field.type):
                raise DamagedFile(path, f"it has no column {field.name}, but {stray}, which is none: was it renamed?")
            if not field.nullable:
                raise DamagedFile(path, f"it has no column {field.name}: not a file of this table")
        elif found.field(field.name).type != field.type:
            raise DamagedFile(path, f"{field.name} is {found.field(field.name).type}, not {field.type}")


def _parquet(rows: pa.RecordBatch | pa.Table) -> bytes:
    """Return rows as a Parquet file; the same rows give the same bytes.

    The docs stay out: they are in the code, and would be most of a small file.
    """
    table = rows if isinstance(rows, pa.Table) else pa.Table.from_batches([rows])
    bare = pa.schema([field.remove_metadata() for field in table.schema])
    sink = pa.BufferOutputStream()
    pq.write_table(table.cast(bare), sink, compression="zstd", compression_level=3, row_group_size=ROWS_PER_GROUP)
    return sink.getvalue().to_pybytes()
