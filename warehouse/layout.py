"""How the lake's tables lie in folders: from a table, a source, a day and a name to a path, and back.

    <table>/source=<source>/date=<date>/<name>.parquet     posts, mentions, visits, rejects
    <table>/date=<date>/<name>.parquet                     alerts, corrections, erasures
    state/<name>                                           small documents, such as feed cursors

The date is the UTC day of our clock: fetched_at of posts, and of whatever else the day it happened. A mentions
file lies in the partition of the posts file it was made from, as `<posts file>@<nlp_version>.parquet`; one
without rows says "read, and no brand named". Names of sources, files and states are percent-encoded, so any
text may be one. Names that begin with a dot or an underscore are no data.
"""

import hashlib
from collections.abc import Iterable, Iterator
from datetime import date
from pathlib import PurePosixPath
from typing import Any
from urllib.parse import quote, unquote

import pyarrow as pa
import pyarrow.compute

from warehouse import tables

pc: Any = pyarrow.compute  # its functions are made at import, where no type checker sees them

PARTITION_CLOCK = {
    "posts": "fetched_at",
    "mentions": "fetched_at",
    "visits": "started_at",
    "rejects": "rejected_at",
    "alerts": "at",
    "corrections": "at",
    "erasures": "at",
}
SORT_CLOCK = PARTITION_CLOCK | {"posts": "published_at", "mentions": "published_at"}
LONGEST_NAME = 180  # bytes; file systems allow 255, and a mentions file carries its nlp_version too


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


def state_path(name: str) -> str:
    """Return where a document of this name lies."""
    return f"state/{safe_name(name)}"


def by_path(batch: pa.RecordBatch, schema: pa.Schema, name: str) -> Iterator[tuple[str, pa.RecordBatch]]:
    """Yield the path of each file that a batch becomes, one per source and day, and its rows sorted by their clock."""
    if batch.num_rows == 0:
        return
    table = tables.name_of(schema)
    folders = folders_of(batch, table)
    for folder in sorted(pc.unique(folders).to_pylist()):
        rows = batch.filter(pc.equal(folders, folder)).sort_by(SORT_CLOCK[table])
        yield f"{folder}/{safe_name(name)}.parquet", rows


def folders_of(batch: pa.RecordBatch, table: str) -> pa.Array:
    """Return the folder that each row of a table belongs in."""
    days = pc.strftime(batch.column(PARTITION_CLOCK[table]), format="%Y-%m-%d")
    if "source" not in batch.schema.names:
        return pc.binary_join_element_wise(f"{table}/", "date=", days, "")
    sources = batch.column("source").to_pylist()
    encoded = {source: f"source={safe_name(source)}" for source in set(sources)}
    of_source = pa.array([encoded[source] for source in sources], pa.string())
    return pc.binary_join_element_wise(f"{table}/", of_source, "/date=", days, "")


def source_folder(table: str, source: str) -> str:
    """Return how the paths of a source's files of a table begin."""
    return f"{table}/source={safe_name(source)}/"


def table_of(path: str) -> str:
    """Return the table a file belongs to."""
    return path.split("/", 1)[0]


def is_data(path: str) -> bool:
    """Return whether a path is that of a table's file, not of something temporary or foreign."""
    return path.endswith(".parquet") and not PurePosixPath(path).name.startswith((".", "_"))


def source_of(path: str) -> str | None:
    """Return the source whose rows a file holds; None for files of no single source."""
    folder = path.split("/")[1]
    return unquote(folder.removeprefix("source=")) if folder.startswith("source=") else None


def day_of(path: str) -> date | None:
    """Return the day, UTC, whose rows a file holds; None for a file that lies where none of its table belongs."""
    table, *folders, _ = path.split("/")
    is_by_source = "source" in tables.TABLES[table].names
    if len(folders) != 1 + is_by_source or not folders[-1].startswith("date="):
        return None
    if is_by_source and not folders[0].startswith("source="):
        return None
    try:
        return date.fromisoformat(folders[-1].removeprefix("date="))
    except ValueError:
        return None


def mentions_path(posts_path: str, nlp_version: str) -> str:
    """Return where the mentions of a posts file belong."""
    folder, name = posts_path.removesuffix(".parquet").split("/", 1)
    assert folder == "posts", posts_path
    return f"mentions/{name}@{quote(nlp_version, safe='')}.parquet"


def unread(posts: Iterable[str], mentions: Iterable[str], nlp_version: str) -> list[str]:
    """Return the posts files, in their order, that have no mentions file of this nlp_version among these."""
    done = set(mentions)
    return [path for path in posts if mentions_path(path, nlp_version) not in done]


def posts_path(path: str) -> str:
    """Return the posts file that a mentions file was made from."""
    return "posts/" + path.split("/", 1)[1].rsplit("@", 1)[0] + ".parquet"


def version_of(path: str) -> str:
    """Return the nlp_version that made a mentions file; empty for a file that is not named like one."""
    return unquote(path.rpartition("@")[2].removesuffix(".parquet")) if "@" in path else ""


def rewritten_path(path: str) -> str:
    """Return where a posts file goes that is written anew without some rows: the same file, the same place."""
    digest = hashlib.sha256(path.encode()).hexdigest()[:16]
    return f"{PurePosixPath(path).parent}/rewritten-{digest}.parquet"
