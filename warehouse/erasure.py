"""Forgetting: a person's or a post's words, ids and addresses leave every file of the lake and do not come back.

First what is forgotten is written down, as keyed hashes and with what that changes in which figures (forgotten.py): one
file, so it happens once or not at all. Then everything that is written down is looked for and removed, the posts last,
for they tell what else to look for. So it may be killed at any byte and run again, and what slipped in meanwhile goes
with the next run, by whomever.

A row is somebody's by its author or its post_id. What was said of it elsewhere is known by those, by addresses and
by its words: quotes in the evidence of alerts, corrections, cursors that stand at it. Items that could not become posts
do not say whose they are: of the kinds of feeds concerned no excerpt is kept. What others wrote in answer stays, and no
longer says what it answers.
"""

import json
import re
import secrets
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Literal, NamedTuple

import pyarrow as pa
import pyarrow.compute

from warehouse import corrections, tables
from warehouse.forgotten import REFERENCES, Forgotten, erasures, keyed_hash, signature
from warehouse.lake import DamagedFile, Lake, LakeError, Skipped
from warehouse.layout import mentions_path, rewritten_path, version_of
from warehouse.redaction import redacted

pc: Any = pyarrow.compute  # its functions are made at import, where no type checker sees them

SHINGLE = 4  # words in a row that hardly two people write alike
THEIRS = 0.5  # of a quote's shingles: from there on it is from that text, though it was cut and masked
SIDES = {-1: "negatives_change", 0: "neutrals_change", 1: "positives_change"}
MEANT = 0.5  # certainty from which a mention counts, as in sql/marts/opinions.sql

Row = dict[str, Any]


class Target(NamedTuple):
    """Whom or what to forget.

    name: an author's pseudonym, or a post_id. sources: the kinds of feeds that could bring it again. account: what the
    author is called there, if that is known.
    """

    scope: Literal["author", "post"]
    name: str
    sources: tuple[str, ...]
    account: str | None = None


class Erased(NamedTuple):
    """What went, or would: rows by table, documents by `state`, and rows of others that named it by `references`.

    changes: the rows written to `erasures`, the first of them that of the whole; none if it was written before.
    unsearched: files that cannot be read, and may still hold what was to go.
    """

    counts: dict[str, int]
    changes: list[Row]
    unsearched: list[Skipped]


def erase(
    lake: Lake,
    key: bytes,
    target: Target | None,
    now: datetime,
    *,
    remembered_as: Callable[[str], str] = str,
    dry_run: bool = False,
) -> Erased:
    """Forget the target; None: only remove what is forgotten already and slipped in since.

    key: the author key. now: UTC. remembered_as: what documents of the lake know a post by, from its post_id.
    dry_run: count only. Holds the locks of whoever moves rows, `housekeeping` and `watch`.
    Raises LakeError where files move faster than they can be listed, OSError where the lake cannot be written: run it
    again.
    """
    with lake.lock("watch"), lake.lock("housekeeping"):
        told = erasures(lake)
        known = Forgotten(key, told)
        asked = [{"keyed_hashes": [keyed_hash(key, target.name)], "sources": target.sources}] if target else []
        meant = Forgotten(key, [*told, *asked])
        if not meant:
            return Erased({}, [], [])
        eraser = _Eraser(lake, meant, target.account if target else None, remembered_as, writes=not dry_run)
        eraser.look()
        written = _written(lake, key, known, target, eraser.posts, now)
        if written and not dry_run:
            batch = tables.conform(pa.RecordBatch.from_pylist(written, schema=tables.ERASURES), tables.ERASURES)
            lake.append(batch, tables.ERASURES, written[0]["erasure_id"])
        eraser.forgotten = Forgotten(key, [*told, *written])
        eraser.remove()
        if not dry_run:
            lake.clean(now)
        aside = [Skipped(path, "it was put aside, and is not searched: delete it") for path in lake.quarantined()]
        return Erased(dict(eraser.counts), written, [*eraser.unsearched, *aside])


class _Eraser:
    """Looks for what is forgotten, then removes it. `posts` are the readings found."""

    def __init__(
        self,
        lake: Lake,
        forgotten: Forgotten,
        account: str | None,
        remembered_as: Callable[[str], str],
        *,
        writes: bool,
    ) -> None:
        self.forgotten = forgotten
        self.posts: list[Row] = []
        self.counts: Counter[str] = Counter()
        self.unsearched: list[Skipped] = []
        self._lake, self._writes = lake, writes
        self._remembered_as = remembered_as
        self._names = {account} if account else set[str]()
        self._digests: set[str] = set()
        self._shingles: set[str] = set()

    def look(self) -> None:
        """Find the posts, and so what else to look for."""
        gone: set[str] = set()
        for _, rows in self._files("posts", ["post_id", "author"]):
            theirs = pc.or_(self._among(rows["author"]), self._among(rows["post_id"]))
            gone |= set(rows.filter(theirs)["post_id"].to_pylist())
        ids = pa.array(sorted(gone), pa.string())
        for path, rows in self._files("posts", ["post_id"]) if gone else ():
            if pc.any(pc.is_in(rows["post_id"], ids)).as_py() and (whole := self._read(path)) is not None:
                self.posts += whole.filter(pc.is_in(whole["post_id"], ids)).to_pylist()
        self._digests = {self._remembered_as(post_id) for post_id in gone}
        for row in self.posts:
            self._names |= {name for known in (row["post_id"], row["url"]) if known and (name := _name_within(known))}
            for text in (row["title"], row["text"]):
                self._shingles |= _shingles(redacted(text or "")) | _shingles(text or "")

    def remove(self) -> None:
        """Remove all of it."""
        for table, revised in (
            ("alerts", self._alerts),
            ("corrections", self._corrections),
            ("rejects", self._rejects),
            ("visits", self._visits),
        ):
            for path, rows in self._files(table, None):
                self._rewrite(table, path, rows, *revised(rows.to_pylist()))
        self._states()
        for path, rows in self._files("posts", ["post_id", "author", *REFERENCES]):
            if any(pc.any(self._among(rows[name])).as_py() for name in rows.schema.names):
                self._posts(path)
        for path, rows in self._files("mentions", ["post_id"]):
            if pc.any(self._among(rows["post_id"])).as_py():
                self._mentions(path, path)

    # Tables

    def _alerts(self, rows: list[Row]) -> tuple[list[Row], int]:
        changed = 0
        for row in rows:
            evidence = self._scrubbed(row["evidence"], self._is_theirs)
            changed += evidence != row["evidence"]
            row["evidence"] = evidence or "{}"
        return rows, changed

    def _corrections(self, rows: list[Row]) -> tuple[list[Row], int]:
        kept = [row for row in rows if not self.forgotten.holds(row["post_id"])]
        return kept, len(rows) - len(kept)

    def _rejects(self, rows: list[Row]) -> tuple[list[Row], int]:
        changed = 0
        for row in rows:
            if row["source"] in self.forgotten.sources:
                told = {"excerpt": "", "reason": kind_of_fault(row["reason"])}
                changed += any(row[name] != value for name, value in told.items())
                row |= told
        return rows, changed

    def _visits(self, rows: list[Row]) -> tuple[list[Row], int]:
        changed = 0
        for row in rows:
            if row["error"] and self._names_it(row["error"]):
                row["error"] = f"{row['feed']}: (erased)"
                changed += 1
        return rows, changed

    def _states(self) -> None:
        def revised(content: bytes) -> bytes | None:
            text = self._scrubbed(content.decode(errors="replace"), self._names_it, self._digests)
            if text is None or text.encode() != content:
                self.counts["state"] += 1
            return content if not self._writes else None if text is None else text.encode()

        self._lake.revise_states(revised)

    def _posts(self, path: str) -> None:
        if (rows := self._read(path)) is None:
            return
        batch = pa.concat_batches(rows.to_batches())
        others = self.forgotten.of_others(batch)
        standing = self.forgotten.unnamed(others)
        renamed = sum(before != after for before, after in zip(_references(others), _references(standing), strict=True))
        self.counts["posts"] += batch.num_rows - standing.num_rows
        self.counts["references"] += renamed
        if not self._writes:
            return
        # Under another name: whoever is reading the old file finds it gone, and cannot add mentions to the new one.
        old, new = self._lake.mentions_of(path), rewritten_path(path)
        for mentions in old:
            self._mentions(mentions, mentions_path(new, version_of(mentions)) if standing.num_rows else None)
        if standing.num_rows:
            self._lake.replace("posts", pa.Table.from_batches([standing]), new)
        self._lake.remove([path])
        self._lake.remove(old)

    def _mentions(self, path: str, target: str | None) -> None:
        """Count the mentions that go, and write the others to the target, if there is one."""
        if (rows := self._read(path)) is None:
            return
        kept = rows.filter(pc.invert(self._among(rows["post_id"])))
        self.counts["mentions"] += rows.num_rows - kept.num_rows
        if self._writes and target is not None:
            self._lake.replace("mentions", kept, target)

    def _rewrite(self, table: str, path: str, rows: pa.Table, revised: list[Row], changed: int) -> None:
        self.counts[table] += changed
        if not changed or not self._writes:
            return
        if revised:
            self._lake.replace(table, pa.Table.from_pylist(revised, schema=rows.schema), path)
        else:
            self._lake.remove([path])

    # What is theirs

    def _among(self, column: pa.ChunkedArray) -> pa.ChunkedArray:
        """Return where a column holds the name of what is forgotten."""
        held = [one for one in pc.unique(column).to_pylist() if self.forgotten.holds(one)]
        return pc.is_in(column, pa.array(held, pa.string()))

    def _names_it(self, text: str) -> bool:
        return not self._names.isdisjoint(_tokens(text))

    def _is_theirs(self, text: str) -> bool:
        if self.forgotten.holds(text):
            return True
        shingles = _shingles(text.removesuffix("…"))
        return bool(shingles) and len(shingles & self._shingles) >= THEIRS * len(shingles)

    def _scrubbed(
        self, document: str, is_theirs: Callable[[str], bool], keys: Collection[str] = frozenset()
    ) -> str | None:
        """Return a JSON document without what is theirs: keys, entries of lists and texts; None if it is no JSON."""
        try:
            said = json.loads(document)
        except (ValueError, RecursionError):
            return None if is_theirs(document) else document
        left = _without(said, is_theirs, keys)
        return document if left == said else json.dumps(left, ensure_ascii=False)

    # Files

    def _files(self, table: str, columns: Sequence[str] | None) -> Iterator[tuple[str, pa.Table]]:
        for path in self._lake.files(table):
            if (rows := self._read(path, columns)) is not None and rows.num_rows:
                yield path, rows

    def _read(self, path: str, columns: Sequence[str] | None = None) -> pa.Table | None:
        try:
            return self._lake.read(path, columns)
        except DamagedFile as error:
            if error.path not in {one.path for one in self.unsearched}:
                self.unsearched.append(Skipped(error.path, error.reason))
        except FileNotFoundError as error:
            raise LakeError(path, "it was moved while the lake was searched; run it again") from error
        return None


def kind_of_fault(reason: str) -> str:
    """Return why an item was rejected without the values that it quotes."""
    return reason.partition(":")[0]


def _written(
    lake: Lake, key: bytes, known: Forgotten, target: Target | None, posts: Sequence[Row], now: datetime
) -> list[Row]:
    """Return the rows of ERASURES that this adds: that of the whole, and what changes in which brand and day."""
    new = [row for row in posts if not known.holds(row["post_id"])]
    if not new and (target is None or known.holds(target.name)):
        return []
    named = {target.name} if target else set[str]()
    named |= {name for row in new for name in (row["post_id"], row["url"]) if name}
    standing = _standing(new)
    whole = {
        "erasure_id": secrets.token_hex(8),
        "at": now,
        "scope": target.scope if target else "author",
        "sources": sorted({*(target.sources if target else ()), *(row["source"] for row in new)}),
    }
    rows = [
        {**whole, "posts_change": -len(standing), "keyed_hashes": sorted(keyed_hash(key, name) for name in named)},
        *({**whole, **change} for change in _changes(lake, standing)),
    ]
    told = [dict.fromkeys(tables.ERASURES.names) | row for row in rows]
    return [row | {"signature": signature(key, row)} for row in told]


def _standing(posts: Iterable[Row]) -> dict[str, Row]:
    """Return the newest reading of each post that stands, dated as sql/tables/posts.sql does."""
    found: dict[str, Row] = {}
    earliest: dict[str, datetime] = {}
    never = datetime.min.replace(tzinfo=UTC)
    for row in sorted(
        posts, key=lambda row: (row["fetched_at"], row["deleted"], row["edited_at"] or never, row["version"])
    ):
        first = earliest[row["post_id"]] = min(row["published_at"], earliest.get(row["post_id"], row["published_at"]))
        undated = row["published_at"] == row["fetched_at"]
        found[row["post_id"]] = row | {"published_at": first if undated else row["published_at"]}
    return {post_id: row for post_id, row in found.items() if not row["deleted"]}


def _changes(lake: Lake, standing: Mapping[str, Row]) -> list[Row]:
    """Return what goes of the counts of each nlp_version, brand and day."""
    ids = pa.array(sorted(standing), pa.string())
    said: dict[tuple[str, str, str], Row] = {}
    for path in lake.files("mentions") if standing else ():
        try:
            rows = lake.read(path)
        except (DamagedFile, FileNotFoundError):
            continue
        for row in rows.filter(pc.is_in(rows["post_id"], ids)).to_pylist():
            if row["version"] == standing[row["post_id"]]["version"]:
                said[row["nlp_version"], row["brand"], row["post_id"]] = row
    corrected: dict[tuple[str, str], Row] = defaultdict(dict)
    for event in corrections.standing(corrections.events(lake)) if said else ():
        corrected[event["post_id"], event["brand"]][event["column"]] = json.loads(event["value"])
    changes: dict[tuple[str, str, Any], Counter[str]] = defaultdict(Counter)
    for (nlp_version, brand, post_id), mention in said.items():
        held = mention | corrected.get((post_id, brand), {})
        if (held["certainty"] or 0) < MEANT:
            continue
        post = standing[post_id]
        day = min(post["published_at"], post["fetched_at"]).astimezone(UTC).date()
        count = changes[nlp_version, brand, day]
        count["mentions_change"] -= 1
        if side := SIDES.get(held["sentiment"]):
            count[side] -= 1
    return [
        {"nlp_version": nlp_version, "brand": brand, "day": day, **dict.fromkeys(SIDES.values(), 0), **count}
        for (nlp_version, brand, day), count in sorted(changes.items())
    ]


def _without(said: Any, is_theirs: Callable[[str], bool], keys: Collection[str]) -> Any:
    if isinstance(said, str):
        return None if is_theirs(said) else said
    if isinstance(said, dict):
        return {name: _without(value, is_theirs, keys) for name, value in said.items() if name not in keys}
    if isinstance(said, list):
        return [_without(one, is_theirs, keys) for one in said if not _is_of_them(one, is_theirs)]
    return said


def _is_of_them(entry: Any, is_theirs: Callable[[str], bool]) -> bool:
    texts = entry.values() if isinstance(entry, dict) else [entry]
    return any(isinstance(text, str) and is_theirs(text) for text in texts)


def _references(posts: pa.RecordBatch) -> list[tuple[Any, ...]]:
    return list(zip(*(posts[name].to_pylist() for name in REFERENCES), strict=True))


def _tokens(text: str) -> list[str]:
    return re.findall(r"[\w.-]+", text)


def _name_within(known: str) -> str | None:
    """Return the last part of an id or address, which names the post within its place; None if it could be any word."""
    parts = _tokens(known)
    name = parts[-1] if parts else ""
    return name if len(name) >= 6 or (len(name) >= 4 and any(map(str.isdigit, name))) else None


def _shingles(text: str) -> set[str]:
    """Return each SHINGLE words in a row; of a text of three, these; of a shorter one none: anybody could say it."""
    words = re.findall(r"\w+", text.lower())
    if len(words) < SHINGLE - 1:
        return set()
    return {" ".join(words[start : start + SHINGLE]) for start in range(max(len(words) - SHINGLE + 1, 1))}
