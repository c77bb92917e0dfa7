"""Which entry of a feed is which, from one visit to the next.

An entry is known by its guid, else its link, else by all it says. But guids are missing, change with a site's software,
are given to several entries, or given again to another (FreshRSS#5909, brief-rss#428, lion-reader#1535,
feedbin/support#515). So a feed's cursor remembers the entries of its last windows, by hashes, and an entry that seems
new is first looked for among those that are gone: by its link without scheme and host, and then by title and date.
Nothing is ever looked for in another feed.
"""

import hashlib
import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from urllib.parse import urlsplit

from listeners.entry import Entry
from listeners.passing_text import steady_address
from listeners.post import CLOCK_SKEW, UNDATED_BEFORE

REMEMBERED = 500  # entries a feed; those of the window at hand first

_SCHEME = re.compile(r"(?i)\bhttps?://")
_UNDATED = "~"  # before the time at which an entry without a date was first seen


@dataclass(frozen=True)
class Known:
    """An entry that was seen: what its post is called, and hashes of what it may be found by, empty if it has none."""

    post: str
    link: str
    title: str
    date: str

    def differs_wholly(self, other: "Known") -> bool:
        """Return whether nothing of it is the same, so that it must be another entry: both have all, and differ."""
        mine, others = self._signs(), other._signs()
        return all(mine) and all(others) and not any(a == b for a, b in zip(mine, others, strict=True))

    def first_seen(self) -> datetime | None:
        """Return when an undated entry was first seen; None for one with a date."""
        if not self.date.startswith(_UNDATED):
            return None
        try:
            return datetime.fromtimestamp(int(self.date[1:]), UTC)
        except (ValueError, OverflowError, OSError):
            return None

    def _signs(self) -> tuple[str, str, str]:
        return self.link, self.title, "" if self.date.startswith(_UNDATED) else self.date


Memory = Mapping[str, Known]  # by what an entry calls itself, newest first


@dataclass(frozen=True)
class Placed:
    """An entry of a document that is one of its own: which post it is, and when it was first seen if it is undated."""

    index: int
    post: str
    first_seen: datetime


def read(text: str | None) -> dict[str, Known]:
    """Return what `written` wrote; what cannot be read is forgotten."""
    memory = {}
    for line in (text or "").split():
        parts = line.split(",")
        if len(parts) == 5 and parts[0]:
            own, post, link, title, date = parts
            memory[own] = Known(post or own, link, title, date)
    return memory


def written(memory: Memory) -> str:
    """Return the memory as text."""
    return " ".join(
        f"{own},{'' if known.post == own else known.post},{known.link},{known.title},{known.date}"
        for own, known in memory.items()
    )


def identity(entry: Entry) -> str:
    """Return what an entry calls itself where no other does: the hash of its guid, else link, else of all it says.

    A site that moves from http to https keeps its entries: addresses count without their scheme.
    """
    return _hash(_name(entry, 0), 24)


def told_date(entry: Entry, now: datetime) -> datetime | None:
    """Return when the entry says it was published, or None where it does not say, or says what cannot be true."""
    at = entry.published_at
    return at if at is not None and UNDATED_BEFORE <= at <= now + CLOCK_SKEW else None


def place(entries: Sequence[Entry], memory: Memory, now: datetime) -> tuple[list[Placed], dict[str, Known]]:
    """Return the entries of a document, each once, and the memory to keep.

    An entry that is listed again, as some feeds do with an edited one, is there once: as it was edited last.
    """
    latest: dict[str, int] = {}
    for index, name in enumerate(_own_names(entries)):
        if name not in latest or _edited(entries[index]) > _edited(entries[latest[name]]):
            latest[name] = index
    seen = {name: _seen(entries[index], name, now) for name, index in latest.items()}
    gone = {name: known for name, known in memory.items() if name not in seen}
    reused = {name for name in seen if name in memory and memory[name].differs_wholly(seen[name])}
    gone |= {_hash(f"{name} {memory[name]}", 24): memory[name] for name in reused}  # it may be listed again
    new = {name: entries[latest[name]] for name in seen if name not in memory or name in reused}
    moved = _moved(new, seen, gone)
    given = {known.post for known in memory.values()}
    placed, kept = [], {}
    for name, index in latest.items():
        known, before = seen[name], moved.get(name) if name in new else memory[name]
        if before is None and (name in given or name in reused):  # its guid is another's
            known = replace(known, post=_hash(_name(entries[index], _depth(entries[index])), 24))
        elif before is not None:
            date = before.date if known.first_seen() and before.first_seen() else known.date
            if (before.post, date) != (known.post, known.date):
                known = replace(known, post=before.post, date=date)
        kept[name] = known
        placed.append(Placed(index, known.post, known.first_seen() or now))
    replaced = {before.post for before in moved.values()}
    past = [(name, known) for name, known in gone.items() if known.post not in replaced]
    return placed, dict([*kept.items(), *past][:REMEMBERED])


def _own_names(entries: Sequence[Entry]) -> list[str]:
    """What each entry is called in its document: the shortest name that no different entry has too."""
    names = [_name(entry, 0) for entry in entries]
    depths = [0] * len(entries)
    for _ in range(2):
        sharing: dict[str, list[int]] = {}
        for index, name in enumerate(names):
            sharing.setdefault(name, []).append(index)
        crowded = [
            indexes
            for indexes in sharing.values()
            if any(_are_different(entries[indexes[0]], entries[index]) for index in indexes[1:])
        ]
        for index in (index for indexes in crowded for index in indexes):
            depths[index] = min(depths[index] + 1, _depth(entries[index]))
            names[index] = _name(entries[index], depths[index])
    return [_hash(name, 24) for name in names]


def _depth(entry: Entry) -> int:
    """How many longer names an entry has."""
    return 2 if entry.guid and entry.link else 1 if entry.guid or entry.link else 0


def _name(entry: Entry, depth: int) -> str:
    """What an entry may be called by: its guid or link, both, or all it says."""
    if depth == _depth(entry):
        told = (entry.guid, entry.link, entry.title, entry.text, entry.author, entry.published_at, entry.media)
        name = " ".join(str(part or "") for part in (*told, entry.said))
    elif depth == 0:
        name = entry.guid or entry.link or ""
    else:
        name = f"{entry.guid} {entry.link}"
    return _SCHEME.sub("//", name.strip())


def _are_different(one: Entry, other: Entry) -> bool:
    """Whether two entries of one document that share a name are two all the same, and not one listed twice."""
    if _bare(one.link) != _bare(other.link):
        return True
    same_date = one.published_at == other.published_at
    dated = one.published_at is not None and other.published_at is not None
    if (one.title or "").strip() != (other.title or "").strip():
        edited = one.updated_at is not None and other.updated_at is not None and one.updated_at != other.updated_at
        return not (dated and same_date and edited)
    if one.guid and one.title:
        return False
    return not same_date or (not dated and one.text != other.text)


def _moved(new: Mapping[str, Entry], seen: Memory, gone: Memory) -> dict[str, Known]:
    """Which of the entries with a new name were known by another that is gone from the document."""
    found: dict[str, Known] = {}
    if not new or not gone:
        return found
    taken: set[str] = set()
    links_now = Counter(known.link for known in seen.values())
    links_then = Counter(known.link for known in gone.values())
    for sign in (_two_signs, _link_and_title, _link_and_date, _title_or_date):
        then, now = _unique(gone.values(), sign), _unique(seen.values(), sign)
        for name, entry in new.items():
            known = seen[name]
            key = sign(known)
            if name in found or key not in now or key not in then or then[key].post in taken:
                continue
            if sign is _title_or_date and (entry.guid or entry.link):
                continue  # it has a name, and a new one
            if sign in (_link_and_title, _link_and_date) and not links_now[known.link] == links_then[known.link] == 1:
                continue  # a link that several entries have tells them not apart
            taken.add(then[key].post)
            found[name] = then[key]
    return found


Sign = Callable[[Known], tuple[str, ...] | None]


def _two_signs(known: Known) -> tuple[str, ...] | None:
    signs = known._signs()
    return signs if sum(map(bool, signs)) >= 2 else None


def _link_and_title(known: Known) -> tuple[str, ...] | None:
    return (known.link, known.title) if known.link and known.title else None


def _link_and_date(known: Known) -> tuple[str, ...] | None:
    date = known._signs()[2]
    return (known.link, date) if known.link and date else None


def _title_or_date(known: Known) -> tuple[str, ...] | None:
    """Of an entry without a link: its date, which an edit leaves, else its title."""
    date = known._signs()[2]
    return None if known.link else ("date", date) if date else ("title", known.title) if known.title else None


def _unique(entries: Iterable[Known], sign: Sign) -> dict[tuple[str, ...], Known]:
    """The entries that a sign tells from all others."""
    signed = [(key, known) for known in entries if (key := sign(known)) is not None]
    times = Counter(key for key, _ in signed)
    return {key: known for key, known in signed if times[key] == 1}


def _seen(entry: Entry, name: str, now: datetime) -> Known:
    title = " ".join((entry.title or "").split()).casefold()
    told = told_date(entry, now)
    date = f"{told.timestamp():.0f}" if told else f"{_UNDATED}{now.timestamp():.0f}"
    link = _path(entry.link)
    return Known(name, _hash(link, 10) if link else "", _hash(title, 8) if title else "", date)


def _path(link: str | None) -> str:
    """A link without scheme and host, and without what differs from visit to visit; empty for a site's front page."""
    try:
        parts = urlsplit(steady_address((link or "").strip()))
    except ValueError:
        return ""
    path = parts.path.rstrip("/")
    return f"{path}?{parts.query}#{parts.fragment}" if path or parts.query or parts.fragment else ""


def _bare(link: str | None) -> str:
    return _SCHEME.sub("//", (link or "").strip())


def _edited(entry: Entry) -> float:
    at = entry.updated_at or entry.published_at
    return at.timestamp() if at else float("-inf")


def _hash(text: str, digits: int) -> str:
    return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()[:digits]
