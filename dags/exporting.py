"""The answer to a query as a CSV or Parquet file, batch by batch: it may be larger than memory."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.csv as arrow_csv
import pyarrow.parquet as pq
import pyarrow.types as kinds

from dags.cli_output import jsonable
from dags.settings import SettingsError
from dags.summary import distinct, recast, refuse_unanswerable
from warehouse.tables import UTC_TIME

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

ROWS_A_BATCH = 122_880  # DuckDB's own row group
_NO_TYPE_OF_FILES = {"INTERVAL", "BIT", "TIME WITH TIME ZONE"}  # that keeps what they say
_NO_TYPE_OF_CSV = (kinds.is_nested, kinds.is_binary)

Write = Callable[[pa.RecordBatch], None]


def export(database: "DuckDBPyConnection", query: str, *, csv: Path | None = None, parquet: Path | None = None) -> int:
    """Write what one query gives to these files, which appear when they are whole; return how many rows.

    Types stay as they are in Parquet, but for intervals, which are DuckDB's text for them; in CSV lists, structs and
    maps are JSON, NULL is nothing and an empty text "". Times with a zone are UTC.
    Raises SettingsError for a wrong query, and where a file cannot be written.
    """
    import duckdb

    if csv and csv == parquet:
        raise SettingsError(f"--csv and --parquet name the same file: {csv}")
    refuse_unanswerable(database, query)
    rows = 0
    try:
        relation = database.sql(query)
        if relation is None:
            raise SettingsError("this gives no rows to write: a SELECT does")
        names = distinct(relation.columns)
        reader = recast(relation, _as_text).to_arrow_reader(ROWS_A_BATCH)
        with _written(csv, "--csv", _csv) as as_csv, _written(parquet, "--parquet", _parquet) as as_parquet:
            empty = pa.RecordBatch.from_arrays([pa.array([], field.type) for field in reader.schema], names=names)
            for batch in _and_then(empty, reader):
                known = pa.RecordBatch.from_arrays([_plain(column) for column in batch.columns], names=names)
                as_csv(known)
                as_parquet(known)
                rows += known.num_rows
    except duckdb.Error as error:
        raise SettingsError(f"DuckDB: {error}") from error
    return rows


def _and_then(first: pa.RecordBatch, rest: pa.RecordBatchReader) -> Iterator[pa.RecordBatch]:
    yield first  # so that an answer of no rows has its columns too
    yield from rest


@contextmanager
def _written(target: Path | None, option: str, writer: Callable[[IO[bytes], pa.Schema], Any]) -> Iterator[Write]:
    """Give what takes batches for a file; for no file, what does nothing with them."""
    if target is None:
        yield lambda batch: None
        return
    temporary = target.with_name(f".{target.name}.tmp")
    writers: list[Any] = []
    try:
        with temporary.open("wb") as file:

            def write(batch: pa.RecordBatch) -> None:
                batch = _flat(batch) if writer is _csv else batch
                if not writers:
                    writers.append(writer(file, batch.schema))
                writers[0].write_batch(batch)

            yield write
            for opened in writers:
                opened.close()
        temporary.replace(target)
    except OSError as error:
        raise SettingsError(f"{option} {target}: {error.strerror or error}") from error
    finally:
        temporary.unlink(missing_ok=True)


def _csv(file: IO[bytes], schema: pa.Schema) -> arrow_csv.CSVWriter:
    return arrow_csv.CSVWriter(file, schema)


def _parquet(file: IO[bytes], schema: pa.Schema) -> pq.ParquetWriter:
    return pq.ParquetWriter(file, schema, compression="zstd")


def _as_text(type_: str, column: str) -> str | None:
    return f"CAST({column} AS VARCHAR)" if type_ in _NO_TYPE_OF_FILES else None


def _plain(column: pa.Array) -> pa.Array:
    """Return a column in a type that files have: no enums, one zone."""
    if kinds.is_dictionary(column.type):
        return column.dictionary_decode()
    if kinds.is_timestamp(column.type) and column.type.tz:
        return column.cast(UTC_TIME)
    return column


def _flat(batch: pa.RecordBatch) -> pa.RecordBatch:
    columns = [
        pa.array([None if one is None else _one_cell(one) for one in column.to_pylist()], pa.string())
        if any(is_kind(column.type) for is_kind in _NO_TYPE_OF_CSV)
        else column
        for column in batch.columns
    ]
    return pa.RecordBatch.from_arrays(columns, names=batch.schema.names)


def _one_cell(value: Any) -> str:
    return value.hex() if isinstance(value, bytes) else json.dumps(jsonable(value), ensure_ascii=False)
