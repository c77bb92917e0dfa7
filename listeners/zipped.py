"""The lines of a text file that lies alone in a zip archive, unpacked while they are read, within bounds.

What an archive says of its sizes may be a lie, so the bytes are counted as they come (FAULTS 11: bombs).
"""

import io
import struct
import zipfile
import zlib
from collections.abc import Iterator

RATIO_FROM = 1_000_000  # unpacked bytes; below it the ratio of a bomb does no harm

_FAULTS = (
    zipfile.BadZipFile,
    zlib.error,
    struct.error,
    EOFError,
    ValueError,
    OSError,
    NotImplementedError,
    RuntimeError,
)


class BadArchive(Exception):
    """It is no zip archive of one file, is damaged, or unpacks to more than we take."""


def lines(body: bytes, *, at_most: int, ratio: float, longest: int) -> Iterator[bytes]:
    """Yield the lines without their ends. Of a line longer than `longest` bytes just so many are given.

    at_most: unpacked bytes; ratio: of unpacked to packed bytes. Raises BadArchive, at the end too: a file is whole only
    when all its lines were taken.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(body)) as archive:
            members = archive.infolist()
            if len(members) != 1:
                raise BadArchive(f"an archive of {len(members)} files, not of one")
            if members[0].compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
                raise BadArchive(f"packed by a method ({members[0].compress_type}) that is not zip's own")
            with archive.open(members[0]) as unpacked:
                taken, is_rest = 0, False
                while line := unpacked.readline(longest):
                    taken += len(line)
                    if taken > at_most or (taken > RATIO_FROM and taken > ratio * len(body)):
                        raise BadArchive(f"it unpacks to more than {taken - len(line):,} bytes")
                    if not is_rest:
                        yield line.rstrip(b"\r\n")
                    is_rest = not line.endswith(b"\n")
    except _FAULTS as error:
        raise BadArchive(f"{type(error).__name__}: {str(error)[:100]}") from error
