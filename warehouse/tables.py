"""The contract: every table of the lake as an Arrow schema, with its grain, its key and a doc per column.

A stage hands rows to the next one only through `conform`, so a batch that breaks the contract stops
where it was made. The docs below become the comments on tables and columns of the DuckDB file.

A key tells what is the same row: visits overlap and merges may die half-way, so the lake may hold a row more than
once, and readers (the snapshot) take one of each key.

Times are UTC with microseconds. Texts hold no NUL and no lone surrogate (listeners clean them).
"""

import functools
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.compute

pc: Any = pyarrow.compute  # its functions are made at import, where no type checker sees them

UTC_TIME = pa.timestamp("us", tz="UTC")
CLOCK_SKEW = timedelta(minutes=2)  # a source's clock may run this far ahead of ours, and ours behind it

OUTCOMES = ("new", "unchanged", "empty", "blocked", "failed", "gone", "capped")
MATCHED_AS = ("alias", "handle", "hashtag", "domain", "feed")
ALERT_EVENTS = (
    "opened", "grew", "quieted", "reopened", "resolved",  # what became of it
    "acknowledged", "snoozed", "dismissed",  # what people say of it, as they may say resolved; dismissed: it was none
    "notified", "escalated", "undelivered",  # who was told
)  # fmt: skip
CORRECTABLE = (  # columns of mentions that a person may put right
    "certainty", "sentiment", "emotion", "experience", "intents", "switched_from", "switched_to", "switch_status",
    "stage", "staff", "aspects",
)  # fmt: skip


class Column(NamedTuple):
    """One column: its Arrow type, what it holds, and whether a row may lack it."""

    type: pa.DataType
    doc: str
    required: bool = False


def table(name: str, *, grain: str, key: Sequence[str], columns: Mapping[str, Column]) -> pa.Schema:
    """Return the schema that carries a table's name, grain, key and column docs as metadata."""
    fields = [
        pa.field(column_name, column.type, nullable=not column.required, metadata={"doc": column.doc})
        for column_name, column in columns.items()
    ]
    return pa.schema(fields, metadata={"table": name, "grain": grain, "key": ",".join(key)})


POSTS = table(
    "posts",
    grain="one row per reading of a post that differed from the reading before it; append-only",
    key=("post_id", "version", "fetched_at"),
    columns={
        "post_id": Column(pa.string(), "ours, opaque; the same post read by two feeds has one id", True),
        "version": Column(
            pa.string(), "hash of title and text, less what pages change by themselves, and of deleted", True
        ),
        "feed": Column(pa.string(), "id of the feed in listening.toml that brought it", True),
        "source": Column(pa.string(), "the feed's kind: rss, hackernews, mastodon, ...", True),
        "kind": Column(pa.string(), "post, comment, review, article, video or question", True),
        "url": Column(pa.string(), "where a person can read it; NULL where the source gives no address"),
        "title": Column(pa.string(), "plain text; NULL where the source has no titles"),
        "text": Column(pa.string(), "plain text as a reader sees it, links kept; empty if there is only a title", True),
        "language": Column(pa.string(), "as the source declares it (BCP 47, lower case); NULL if it says nothing"),
        "author": Column(pa.string(), "pseudonym: keyed hash of network and account; NULL if the source names none"),
        "author_followers": Column(pa.int64(), "followers when fetched; NULL if unknown"),
        "published_at": Column(UTC_TIME, "the source's clock, at most fetched_at + 2 min; fetched_at if undated", True),
        "published_raw": Column(
            pa.string(),
            "what the source told for published_at where that is not believed (a time of the future or of 1970, words "
            "that are no date); empty if it told nothing; NULL if it is believed",
        ),
        "edited_at": Column(UTC_TIME, "the source's clock; NULL if never edited or not told"),
        "fetched_at": Column(UTC_TIME, "our clock, when the visit began", True),
        "deleted": Column(pa.bool_(), "a tombstone: the author or the source took it down; text is empty", True),
        "parent_id": Column(pa.string(), "post_id of what this answers; NULL if it starts a thread"),
        "root_id": Column(pa.string(), "post_id of the thread's first post; NULL if it is the first, or not told"),
        "quoted_id": Column(pa.string(), "post_id of what this quotes or shares; NULL if nothing"),
        "likes": Column(pa.int64(), "likes, points or favourites when fetched; NULL if not told"),
        "replies": Column(pa.int64(), "answers when fetched; NULL if not told"),
        "shares": Column(pa.int64(), "boosts or reposts when fetched; NULL if not told"),
        "views": Column(pa.int64(), "views when fetched; NULL if not told"),
        "rating": Column(pa.float64(), "a review's stars from 0 (worst) to 1 (best); NULL if it is no review"),
        "consent": Column(pa.string(), "opted_in or none_stated; refusals are never stored", True),
    },
)

_LABELLED_SPAN = pa.struct({"text": pa.string(), "label": pa.string(), "start": pa.int32(), "end": pa.int32()})
_ASPECT = pa.struct({"aspect": pa.string(), "sentiment": pa.int8(), "start": pa.int32(), "end": pa.int32()})

MENTIONS = table(
    "mentions",
    grain="one row per post, version and brand it names, as one nlp_version understood it",
    key=("post_id", "version", "brand", "nlp_version"),
    columns={
        "post_id": Column(pa.string(), "the post", True),
        "version": Column(pa.string(), "the post's version that was read", True),
        "brand": Column(pa.string(), "name of the brand in listening.toml", True),
        "source": Column(pa.string(), "the post's source", True),
        "published_at": Column(UTC_TIME, "the post's time", True),
        "fetched_at": Column(UTC_TIME, "when the post was fetched", True),
        "matched_text": Column(pa.string(), "the words that name the brand; NULL where only the feed tells"),
        "matched_as": Column(
            pa.string(), "alias, handle, hashtag, domain (a link) or feed (it is about the brand)", True
        ),
        "certainty": Column(pa.float64(), "probability, 0 to 1, that the words mean the company or its product", True),
        "p_negative": Column(pa.float64(), "probability that the writer speaks against it; NULL if not judged"),
        "p_neutral": Column(pa.float64(), "probability that the writer takes no side; NULL if not judged"),
        "p_positive": Column(pa.float64(), "probability that the writer speaks for the brand; NULL if not judged"),
        "sentiment": Column(pa.int8(), "-1 against the brand, 0 neither, 1 for; NULL if language not covered"),
        "emotion": Column(pa.string(), "the writer's strongest; NULL if not judged"),
        "experience": Column(pa.string(), "first_hand, second_hand, opinion or unknown: how the writer knows", True),
        "intents": Column(pa.list_(pa.string()), "complain, praise, recommend, warn_off, ...; NULL if not judged"),
        "switched_from": Column(pa.string(), "the brand left; NULL if no switch is told or that side is unnamed"),
        "switched_to": Column(pa.string(), "the brand joined; NULL if no switch is told or that side is unnamed"),
        "switch_status": Column(pa.string(), "considered, done or returned; NULL if no switch is told"),
        "stage": Column(pa.string(), "of the customer's journey: aware ... return, or unknown", True),
        "staff": Column(pa.string(), "actor, victim or both; NULL if staff play no part or it was not judged"),
        "aspects": Column(pa.list_(_ASPECT), "what pleases or annoys; offsets into text; NULL if not judged"),
        "entities": Column(pa.list_(_LABELLED_SPAN), "named entities, BRAND among them; offsets into text", True),
        "language": Column(pa.string(), "detected (ISO 639-1); NULL if it cannot be told"),
        "signature": Column(pa.binary(), "MinHash of title and text, 64 bytes; NULL if too short to tell a story by"),
        "nlp_version": Column(pa.string(), "rules, models and brands that made this row", True),
    },
)

VISITS = table(
    "visits",
    grain="one row per attempt to read one feed; append-only",
    key=("feed", "started_at"),
    columns={
        "feed": Column(pa.string(), "id of the feed in listening.toml", True),
        "source": Column(pa.string(), "the feed's kind", True),
        "started_at": Column(UTC_TIME, "our clock", True),
        "finished_at": Column(UTC_TIME, "our clock", True),
        "outcome": Column(pa.string(), "new, unchanged, empty, blocked, failed, gone or capped", True),
        "posts": Column(pa.int64(), "rows stored in posts", True),
        "left_out": Column(pa.map_(pa.string(), pa.int64()), "posts read but not stored, counted by reason", True),
        "requests": Column(pa.int64(), "HTTP requests sent, retries and redirects among them", True),
        "bytes": Column(pa.int64(), "decoded body bytes received", True),
        "error": Column(pa.string(), "what went wrong, for a person; NULL if nothing did"),
        "next_visit_at": Column(UTC_TIME, "when the schedule visits it again; NULL if not planned, as in a backfill"),
        "waiting_for": Column(pa.string(), "why the next visit is later than usual, for a person; NULL if it is not"),
        "failing_since": Column(UTC_TIME, "when the first of its failures in a row began; NULL if it answered"),
        "notes": Column(
            pa.map_(pa.string(), pa.int64()),
            "what was put right in what it sent, or is doubted, counted by kind; NULL if nothing",
        ),
    },
)

REJECTS = table(
    "rejects",
    grain="one row per item a feed sent that could not become a post; append-only",
    key=("feed", "item_hash", "rejected_at"),
    columns={
        "feed": Column(pa.string(), "id of the feed in listening.toml", True),
        "source": Column(pa.string(), "the feed's kind", True),
        "reason": Column(pa.string(), "what was expected and what was found", True),
        "item_hash": Column(pa.string(), "SHA-256 of the item as received", True),
        "excerpt": Column(pa.string(), "its first 200 characters", True),
        "rejected_at": Column(UTC_TIME, "our clock, when the visit began", True),
    },
)

ALERTS = table(
    "alerts",
    grain="one row per event in the life of an alert; append-only",
    key=("alert_id", "event", "at", "by"),
    columns={
        "alert_id": Column(pa.string(), "ours, opaque: the incident", True),
        "brand": Column(pa.string(), "whose", True),
        "kind": Column(pa.string(), "of what; NULL, as in rows of old: a negative spike"),
        "aspect": Column(pa.string(), "NULL: an incident is of a brand, and its evidence tells what it is about"),
        "event": Column(
            pa.string(),
            "opened, grew, quieted, reopened, resolved, acknowledged, snoozed, dismissed, notified, escalated or "
            "undelivered",
            True,
        ),
        "at": Column(UTC_TIME, "our clock; of one incident's events never before the one before", True),
        "by": Column(pa.string(), "who did it: `watch`, a person, or the person, address or channel told", True),
        "evidence": Column(
            pa.string(),
            "JSON: of opened, grew and reopened what was observed and expected, since when, of what, and quotes; of "
            "the others a note or reason, and until when it is snoozed",
            True,
        ),
    },
)

CORRECTIONS = table(
    "corrections",
    grain="one row per time a person put a column of a mention right, or took that back; append-only",
    key=("post_id", "brand", "column", "at", "by"),
    columns={
        "post_id": Column(pa.string(), "the post, in whatever version and of whatever nlp_version", True),
        "brand": Column(pa.string(), "the mention's brand", True),
        "column": Column(pa.string(), "of mentions: certainty, sentiment, ... or aspects", True),
        "value": Column(pa.string(), "JSON of what is right, `null` for none; NULL takes back what was said before"),
        "by": Column(pa.string(), "who said so", True),
        "at": Column(UTC_TIME, "our clock; of two the later one holds", True),
        "note": Column(pa.string(), "why, for a person; NULL if not told"),
    },
)

ERASURES = table(
    "erasures",
    grain="one row per erasure, and one more per nlp_version, brand and day that it changed; append-only",
    key=("erasure_id", "nlp_version", "brand", "day"),
    columns={
        "erasure_id": Column(pa.string(), "ours, opaque", True),
        "at": Column(UTC_TIME, "our clock", True),
        "scope": Column(pa.string(), "what was asked to be forgotten: author, with all they wrote, or post", True),
        "sources": Column(pa.list_(pa.string()), "kinds of feeds that could bring it again", True),
        "nlp_version": Column(pa.string(), "whose mentions are counted; NULL in the row of the whole erasure"),
        "brand": Column(pa.string(), "whose figures changed; NULL in the row of the whole erasure"),
        "day": Column(pa.date32(), "on which it was said, UTC; NULL in the row of the whole erasure"),
        "posts_change": Column(pa.int64(), "posts that stood, as a number below 0; NULL in the rows of a brand"),
        "mentions_change": Column(pa.int64(), "mentions that counted, as a number below 0; NULL for the whole"),
        "negatives_change": Column(pa.int64(), "those of them against the brand, as people had corrected them"),
        "neutrals_change": Column(pa.int64(), "those of them that took no side"),
        "positives_change": Column(pa.int64(), "those of them for the brand"),
        "keyed_hashes": Column(
            pa.list_(pa.string()),
            "of what may not come back: the author, ids and addresses of posts; NULL in the rows of a brand",
        ),
        "signature": Column(pa.string(), "HMAC of all the other columns under the author key", True),
    },
)

BRANDS = table(
    "brands",
    grain="one row per brand in listening.toml when the snapshot was published",
    key=("brand",),
    columns={
        "brand": Column(pa.string(), "name", True),
        "competitors": Column(pa.list_(pa.string()), "names of the brands it is compared with", True),
        "owners": Column(pa.map_(pa.string(), pa.string()), "who is told, by aspect; `default` for the rest", True),
    },
)

FEEDS = table(
    "feeds",
    grain="one row per feed in listening.toml when the snapshot was published",
    key=("feed",),
    columns={
        "feed": Column(pa.string(), "id in listening.toml", True),
        "source": Column(pa.string(), "its kind", True),
        "url": Column(pa.string(), "where it is read; NULL where the source has one public address"),
        "about": Column(pa.string(), "the brand every post of it is about; NULL if it is a general one"),
        "keep_days": Column(pa.int64(), "days after its fetch that a post of it is kept; NULL: for ever"),
    },
)

TABLES: dict[str, pa.Schema] = {
    "posts": POSTS,
    "mentions": MENTIONS,
    "visits": VISITS,
    "rejects": REJECTS,
    "alerts": ALERTS,
    "corrections": CORRECTIONS,
    "erasures": ERASURES,
    "brands": BRANDS,
    "feeds": FEEDS,
}

_SHARES_OF_ONE = ("rating", "certainty", "p_negative", "p_neutral", "p_positive")  # 0..1
# Likes are not among them: on some sites votes against a post are taken off.
_NEVER_NEGATIVE = ("author_followers", "replies", "shares", "views", "posts", "requests", "bytes")
_ONE_OF = {
    "outcome": OUTCOMES,
    "matched_as": MATCHED_AS,
    "event": ALERT_EVENTS,
    "column": CORRECTABLE,
    "scope": ("author", "post"),
    "sentiment": (-1, 0, 1),
    "experience": ("first_hand", "second_hand", "opinion", "unknown"),
    "switch_status": ("considered", "done", "returned"),
    "staff": ("actor", "victim", "both"),
}


class Fault(NamedTuple):
    """One cell that breaks the contract; row counts from 0."""

    row: int
    column: str
    reason: str


class ContractError(ValueError):
    """A batch breaks its table's contract: a bug in the stage that made it, so a retry does not help."""

    def __init__(self, table_name: str, faults: Sequence[Fault]) -> None:
        self.table = table_name
        self.faults = list(faults)
        shown = "; ".join(f"row {f.row}, {f.column}: {f.reason}" for f in self.faults[:3])
        more = f" and {len(self.faults) - 3} more" if len(self.faults) > 3 else ""
        super().__init__(f"{table_name}: {shown}{more}")


def name_of(schema: pa.Schema) -> str:
    """Return the table's name, as in `posts`."""
    return (schema.metadata or {})[b"table"].decode()


def key_of(schema: pa.Schema) -> list[str]:
    """Return the columns that tell what is the same row."""
    return (schema.metadata or {})[b"key"].decode().split(",")


def doc_of(field: pa.Field) -> str:
    """Return what the column holds."""
    return (field.metadata or {})[b"doc"].decode()


@functools.cache
def empty(schema: pa.Schema) -> pa.RecordBatch:
    """Return a batch of no rows."""
    return pa.RecordBatch.from_arrays([pa.array([], field.type) for field in schema], schema=schema)


def faults(batch: pa.RecordBatch, schema: pa.Schema) -> list[Fault]:
    """Return every cell of a batch that breaks the contract, in column order; none means it conforms.

    Arrow itself lets nulls into non-null columns and knows no ranges, hence this check.
    Raises ContractError where columns themselves are missing or of another type.
    """
    _same_columns(batch, schema)
    found: list[Fault] = []
    for field in schema:
        column = batch.column(field.name)
        if not field.nullable and column.null_count:
            found += _where(pc.is_null(column), field.name, "is missing")
        if column.null_count == len(column):
            continue
        if field.name in _SHARES_OF_ONE:
            inside = pc.and_(pc.greater_equal(column, 0.0), pc.less_equal(column, 1.0))  # false for NaN too
            found += _where(pc.invert(inside), field.name, "is not between 0 and 1")
        if field.name in _NEVER_NEGATIVE:
            found += _where(pc.less(column, 0), field.name, "is negative")
        if field.name in _ONE_OF:
            known = pa.array(_ONE_OF[field.name], type=field.type)
            stray = pc.and_(pc.invert(pc.is_in(column, known)), pc.is_valid(column))
            found += _where(stray, field.name, f"is none of {', '.join(map(str, _ONE_OF[field.name]))}")
    if name_of(schema) == "posts":
        latest = pc.add(batch.column("fetched_at"), pa.scalar(CLOCK_SKEW, pa.duration("us")))
        late = pc.greater(batch.column("published_at"), latest)
        found += _where(late, "published_at", "is more than 2 min after fetched_at")
    return found


def conform(batch: pa.RecordBatch, schema: pa.Schema) -> pa.RecordBatch:
    """Return the batch with exactly the schema's columns and metadata, or raise ContractError."""
    broken = faults(batch, schema)
    if broken:
        raise ContractError(name_of(schema), broken)
    return pa.RecordBatch.from_arrays([batch.column(name) for name in schema.names], schema=schema)


def _same_columns(batch: pa.RecordBatch, schema: pa.Schema) -> None:
    if batch.schema.equals(schema):
        return
    wrong = [Fault(0, name, "the column is missing") for name in schema.names if name not in batch.schema.names]
    wrong += [Fault(0, name, "is no column of this table") for name in batch.schema.names if name not in schema.names]
    wrong += [
        Fault(0, field.name, f"is {batch.schema.field(field.name).type}, not {field.type}")
        for field in schema
        if field.name in batch.schema.names and batch.schema.field(field.name).type != field.type
    ]
    if wrong:
        raise ContractError(name_of(schema), wrong)


def _where(mask: pa.Array, column: str, reason: str) -> list[Fault]:
    return [Fault(row, column, reason) for row in pc.indices_nonzero(mask).to_pylist()]  # neither false nor null
