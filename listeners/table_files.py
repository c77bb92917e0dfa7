"""Rows of tables that lie in files: CSV, JSON lines and Parquet, the first two packed with gzip or not.

Source: RFC 4180 and what spreadsheets make of it, jsonlines.org, parquet.apache.org (2026-11). A CSV file has its names
in the first row; charset and delimiter are found out: a byte order mark, UTF-8, else windows-1252; the delimiter under
which most of the wanted names stand in the first row. Files are read in batches, whatever their size.

A row that cannot be read says why and where; what is wrong with a whole file is raised: NotReadable, or Unfinished
where it ends in the middle of a row and somebody may still be writing it.
"""

import codecs
import csv
import difflib
import gzip
import hashlib
import io
import re
import zlib
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, cast

from listeners import json_text

CHUNK = 1_000_000  # bytes read at a time
LONGEST_LINE = 10_000_000  # characters; a longer one is no row of a table
MAX_UNPACKED = 2_000_000_000  # bytes of a packed file; what is beyond is not read
DELIMITERS = ",;\t|"

_KINDS = {".csv": "csv", ".tsv": "csv", ".jsonl": "jsonl", ".ndjson": "jsonl", ".parquet": "parquet"}
_BEYOND_ASCII = re.compile(r"[^\x00-\x7f]")


class NotReadable(Exception):
    """The file is not what it should be; the message says what it is, and what was expected."""


class Unfinished(Exception):
    """The file ends in the middle of something; the message says of what."""


@dataclass(frozen=True)
class Row:
    """One row. place: where it stands. cells: by column; where it cannot be read, what is there, and fault says why."""

    place: str
    cells: dict[str, Any]
    fault: str | None = None


def digest(path: Path, size: int) -> str:
    """Return the hash of the first so many bytes of a file, 16 hex digits. Raises OSError."""
    found = hashlib.sha256()
    with path.open("rb") as file:
        while size > 0 and (chunk := file.read(min(CHUNK, size))):
            found.update(chunk)
            size -= len(chunk)
    return found.hexdigest()[:16]


def is_appendable(path: Path) -> bool:
    """Return whether more at a file's end leaves the rows before as they are."""
    return _KINDS.get(path.suffix.lower()) in ("csv", "jsonl")


def batches(path: Path, wanted: Collection[str], size: int) -> Iterator[list[Row]]:
    """Yield the rows of a file, so many at a time, the wanted columns among their cells.

    Raises NotReadable, Unfinished or OSError, possibly after rows.
    """
    packed = path.suffix.lower() == ".gz"
    kind = _KINDS.get((path.with_suffix("") if packed else path).suffix.lower())
    if kind is None or (packed and kind == "parquet"):
        raise NotReadable(f"its name ends in none of {', '.join(_KINDS)} (the text files also with .gz)")
    if kind == "parquet":
        yield from _of_parquet(path, wanted, size)
        return
    try:
        if kind == "csv":
            yield from _batched(_of_csv(path, wanted, packed=packed), size)
            return
        for number, batch in enumerate(_batched(_of_json_lines(path, packed=packed), size)):
            if number == 0:
                _refuse_unknown(wanted, dict.fromkeys(name for row in batch for name in row.cells))
            yield batch
    except EOFError as error:
        raise Unfinished("the gzip stream ends early") from error
    except (gzip.BadGzipFile, zlib.error) as error:
        raise NotReadable(f"not a gzip file: {error}") from error


def _batched(rows: Iterator[Row], size: int) -> Iterator[list[Row]]:
    """The rows so many at a time; those before a fault come before it is raised."""
    batch: list[Row] = []
    fault: Exception | None = None
    try:
        for row in rows:
            batch.append(row)
            if len(batch) == size:
                yield batch
                batch = []
    except (NotReadable, Unfinished, EOFError, OSError, zlib.error) as error:
        fault = error
    if batch:
        yield batch
    if fault is not None:
        raise fault


def _of_csv(path: Path, wanted: Collection[str], *, packed: bool) -> Iterator[Row]:
    """The rows of a CSV file below the first, which holds the names."""
    charset = _charset(path, packed=packed)
    delimiter, names = _header(path, charset, wanted, packed=packed)
    if not names:
        return
    _refuse_unknown(wanted, names)
    ended = True  # whether the text read so far ends with the end of a line

    def lines() -> Iterator[str]:
        nonlocal ended
        while line := text.readline(LONGEST_LINE):
            ended = line.endswith(("\n", "\r"))
            yield line

    with _text(path, charset, packed=packed, newline="") as text:
        reader = csv.reader(lines(), delimiter=delimiter)
        last: Row | None = None
        below_names = False
        while True:
            begins = reader.line_num + 1
            try:
                values, fault = next(reader, None), None
            except csv.Error as error:  # it goes on with the next line
                values, fault = [""], str(error)
            if values is None:
                break
            if not any(values) and fault is None:  # a blank line
                continue
            if not below_names:
                below_names = True
                continue
            if last is not None:
                yield last
            if fault is None and len(values) != len(names):
                fault = f"{len(values)} fields where the first row has {len(names)}"
            last = Row(f"line {begins}", dict(zip(names, values, strict=False)), fault)
    if last is not None and last.fault and not ended:
        raise Unfinished(f"{last.place} is cut off, or a quote is not closed")
    if last is not None:
        yield last


def _header(path: Path, charset: str, wanted: Collection[str], *, packed: bool) -> tuple[str, list[str]]:
    """The delimiter, and the names in the first row that is not blank; no names if there is none."""
    with _text(path, charset, packed=packed, newline="") as text:
        start = text.read(CHUNK)
    best: tuple[str, list[str]] = (",", [])
    for delimiter in DELIMITERS:
        try:
            first = next(filter(any, csv.reader(io.StringIO(start, newline=""), delimiter=delimiter)), [])
        except csv.Error:
            continue
        names = [name.strip() for name in first]
        if _fits(names, wanted) > _fits(best[1], wanted):
            best = (delimiter, names)
    return best


def _fits(names: list[str], wanted: Collection[str]) -> tuple[int, int]:
    return len(set(names) & set(wanted)), len(names)


def _of_json_lines(path: Path, *, packed: bool) -> Iterator[Row]:
    """The objects of a file with one a line; blank lines do not count."""
    number = 0
    with _text(path, _charset(path, packed=packed), packed=packed, newline="\n") as text:
        while line := text.readline(LONGEST_LINE):
            number += 1
            place, ended = f"line {number}", line.endswith("\n")
            if not ended and len(line) == LONGEST_LINE:
                while (rest := text.readline(LONGEST_LINE)) and not rest.endswith("\n"):
                    pass
                yield Row(place, {}, f"it is longer than {LONGEST_LINE:,} characters")
                continue
            if not line.strip():
                continue
            try:
                value = json_text.parse(line)
            except (ValueError, RecursionError) as error:
                if not ended:
                    raise Unfinished(f"{place} is cut off") from error
                yield Row(place, {"": line[:1000]}, f"not JSON ({str(error)[:100]})")
                continue
            if isinstance(value, dict):
                yield Row(place, value)
            else:
                yield Row(place, {"": value}, f"{type(value).__name__} where an object is due")


def _of_parquet(path: Path, wanted: Collection[str], size: int) -> Iterator[list[Row]]:
    """The rows of a Parquet file; its row groups are read one by one."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    with path.open("rb") as file:
        start = file.read(4)
        file.seek(0, io.SEEK_END)
        file.seek(max(0, file.tell() - 4))
        end = file.read(4)
    if start and start != b"PAR1":
        raise NotReadable(f"not a Parquet file: it starts {start!r}")
    if end != b"PAR1":
        raise Unfinished("its footer is missing")
    try:
        with pq.ParquetFile(path) as table:
            _refuse_unknown(wanted, table.schema_arrow.names)
            number = 0
            for batch in table.iter_batches(size, columns=sorted(set(wanted))):
                rows = _to_microseconds(pa.Table.from_batches([batch])).to_pylist()
                yield [Row(f"row {number + place}", cells) for place, cells in enumerate(rows, 1)]
                number += len(rows)
    except (pa.ArrowException, ValueError, OSError) as error:
        raise NotReadable(f"not a Parquet file that can be read: {str(error)[:200]}") from error


def _to_microseconds(table: Any) -> Any:
    """A table whose times Python's own can hold."""
    import pyarrow as pa

    for place, field in enumerate(table.schema):
        if pa.types.is_timestamp(field.type) and field.type.unit == "ns":
            times = table.column(place).cast(pa.timestamp("us", field.type.tz), safe=False)
            table = table.set_column(place, field.name, times)
    return table


def _refuse_unknown(wanted: Collection[str], names: Collection[str]) -> None:
    """Raise NotReadable where a wanted column is not among the names."""
    missing = [name for name in dict.fromkeys(wanted) if name not in names]
    if missing:
        close = difflib.get_close_matches(missing[0], list(names), n=1)
        meant = f" (did you mean {close[0]!r}?)" if close else ""
        shown = ", ".join(list(names)[:30]) + (", ..." if len(names) > 30 else "")
        raise NotReadable(f"no column {missing[0]!r}{meant}; there are {shown or 'none'}")


class _Unpacked(io.RawIOBase):
    """What a gzip file unpacks to, up to MAX_UNPACKED."""

    def __init__(self, path: Path) -> None:
        self._file = gzip.open(path)  # noqa: SIM115 closed below
        self._left = MAX_UNPACKED

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        data = self._file.read(len(buffer))
        self._left -= len(data)
        if self._left < 0:
            raise NotReadable(f"it unpacks to more than {MAX_UNPACKED:,} bytes")
        buffer[: len(data)] = data
        return len(data)

    def close(self) -> None:
        self._file.close()
        super().close()


def _bytes(path: Path, *, packed: bool) -> IO[bytes]:
    return cast(IO[bytes], io.BufferedReader(_Unpacked(path), CHUNK)) if packed else path.open("rb")


def _text(path: Path, charset: str, *, packed: bool, newline: str) -> io.TextIOWrapper:
    return io.TextIOWrapper(_bytes(path, packed=packed), encoding=charset, errors="replace", newline=newline)


def _charset(path: Path, *, packed: bool) -> str:
    """The codec of a text file. One bad byte does not make UTF-8 something else."""
    with _bytes(path, packed=packed) as file:
        start = file.read(1000)
        if start.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
            return "utf-16"
        if start[1::2].count(0) > len(start) // 4:  # every other byte of ASCII
            return "utf-16-le"
        if start[::2].count(0) > len(start) // 4:
            return "utf-16-be"
        decoder = codecs.getincrementaldecoder("utf-8")("replace")
        beyond = bad = 0
        for chunk in _and_the_rest(start, file):
            text = decoder.decode(chunk)
            if not text.isascii():
                beyond += len(_BEYOND_ASCII.findall(text))
                bad += text.count("\ufffd")
    return "cp1252" if bad * 2 > beyond else "utf-8-sig"


def _and_the_rest(start: bytes, file: IO[bytes]) -> Iterable[bytes]:
    yield start
    while True:
        try:
            chunk = file.read(CHUNK)
        except (EOFError, NotReadable, gzip.BadGzipFile, zlib.error):  # told when its rows are read
            return
        if not chunk:
            return
        yield chunk
