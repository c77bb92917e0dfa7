"""The lake: the contract's tables as Parquet files, and the only code that knows how they lie.

    <table>/source=<source>/date=<date>/<name>.parquet     posts, mentions, visits, rejects
    <table>/date=<date>/<name>.parquet                     alerts
    state/<name>                                           small documents, such as feed cursors

The date is the UTC day of our clock: fetched_at of posts, and of whatever else the day it happened. A mentions
file lies in the partition of the posts file it was made from, as `<posts file>@<nlp_version>.parquet`; one
without rows says "read, and no brand named". Names of sources, files and states are percent-encoded, so any
text may be one.

Whoever reads meets whole files only: they are written under a temporary name and renamed, or, in an object
store, appear when they are complete. Names that begin with a dot are temporary; no reader takes them.
"""

import contextlib
import fcntl
import hashlib
import os
import tempfile
import uuid
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path, PurePosixPath
from typing import Any, NamedTuple, Self
from urllib.parse import quote, unquote

import pyarrow as pa
import pyarrow.compute
import pyarrow.dataset as ds
import pyarrow.fs as pafs
import pyarrow.parquet as pq

from warehouse import tables

pc: Any = pyarrow.compute  # its functions are made at import, where no type checker sees them

PARTITION_CLOCK = {
    "posts": "fetched_at",
    "mentions": "fetched_at",
    "visits": "started_at",
    "rejects": "rejected_at",
    "alerts": "at",
}
SORT_CLOCK = PARTITION_CLOCK | {"posts": "published_at", "mentions": "published_at"}
ROWS_PER_GROUP = 122_880  # DuckDB's own row group, so that its scans split evenly
ABANDONED_AFTER = timedelta(hours=1)  # no write takes this long: an older temporary file has no writer
LONGEST_NAME = 180  # bytes; file systems allow 255, and a mentions file carries its nlp_version too


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

    def __init__(self, location: str, filesystem: pafs.FileSystem, folder: Path | None) -> None:
        self.location = location
        self.folder = folder  # None where the lake is no folder of this machine
        self._filesystem = filesystem

    @classmethod
    def open(cls, location: str) -> Self:
        """Return the lake at a folder or a URL (file://..., s3://bucket/prefix), made if it is not there.

        Raises ValueError for a URL that pyarrow has no file system for, and OSError where it cannot be reached.
        """
        try:
            if "://" in location:
                filesystem, path = pafs.FileSystem.from_uri(location)
            else:
                filesystem, path = pafs.LocalFileSystem(), str(Path(location).absolute())
        except pa.ArrowInvalid as error:
            raise ValueError(f"{location}: {error}") from error
        local = isinstance(filesystem, pafs.LocalFileSystem)
        filesystem.create_dir(path, recursive=True)
        return cls(location, pafs.SubTreeFileSystem(path, filesystem), Path(path) if local else None)

    # Tables

    def append(self, batch: pa.RecordBatch, schema: pa.Schema, name: str) -> list[str]:
        """Store a batch and return the paths written, one per source and date; none for a batch of no rows.

        The name is the caller's, one per batch of work: storing under it again replaces, and storing the same
        rows again changes nothing. Posts that replace others lose their mentions and so become pending.
        Raises ContractError where the batch breaks its table's contract.
        """
        table = tables.name_of(schema)
        written = []
        for partition, rows in _partitions(table, tables.conform(batch, schema)):
            path = f"{table}/{partition}/{safe_name(name)}.parquet"
            content = _parquet(rows)
            if self._content(path) == content:
                written.append(path)
                continue
            if table == "posts":
                self._remove(self._mentions_of(path))  # first: a crash here leaves posts that are read once more
            self._put(path, content)
            written.append(path)
        return written

    def files(self, table: str) -> list[str]:
        """Return the paths of a table's files, sorted; empty if nothing was stored."""
        return [info.path for info in self._listing(table) if _is_data(info)]

    def read(self, path: str) -> pa.Table:
        """Return a file's rows with exactly its table's columns; a column the file is too old to have is NULL.

        Raises DamagedFile where it cannot, FileNotFoundError where it is gone (compacted: list anew).
        """
        schema = tables.TABLES[path.split("/", 1)[0]]
        try:
            with self._filesystem.open_input_file(path) as file:
                rows = pq.read_table(file)
        except FileNotFoundError:
            raise
        except (pa.ArrowException, OSError) as error:
            raise DamagedFile(path, _first_line(error)) from error
        self._accept(path, rows.schema, schema)
        columns = [
            rows.column(field.name) if field.name in rows.schema.names else pa.nulls(len(rows), field.type)
            for field in schema
        ]
        return pa.Table.from_arrays(columns, schema=schema)

    def scan(self, table: str, *, files: Sequence[str] | None = None, deep: bool = False) -> Scan:
        """Return which files of a table can be read and which cannot, by their footers.

        files: only these, rather than all of the table. deep: read every byte, which finds damage within too.
        """
        schema = tables.TABLES[table]
        sound, skipped, gone = [], [], []
        for path in self.files(table) if files is None else files:
            try:
                if deep:
                    self.read(path)
                else:
                    with self._filesystem.open_input_file(path) as file:
                        self._accept(path, pq.read_schema(file), schema)
                sound.append(path)
            except FileNotFoundError:
                gone.append(path)
            except DamagedFile as error:
                skipped.append(Skipped(path, error.reason))
            except (pa.ArrowException, OSError) as error:
                skipped.append(Skipped(path, _first_line(error)))
        return Scan(sound, skipped, gone)

    def dataset(self, table: str, *, files: Sequence[str] | None = None) -> ds.Dataset:
        """Return a table (or these files of it) as a dataset with the contract's columns, damaged files left out."""
        schema = tables.TABLES[table]
        sound = self.scan(table).files if files is None else list(files)
        return ds.dataset(sound, schema=schema, format="parquet", filesystem=self._filesystem)

    # Posts and their mentions

    def pending(self, nlp_version: str) -> list[str]:
        """Return posts files that lack a mentions file of this nlp_version, oldest partition first."""
        done = set(self.files("mentions"))
        return [path for path in self.files("posts") if mentions_path(path, nlp_version) not in done]

    def write_mentions(self, posts_path: str, nlp_version: str, batch: pa.RecordBatch) -> str:
        """Store the mentions found in one posts file, which is then done for this nlp_version; return their path.

        A batch of no rows marks it done too. Raises ContractError where the batch breaks the contract, and
        FileNotFoundError where the posts file is gone (compacted meanwhile: its posts are in another file).
        """
        rows = tables.conform(batch, tables.MENTIONS).sort_by("published_at")
        if self._filesystem.get_file_info(posts_path).type == pafs.FileType.NotFound:
            raise FileNotFoundError(posts_path)
        path = mentions_path(posts_path, nlp_version)
        self._put(path, _parquet(rows))
        return path

    def mentions_files(self, nlp_version: str) -> list[str]:
        """Return the mentions files that one nlp_version made."""
        return [path for path in self.files("mentions") if version_of(path) == nlp_version]

    def drop_mentions(self, except_version: str) -> int:
        """Remove the mentions of all other nlp_versions; return the number of files removed."""
        stale = [path for path in self.files("mentions") if version_of(path) != except_version]
        return self._remove(stale)

    def replace(self, table: str, content: pa.Table, path: str) -> None:
        """Write a whole file at a path of this lake's layout: for compaction, which merges files of one partition."""
        self._put(path, _parquet(content.sort_by(SORT_CLOCK[table])))

    def remove(self, paths: Sequence[str]) -> int:
        """Remove files; return how many were there to remove."""
        return self._remove(paths)

    # Small documents, locks, leftovers

    def read_state(self, name: str) -> bytes | None:
        """Return a document as it was last written; None if it never was."""
        return self._content(f"state/{safe_name(name)}")

    def write_state(self, name: str, data: bytes) -> None:
        """Store a document: readers see the old one or the new one, whole."""
        self._put(f"state/{safe_name(name)}", data)

    @contextlib.contextmanager
    def lock(self, name: str, *, wait: bool = True) -> Iterator[None]:
        """Hold a name that one process of this machine can hold at a time; a killed process lets go of it.

        Raises Locked where it is held and wait is False. Machines that share a lake need their orchestrator
        (Airflow's max_active_runs) to keep them apart.
        """
        if self.folder is not None:
            path = self.folder / ".locks" / safe_name(name)
        else:
            here = hashlib.sha256(self.location.encode()).hexdigest()[:16]
            path = Path(tempfile.gettempdir()) / f"word-of-mouse-{os.getuid()}" / here / safe_name(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("ab") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
            except BlockingIOError as error:
                raise Locked(str(path), f"another process holds {name}") from error
            yield  # closing the file lets go

    def clean(self, now: datetime) -> int:
        """Remove temporary files that nobody writes any more; return how many."""
        abandoned = []
        for info in self._listing(""):
            name = PurePosixPath(info.path).name
            if not (name.startswith(".") and name.endswith(".tmp")):
                continue
            written = info.mtime if info.mtime.tzinfo else info.mtime.replace(tzinfo=UTC)
            if now - written > ABANDONED_AFTER:
                abandoned.append(info.path)
        return self._remove(abandoned)

    # How bytes get in and out

    def _listing(self, folder: str) -> list[pafs.FileInfo]:
        selector = pafs.FileSelector(folder, recursive=True, allow_not_found=True)
        infos: list[pafs.FileInfo] = self._filesystem.get_file_info(selector)
        return sorted((info for info in infos if info.type == pafs.FileType.File), key=lambda info: info.path)

    def _mentions_of(self, posts_path: str) -> list[str]:
        folder = str(PurePosixPath(mentions_path(posts_path, "")).parent)
        stem = PurePosixPath(posts_path).stem
        return [
            info.path for info in self._listing(folder) if _is_data(info) and info.base_name.split("@", 1)[0] == stem
        ]

    def _content(self, path: str) -> bytes | None:
        try:
            with self._filesystem.open_input_stream(path) as file:
                return file.read()
        except FileNotFoundError:
            return None

    def _put(self, path: str, content: bytes) -> None:
        parent, name = str(PurePosixPath(path).parent), PurePosixPath(path).name
        self._filesystem.create_dir(parent, recursive=True)
        if self.folder is None:
            with self._filesystem.open_output_stream(path) as file:  # an object appears when it is complete
                file.write(content)
            return
        temporary = self.folder / parent / f".{name[:LONGEST_NAME]}.{uuid.uuid4().hex}.tmp"
        try:
            with temporary.open("wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())  # else a power cut may keep the cursor, written later, and lose the posts
            temporary.replace(self.folder / path)
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise

    def _remove(self, paths: Sequence[str]) -> int:
        removed = 0
        for path in paths:
            with contextlib.suppress(FileNotFoundError):
                self._filesystem.delete_file(path)
                removed += 1
        return removed

    @staticmethod
    def _accept(path: str, found: pa.Schema, expected: pa.Schema) -> None:
        for field in expected:
            if field.name not in found.names:
                if not field.nullable:
                    raise DamagedFile(path, f"it has no column {field.name}: not a file of this table")
            elif found.field(field.name).type != field.type:
                raise DamagedFile(path, f"{field.name} is {found.field(field.name).type}, not {field.type}")


def safe_name(name: str) -> str:
    """Return a file name for any text: other texts get other names; it hides nothing and contains no `@`.

    A long one is cut and ends with a hash of the whole.
    """
    encoded = quote(name, safe="", errors="surrogatepass").replace("~", "%7E")
    if encoded[:1] in {".", "_", ""}:
        encoded = f"%{ord(encoded[0]):02X}{encoded[1:]}" if encoded else "%"
    if len(encoded) > LONGEST_NAME:
        digest = hashlib.sha256(encoded.encode()).hexdigest()[:16]
        encoded = f"{encoded[: LONGEST_NAME - 17]}~{digest}"  # `~` is in no other name
    return encoded


def mentions_path(posts_path: str, nlp_version: str) -> str:
    """Return where the mentions of a posts file belong."""
    folder, name = posts_path.removesuffix(".parquet").split("/", 1)
    assert folder == "posts", posts_path
    return f"mentions/{name}@{quote(nlp_version, safe='')}.parquet"


def posts_path(path: str) -> str:
    """Return the posts file that a mentions file was made from."""
    return "posts/" + path.split("/", 1)[1].rsplit("@", 1)[0] + ".parquet"


def version_of(path: str) -> str:
    """Return the nlp_version that made a mentions file; empty for a file that is not named like one."""
    return unquote(path.rpartition("@")[2].removesuffix(".parquet")) if "@" in path else ""


def _partitions(table: str, batch: pa.RecordBatch) -> Iterator[tuple[str, pa.RecordBatch]]:
    """Yield each partition's folder and its rows, sorted by the table's clock."""
    if batch.num_rows == 0:
        return
    days = pc.strftime(batch.column(PARTITION_CLOCK[table]), format="%Y-%m-%d")
    folders = pc.binary_join_element_wise("date=", days, "")
    if "source" in batch.schema.names:
        sources = batch.column("source").to_pylist()
        encoded = {source: f"source={safe_name(source)}/" for source in set(sources)}
        folders = pc.binary_join_element_wise(pa.array([encoded[source] for source in sources]), folders, "")
    for folder in sorted(pc.unique(folders).to_pylist()):
        yield folder, batch.filter(pc.equal(folders, folder)).sort_by(SORT_CLOCK[table])


def _parquet(rows: pa.RecordBatch | pa.Table) -> bytes:
    """Return rows as a Parquet file; the same rows give the same bytes.

    The docs stay out: they are in the code, and would be most of a small file.
    """
    table = rows if isinstance(rows, pa.Table) else pa.Table.from_batches([rows])
    bare = pa.schema([field.remove_metadata() for field in table.schema])
    sink = pa.BufferOutputStream()
    pq.write_table(table.cast(bare), sink, compression="zstd", compression_level=3, row_group_size=ROWS_PER_GROUP)
    return sink.getvalue().to_pybytes()


def _is_data(info: pafs.FileInfo) -> bool:
    return info.path.endswith(".parquet") and not info.base_name.startswith((".", "_"))


def _first_line(error: BaseException) -> str:
    return str(error).splitlines()[0] if str(error) else type(error).__name__
