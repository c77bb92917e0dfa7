"""Whole files at relative paths, in a folder of this machine or in an object store.

Whoever reads meets whole files only: in a folder they are written under a temporary name and renamed; in an
object store they appear when they are complete. Temporary names begin with a dot and end with `.tmp`.
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
from typing import Self

import pyarrow as pa
import pyarrow.fs as pafs

ABANDONED_AFTER = timedelta(hours=1)  # no write takes this long: an older temporary file has no writer
LONGEST_PREFIX = 180  # bytes of a file's own name that a temporary name repeats; file systems allow 255 in all


class Storage:
    """One place for files. `folder` is None where it is no folder of this machine."""

    def __init__(self, location: str, filesystem: pafs.FileSystem, folder: Path | None) -> None:
        self.location = location
        self.folder = folder
        self.filesystem = filesystem

    @classmethod
    def open(cls, location: str) -> Self:
        """Return the storage at a folder or a URL (file://..., s3://bucket/prefix), made if it is not there.

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

    def paths(self, folder: str) -> list[str]:
        """Return the files under a folder, sorted; none where there is no such folder."""
        return sorted(info.path for info in self._files(folder))

    def written(self, folder: str) -> dict[str, tuple[int, int]]:
        """Return the files under a folder, sorted, with their bytes and when each was written (ns since 1970)."""
        return {info.path: (info.size, info.mtime_ns) for info in sorted(self._files(folder), key=_path)}

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

    def put(self, path: str, content: bytes, *, durable: bool = True) -> None:
        """Write a file; readers see the old one or the new one, whole. Raises OSError.

        durable: wait until it would outlive a power cut.
        """
        parent, name = str(PurePosixPath(path).parent), PurePosixPath(path).name
        self.filesystem.create_dir(parent, recursive=True)
        if self.folder is None:
            with self.filesystem.open_output_stream(path) as file:
                file.write(content)
            return
        temporary = self.folder / parent / f".{name[:LONGEST_PREFIX]}.{uuid.uuid4().hex}.tmp"
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
        removed = 0
        for path in paths:
            with contextlib.suppress(FileNotFoundError):
                self.filesystem.delete_file(path)
                removed += 1
        return removed

    def move(self, path: str, target: str) -> None:
        """Move a file. Raises FileNotFoundError where it is gone, and OSError.

        An object store copies it first: killed in between, both are there.
        """
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
        if self.folder is not None:
            path = self.folder / ".locks" / name
        else:
            here = hashlib.sha256(self.location.encode()).hexdigest()[:16]
            path = Path(tempfile.gettempdir()) / f"word-of-mouse-{os.getuid()}" / here / name
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("ab") as file:
            fcntl.flock(file, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
            yield  # closing the file lets go

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
