"""Whole files at relative paths in a folder of this machine; object_store.py keeps them elsewhere.

Whoever reads meets whole files only: they are written under a temporary name and renamed. Temporary names begin with a
dot and end with `.tmp`.
"""

import contextlib
import fcntl
import os
import shutil
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path, PurePosixPath
from typing import NamedTuple, Self, TypeVar

import pyarrow as pa
import pyarrow.fs as pafs

ABANDONED_AFTER = timedelta(hours=1)  # no write takes this long: an older temporary file has no writer
LONGEST_PREFIX = 180  # bytes of a file's own name that a temporary name repeats; file systems allow 255 in all
COARSE, FINE = 2_000_000_000, 50_000_000  # nanoseconds in which two writes may bear the same time: of file systems that
# count whole seconds, and of the others
A_PIECE = 16 << 20  # bytes of a file that are held while it is copied

Found = TypeVar("Found")


class OutOfReach(OSError):
    """The place where the files are does not answer, or not us: no file is to blame. A retry may help later."""


class Refused(OutOfReach):
    """It answers, and refuses: what it was told (a key, a bucket) has to be put right before a retry helps."""


class Listing(NamedTuple):
    """Files by path, each with its bytes and when it was written (ns since 1970).

    settled_before: a file that was written earlier would look different if it were written over. Times are told only so
    finely: one that was written a moment before it was listed may be written over within that moment and look the same.
    """

    files: dict[str, tuple[int, int]]
    settled_before: int


class Storage:
    """One place for files. `folder` is None where it is no folder of this machine."""

    def __init__(self, location: str, filesystem: pafs.FileSystem, folder: Path | None) -> None:
        self.location = location
        self.folder = folder
        self.filesystem = filesystem

    @classmethod
    def open(cls, location: str) -> Self:
        """Return the storage at a folder or a file:// URL, made if it is not there. Raises ValueError or OSError."""
        if "://" in location:
            filesystem, path = pafs.FileSystem.from_uri(location)
        else:
            filesystem, path = pafs.LocalFileSystem(), str(Path(location).absolute())
        filesystem.create_dir(path, recursive=True)
        return cls(location, pafs.SubTreeFileSystem(path, filesystem), Path(path))

    def paths(self, folder: str) -> list[str]:
        """Return the files under a folder, sorted; none where there is no such folder."""
        return sorted(info.path for info in self._files(folder))

    def listing(self, folder: str) -> Listing:
        """Return the files under a folder, sorted, with what tells whether they were written over since."""
        began = time.time_ns()
        files = {info.path: (info.size, info.mtime_ns) for info in sorted(self._files(folder), key=_path)}
        return Listing(files, self._settled_before(began, [written for _, written in files.values()]))

    def exists(self, path: str) -> bool:
        """Return whether there is a file."""
        return self.filesystem.get_file_info(path).type == pafs.FileType.File

    def content(self, path: str) -> bytes | None:
        """Return a file's bytes; None if there is none."""
        try:
            with self.filesystem.open_input_stream(path) as file:
                return file.read()
        except FileNotFoundError:
            return None

    def opened(self, path: str) -> pa.NativeFile:
        """Return a file to read. Raises FileNotFoundError where it is gone, and OSError."""
        return self.filesystem.open_input_file(path)

    def footer(self, path: str) -> pa.NativeFile:
        """Return at least the footer of a Parquet file, to read what it is. Raises as `opened` does."""
        return self.opened(path)

    def fetch(self, paths: Sequence[str], folder: Path) -> None:
        """Copy files to their paths in a folder of this machine; those that are gone are not there then."""

        def copy(path: str) -> None:
            target = folder / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.unlink(missing_ok=True)
            with (
                contextlib.suppress(FileNotFoundError),
                self.filesystem.open_input_stream(path) as source,
                target.open("wb") as file,
            ):
                shutil.copyfileobj(source, file, A_PIECE)

        self.each(copy, paths)

    def each(self, do: Callable[[str], Found], paths: Sequence[str]) -> list[Found]:
        """Return what becomes of each path, in their order."""
        return [do(path) for path in paths]

    def put(self, path: str, content: bytes, *, durable: bool = True) -> None:
        """Write a file; readers see the old one or the new one, whole. Raises OSError.

        durable: wait until it would outlive a power cut.
        """
        assert self.folder is not None
        parent, name = PurePosixPath(path).parent, PurePosixPath(path).name
        temporary = self.folder / parent / f".{name[:LONGEST_PREFIX]}.{uuid.uuid4().hex}.tmp"
        temporary.parent.mkdir(parents=True, exist_ok=True)
        try:
            with temporary.open("wb") as file:
                file.write(content)
                if durable:
                    file.flush()
                    os.fsync(file.fileno())  # else a power cut may keep the cursor, written later, and lose the posts
            temporary.replace(self.folder / path)
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise

    def remove(self, paths: Sequence[str]) -> int:
        """Remove files; return how many were there to remove."""

        def remove(path: str) -> bool:
            try:
                self.filesystem.delete_file(path)
            except FileNotFoundError:
                return False
            return True

        return sum(self.each(remove, paths))

    def move(self, path: str, target: str) -> None:
        """Move a file. Raises FileNotFoundError where it is gone, and OSError."""
        self.filesystem.create_dir(str(PurePosixPath(target).parent), recursive=True)
        self.filesystem.move(path, target)

    def abandoned(self, now: datetime) -> list[str]:
        """Return temporary files that nobody writes any more, sorted."""
        files = self._files("")
        return sorted(info.path for info in files if _is_temporary(info) and now - _written(info) > ABANDONED_AFTER)

    @contextlib.contextmanager
    def flock(self, name: str, *, wait: bool) -> Iterator[None]:
        """Hold a file name that one process of this machine can hold at a time; a killed process lets go of it.

        Raises BlockingIOError where it is held and wait is False.
        """
        path = self._locks() / name
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("ab") as file:
            fcntl.flock(file, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
            yield  # closing the file lets go

    def _settled_before(self, began: int, written: Sequence[int]) -> int:
        return began - (FINE if any(at % 1_000_000_000 for at in written) else COARSE)

    def _locks(self) -> Path:
        assert self.folder is not None
        return self.folder / ".locks"

    def _files(self, folder: str) -> list[pafs.FileInfo]:
        selector = pafs.FileSelector(folder, recursive=True, allow_not_found=True)
        infos: list[pafs.FileInfo] = self.filesystem.get_file_info(selector)
        return [info for info in infos if info.type == pafs.FileType.File]


def _path(info: pafs.FileInfo) -> str:
    return info.path


def _is_temporary(info: pafs.FileInfo) -> bool:
    return info.base_name.startswith(".") and info.base_name.endswith(".tmp")


def _written(info: pafs.FileInfo) -> datetime:
    return info.mtime if info.mtime.tzinfo else info.mtime.replace(tzinfo=UTC)
