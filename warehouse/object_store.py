"""Whole files in an object store: s3://bucket/prefix, or another URL that pyarrow has a file system for.

A file is there once its upload is complete, and not before: no temporary file, no rename. A store has no folders, tells
times by its own clock and to the second, and takes tens of milliseconds for an answer, however many are asked at once.
It has no locks either: those of a lake hold between processes of one machine.

Keys, region and endpoint are told as everywhere: AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_REGION, AWS_ENDPOINT_URL
(or in the URL, ?scheme=http&endpoint_override=host:port), ~/.aws, or the role of the machine (Arrow's S3FileSystem).
"""

import contextlib
import hashlib
import os
import re
import tempfile
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from pathlib import Path
from typing import Self

import pyarrow as pa
import pyarrow.fs as pafs

from warehouse.storage import COARSE, Found, OutOfReach, Refused, Storage

SIDE_BY_SIDE = 16  # requests at a time
LARGEST_SKEW = 15 * 60 * 1_000_000_000  # nanoseconds: S3 refuses whoever's clock is further from its own
TAIL = 64 << 10  # bytes at the end of a file that hold the footer of all but very large ones
_KEY = "the key (AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, or what ~/.aws or this machine's role gives)"
_REFUSALS = (  # what Arrow says of an answer, and what to do; whatever is not here may pass
    (
        "NO_SUCH_BUCKET",
        "there is no such bucket: make it, or name another. AWS_ENDPOINT_URL says which store is asked, AWS if unset",
    ),
    ("INVALID_ACCESS_KEY_ID|INVALID_CLIENT_TOKEN_ID|UNRECOGNIZED_CLIENT", f"it does not know {_KEY}"),
    ("SIGNATURE_DOES_NOT_MATCH|INVALID_SIGNATURE|INCOMPLETE_SIGNATURE", f"{_KEY} does not go with its secret"),
    ("ExpiredToken|TokenRefresh|EXPIRED_TOKEN|MISSING_AUTHENTICATION_TOKEN", f"{_KEY} has expired: get a new one"),
    ("REQUEST_TIME_TOO_SKEWED|REQUEST_EXPIRED", "this machine's clock is wrong: set it"),
    ("PermanentRedirect|configured region", "the bucket is in another region: name it in AWS_REGION"),
    ("HTTP status 40[13]|ACCESS_DENIED", f"access is denied: {_KEY} has to let us list, read, write and delete"),
)


class ObjectStore(Storage):
    """One prefix of a bucket, with the methods of a Storage. They raise OutOfReach or Refused for what it answers."""

    @classmethod
    def open(cls, location: str) -> Self:
        """Return the storage at a URL; it is asked whether the bucket is there.

        Raises ValueError for a URL that pyarrow has no file system for, Refused where there is no such bucket or the
        key does not open it, OutOfReach where the store does not answer.
        """
        try:
            filesystem, path = pafs.FileSystem.from_uri(_at_once(location))
        except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
            raise ValueError(f"{shown(location)}: {_first_line(error)}") from error
        except OSError as error:
            raise OutOfReach(f"{shown(location)}: {_first_line(error)}") from error
        if not path.strip("/"):
            raise ValueError(f"{location}: it names no bucket, as s3://bucket/lake does")
        store = cls(location, pafs.SubTreeFileSystem(path, filesystem), None)
        with store._asking(), contextlib.suppress(FileNotFoundError):  # the first write makes it
            filesystem.get_file_info(pafs.FileSelector(path))
        return store

    def exists(self, path: str) -> bool:
        """Return whether there is a file."""
        with self._asking():
            return super().exists(path)

    def content(self, path: str) -> bytes | None:
        """Return a file's bytes; None if there is none."""
        with self._asking():
            return super().content(path)

    def opened(self, path: str) -> pa.NativeFile:
        """Return a file to read, all of it in memory: what can go wrong with it then is its own."""
        content = self.content(path)
        if content is None:
            raise FileNotFoundError(path)
        return pa.BufferReader(content)

    def footer(self, path: str) -> pa.NativeFile:
        """Return the end of a Parquet file, which holds its footer."""
        with self._asking(), self.filesystem.open_input_file(path) as file:
            size = file.size()
            end = file.read_at(min(size, TAIL), max(size - TAIL, 0))
            long = int.from_bytes(end[-8:-4], "little") + 8  # the footer's length stands behind it, and then PAR1
            if end[-4:] == b"PAR1" and len(end) < long <= size:
                end = file.read_at(long, size - long)
        return pa.BufferReader(end)

    def fetch(self, paths: Sequence[str], folder: Path) -> None:
        """Copy files to their paths in a folder of this machine; those that are gone are not there then."""
        with self._asking():
            super().fetch(paths, folder)

    def each(self, do: Callable[[str], Found], paths: Sequence[str]) -> list[Found]:
        """Return what becomes of each path, in their order; several are under way at a time."""
        if len(paths) < 2:
            return super().each(do, paths)
        with ThreadPoolExecutor(SIDE_BY_SIDE) as pool:
            return list(pool.map(do, paths))

    def put(self, path: str, content: bytes, *, durable: bool = True) -> None:
        """Write a file; readers see the old one or the new one, whole, and it is durable once it is there."""
        with self._asking(), self.filesystem.open_output_stream(path) as file:
            file.write(content)

    def remove(self, paths: Sequence[str]) -> int:
        """Remove files; return how many were there to remove."""
        with self._asking():
            return super().remove(paths)

    def move(self, path: str, target: str) -> None:
        """Move a file: it is copied first, so that both are there where this is killed in between.

        Raises FileNotFoundError where it is gone.
        """
        if not self.exists(path):
            raise FileNotFoundError(path)
        with self._asking():
            self.filesystem.move(path, target)

    def abandoned(self, now: datetime) -> list[str]:
        """Return no file: an upload that was not completed is none."""
        return []

    def _settled_before(self, began: int, written: Sequence[int]) -> int:
        # By the store's clock, which has come as far as the newest file, and is no further behind ours than it bears.
        return max(began - LARGEST_SKEW, *written, 0) - COARSE

    def _locks(self) -> Path:
        here = hashlib.sha256(self.filesystem.base_path.rstrip("/").encode()).hexdigest()[:16]
        return Path(tempfile.gettempdir()) / f"word-of-mouse-{os.getuid()}" / here

    def _files(self, folder: str) -> list[pafs.FileInfo]:
        # A missing bucket is no empty one: allow_not_found would take it for that.
        try:
            with self._asking():
                infos: list[pafs.FileInfo] = self.filesystem.get_file_info(pafs.FileSelector(folder, recursive=True))
        except FileNotFoundError:
            return []
        return [info for info in infos if info.type == pafs.FileType.File]

    @contextlib.contextmanager
    def _asking(self) -> Iterator[None]:
        """Raise what goes wrong with the store as it is told to a person; what the system says stays as it is."""
        try:
            yield
        except OSError as error:
            if error.errno is not None or isinstance(error, OutOfReach):
                raise
            raise _told(self.location, error) from error


def shown(location: str) -> str:
    """Return a URL without what stands behind its path."""
    return location.partition("?")[0]


def _told(location: str, error: OSError) -> OutOfReach:
    said = _first_line(error)
    for found, advice in _REFUSALS:
        if re.search(found, said):
            return Refused(f"{shown(location)}: {advice} ({said})")
    return OutOfReach(f"{shown(location)}: the store does not answer as it should; try again ({said})")


def _first_line(error: BaseException) -> str:
    line = re.sub(r" \(Request ID: [^)]*\)", "", str(error).partition("\n")[0])
    return re.sub("^When .*?: (?=AWS Error)", "", line)


def _at_once(location: str) -> str:
    """Return the URL that makes Arrow write a small file in one request rather than three."""
    if not location.startswith("s3://") or "allow_delayed_open" in location:
        return location
    return f"{location}{'&' if '?' in location else '?'}allow_delayed_open=true"
