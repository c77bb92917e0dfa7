"""From the items of a feed to a page of posts: what every source does alike.

A source's `to_post` makes one row of one item with `row`; `to_page` makes a page of many and lets no bad item stop
the others: what cannot become a post is rejected with its reason, what may not be stored is counted.
"""

import hashlib
import json
import re
from collections import Counter
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

from listeners.feed import Page, Rejected, Visit
from listeners.personal_data import masked
from listeners.plain_text import clean, one_line

CLOCK_SKEW = timedelta(minutes=2)  # as in warehouse.tables, whose import would cost every start of the command line
UNDATED_BEFORE = datetime(1990, 1, 1, tzinfo=UTC)  # 1970 and the like stand for "no date"; no feed is older
MAX_TEXT = 100_000  # characters of a post's text; the rest is cut, and a longer one is hardly word of mouth
INT64 = 2**63
# What reading an item may raise because of the item
ITEM_FAULTS = (KeyError, TypeError, ValueError, AttributeError, IndexError, ArithmeticError, RecursionError)

MAX_RAW = 100  # characters of a date that is none
_DOUBTS = ("no date told", "date not believed")

_LANGUAGE = re.compile(r"[a-z]{2,3}(-[a-z0-9]{2,8})*")


class LeftOut(Exception):
    """An item that is not to be stored. The message is the reason to count it under: reblog, nobot, ..."""


def row(
    visit: Visit,
    *,
    post_id: str,
    kind: str,
    text: str,
    title: str | None = None,
    url: object = None,
    language: object = None,
    account: str | None = None,
    author_followers: object = None,
    published_at: object,
    published_raw: str | None = None,
    edited_at: datetime | None = None,
    deleted: bool = False,
    parent_id: str | None = None,
    root_id: str | None = None,
    quoted_id: str | None = None,
    likes: object = None,
    replies: object = None,
    shares: object = None,
    views: object = None,
    rating: float | None = None,
    consent: str = "none_stated",
) -> dict[str, Any]:
    """Return a row of POSTS, one key per column, within the contract.

    text and title are plain text; personal data in them is masked. published_at: a datetime, or whatever else the
    source told, as `moment` reads it; one that is missing, unreadable, of 1970 or in the future becomes the time of the
    visit, and what was told is kept as published_raw. published_raw: the same, where published_at is not what the
    source told. Dates without a zone are UTC; an edited_at that cannot be true becomes None. Counts and languages that
    make no sense become None: they are ornaments, and no reason to lose what somebody said. Raises ValueError for an id
    of nothing but controls: all such posts would be one.
    """
    post_id = clean(post_id)
    if not post_id.partition(":")[2]:
        raise ValueError("its id has nothing to see in it")
    text = masked(clean(text)[:MAX_TEXT])[:MAX_TEXT].rstrip()
    published = published_at if isinstance(published_at, datetime) else moment(published_at)
    if published_raw is None and not deleted:
        published_raw = not_believed(published_at, visit.started_at)
    title = masked(one_line(title)) or None if title is not None else None
    return {
        "post_id": post_id,
        "version": version(title, text, deleted),
        "feed": visit.feed.id,
        "source": visit.feed.source,
        "kind": kind,
        "url": web_address(url),
        "title": title,
        "text": text,
        "language": language_tag(language),
        "author": visit.pseudonym(account) if account else None,
        "author_followers": count(author_followers),
        "published_at": _within(published, visit.started_at) or visit.started_at,
        "published_raw": published_raw,
        "edited_at": _within(edited_at, visit.started_at),
        "fetched_at": visit.started_at,
        "deleted": deleted,
        "parent_id": clean(parent_id) if parent_id else None,
        "root_id": clean(root_id) if root_id else None,
        "quoted_id": clean(quoted_id) if quoted_id else None,
        "likes": count(likes, below_zero=True),
        "replies": count(replies),
        "shares": count(shares),
        "views": count(views),
        "rating": rating,
        "consent": consent,
    }


def version(title: str | None, text: str, deleted: bool) -> str:
    """Return the hash of what a reader sees: 16 hex digits, another one after an edit."""
    seen = json.dumps([title, text, deleted], ensure_ascii=True)
    return hashlib.sha256(seen.encode()).hexdigest()[:16]


def to_page(
    visit: Visit,
    items: Iterable[Any],
    to_post: Callable[[Any], dict[str, Any]],
    *,
    cursor: str | None,
    **more: Any,
) -> Page:
    """Return the page of posts that the items make, the same reading of a post once. more: the Page's other fields."""
    made: list[tuple[dict[str, Any], Any]] = []
    rejected: list[Rejected] = []
    left_out: Counter[str] = Counter()
    keys: set[tuple[str, str]] = set()
    for item in items:
        try:
            post = to_post(item)
        except LeftOut as reason:
            left_out[str(reason)] += 1
        except ITEM_FAULTS as error:
            rejected.append(Rejected(_reason(error), as_received(item)))
        else:
            if (key := (post["post_id"], post["version"])) not in keys:
                keys.add(key)
                made.append((post, item))
    posts, broken = _conforming(made)
    notes = Counter(more.pop("notes", {}))
    notes.update(_DOUBTS[bool(post["published_raw"])] for post, _ in made if post["published_raw"] is not None)
    return Page(posts, cursor, tuple(rejected + broken), left_out, notes=notes, **more)


def empty_page(cursor: str | None, **more: Any) -> Page:
    """Return a page without posts, which still moves the cursor. more: the Page's other fields."""
    from warehouse import tables

    return Page(tables.empty(tables.POSTS), cursor, **more)


def moment(value: object) -> datetime | None:
    """Return an ISO 8601 text or a number of epoch seconds as UTC time, or None if it is neither."""
    try:
        if isinstance(value, str):
            parsed = datetime.fromisoformat(value.strip())
            return parsed.replace(tzinfo=UTC) if parsed.tzinfo is None else parsed.astimezone(UTC)
        if isinstance(value, int | float) and not isinstance(value, bool):
            return datetime.fromtimestamp(value, UTC)
    except (ValueError, OverflowError, OSError):
        pass
    return None


def not_believed(told: object, latest: datetime) -> str | None:
    """Return what a source told for a date that cannot be true, or None where it can; empty where it told nothing.

    told: a datetime, or what `moment` reads. latest: no date is later, but for a clock somewhat ahead. A time is given
    as ISO 8601, what is none in the source's own words.
    """
    at = told if isinstance(told, datetime) else moment(told)
    if at is None:
        return "" if told is None else one_line(str(told))[:MAX_RAW]
    at = at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
    return None if UNDATED_BEFORE <= at <= latest + CLOCK_SKEW else at.isoformat()


def count(value: object, *, below_zero: bool = False) -> int | None:
    """Return a whole number that fits the table, or None for anything else; -1 stands for "hidden" in places."""
    if isinstance(value, bool) or not isinstance(value, int) or not -INT64 <= value < INT64:
        return None
    return value if value >= 0 or below_zero else None


def language_tag(value: object) -> str | None:
    """Return a language as declared, lower case, or None if that is no BCP 47 tag."""
    if not isinstance(value, str):
        return None
    tag = value.strip().lower().replace("_", "-")
    return tag if _LANGUAGE.fullmatch(tag) else None


def web_address(value: object) -> str | None:
    """Return an http or https address, or None for anything else."""
    if not isinstance(value, str):
        return None
    address = "".join(clean(value).split())
    return address if re.match(r"(?i)https?://[^/]", address) else None


def text_of(item: Any, key: str) -> str:
    """Return a text an item must have. Raises KeyError or TypeError, which reject the item."""
    value = item[key]
    if not isinstance(value, str):
        raise TypeError(f"{key!r} is {type(value).__name__}, not text")
    return value


def number_of(item: Any, key: str) -> int:
    """Return a whole number an item must have. Raises KeyError or TypeError, which reject the item."""
    value = item[key]
    if isinstance(value, bool) or not isinstance(value, int):
        raise TypeError(f"{key!r} is {value!r}")
    return value


def number_in(item: Any, key: str) -> int | None:
    """Return a whole number of an item, or None where it has none there."""
    value = item.get(key) if isinstance(item, dict) else None
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def second_in(item: Any, key: str) -> int | None:
    """Return a time of an item in epoch seconds, or None where it has none there."""
    at = moment(item.get(key)) if isinstance(item, dict) else None
    return int(at.timestamp()) if at is not None else None


def first_seen(items: Iterable[Any], name: Callable[[Any], str | None], seen: set[str]) -> list[Any]:
    """Return the items that did not come before, and note in `seen` that they came.

    name: what an item is known by, None where it does not say; then it goes on, to be rejected with its reason.
    """
    new = []
    for item in items:
        known_by = name(item)
        if known_by is None or known_by not in seen:
            new.append(item)
        if known_by is not None:
            seen.add(known_by)
    return new


def site_name(url: str) -> str:
    """Return what tells a site from others that run the same software: host, port if any, and folder if it has one."""
    parts = urlsplit(url.lower())
    return parts.netloc.rpartition("@")[2] + parts.path.rstrip("/")


def as_received(item: Any) -> str:
    """Return an item as text, for the record of what was rejected."""
    try:
        text = item if isinstance(item, str) else json.dumps(item, ensure_ascii=False, default=str)
    except (TypeError, ValueError, RecursionError):
        text = f"({type(item).__name__} that cannot be shown)"
    return text.encode("utf-8", "replace").decode("utf-8").replace("\x00", "")


def _conforming(made: list[tuple[dict[str, Any], Any]]) -> tuple[Any, list[Rejected]]:
    """The batch of the rows that keep the contract, and the items of the others."""
    import pyarrow as pa

    from warehouse import tables

    rows, rejected = made, []
    try:
        batch = pa.RecordBatch.from_pylist([post for post, _ in rows], schema=tables.POSTS)
    except (pa.ArrowException, ValueError, TypeError, OverflowError):  # of one row, which must not cost the others
        rows = []
        for post, item in made:
            try:
                pa.RecordBatch.from_pylist([post], schema=tables.POSTS)
            except (pa.ArrowException, ValueError, TypeError, OverflowError) as error:
                rejected.append(Rejected(_reason(error), as_received(item)))
            else:
                rows.append((post, item))
        batch = pa.RecordBatch.from_pylist([post for post, _ in rows], schema=tables.POSTS)
    reasons = {fault.row: f"{fault.column} {fault.reason}" for fault in reversed(tables.faults(batch, tables.POSTS))}
    if not reasons:
        return batch, rejected
    rejected += [Rejected(reason, as_received(rows[index][1])) for index, reason in sorted(reasons.items())]
    kept = [post for index, (post, _) in enumerate(rows) if index not in reasons]
    return tables.conform(pa.RecordBatch.from_pylist(kept, schema=tables.POSTS), tables.POSTS), rejected


def _reason(error: Exception) -> str:
    what = f"lacks {error}" if isinstance(error, KeyError) else f"{type(error).__name__}: {error}"
    return one_line(what)[:200]


def _within(value: datetime | None, fetched_at: datetime) -> datetime | None:
    """A source's time in UTC, or None where it cannot be true. A clock somewhat ahead of ours is believed."""
    if value is None:
        return None
    value = value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)
    if value < UNDATED_BEFORE:
        return None
    return value if value <= fetched_at + CLOCK_SKEW else fetched_at
