"""Kept posts looked at again a day, a week and a month after they were fetched: most sources announce no deletions.

What is gone gets a tombstone, as if its feed had told (tombstones.py). How far the looking again has come stands in one
small document a feed, so that a run which did not take place, or had too much to do, is made up for by the next.
All pure, but for what reads and writes the lake.
"""

from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from pydantic import BaseModel, ValidationError

from dags.visits import Reading
from listeners.feed import FeedOptions, Page, Visit
from listeners.post import empty_page
from listeners.registry import kept_a_request, standing_of
from listeners.standing import Kept
from warehouse.lake import Lake
from warehouse.layout import source_folder

AGES = (timedelta(days=1), timedelta(days=7), timedelta(days=30))
REQUESTS = 300  # of one run to one feed; what is left waits for the next run
WITNESSES = 3  # posts of late that are asked for besides: if not even these are there, nothing is believed


class Reached(BaseModel, frozen=True):
    """Up to which moment all that was due was looked at again; of that moment itself up to a post, None for all."""

    at: datetime
    post_id: str | None = None

    def has_passed(self, at: datetime, post_id: str) -> bool:
        """Return whether a post that came of an age then was looked at."""
        return at < self.at or (at == self.at and (self.post_id is None or post_id <= self.post_id))


class Seen(NamedTuple):
    """A standing post: when it was first and last fetched."""

    post_id: str
    url: str | None
    first_at: datetime
    last_at: datetime


class Due(NamedTuple):
    """What to ask for now, how far that reaches, and how many looks are left for later."""

    posts: list[Seen]
    reached: Reached
    left: int


def due(posts: Iterable[Seen], reached: Reached, now: datetime, most: int) -> Due:
    """Return the posts that came of an age since, those that wait longest first, at most so many."""
    moments = [(seen.first_at + age, seen.post_id, seen) for seen in posts for age in AGES]
    waiting = sorted(one for one in moments if one[0] <= now and not reached.has_passed(*one[:2]))
    taken, left = waiting[:most], waiting[most:]
    until = Reached(at=taken[-1][0], post_id=taken[-1][1]) if left else Reached(at=now)
    return Due(list(dict.fromkeys(seen for _, _, seen in taken)), until, len(left))


def plan(lake: Lake, feeds: Sequence[FeedOptions], now: datetime) -> dict[str, Due]:
    """Return what is due of each feed whose source can be asked; feeds with nothing due are not there."""
    planned = {}
    for source in dict.fromkeys(feed.source for feed in feeds):
        if standing_of(source) is None:
            continue
        standing = _standing(lake, source, now - AGES[-1] - AGES[0])
        for feed in feeds:
            if feed.source == source:
                seen = standing.get(feed.id, [])
                found = due(seen, _load(lake, feed, now), now, REQUESTS * kept_a_request(source))
                if found.posts:
                    witnesses = sorted(seen, key=lambda one: one.last_at, reverse=True)[:WITNESSES]
                    planned[feed.id] = found._replace(posts=list(dict.fromkeys([*found.posts, *witnesses])))
    return planned


def reading(feed: FeedOptions, planned: Due) -> Reading:
    """Return what a visit reads in place of the feed's pages."""
    standing = standing_of(feed.source)
    assert standing is not None
    kept = [Kept(seen.post_id, seen.url) for seen in planned.posts]

    async def pages(visit: Visit) -> AsyncIterator[Page]:
        async for page in standing(visit, kept):
            yield page
        if planned.left:
            yield empty_page(visit.cursor, capped=f"{planned.left} looks at kept posts are left for the next run")

    return pages


def save(lake: Lake, feed_id: str, reached: Reached) -> None:
    """Store how far it came."""
    lake.write_state(_name(feed_id), reached.model_dump_json().encode())


def _load(lake: Lake, feed: FeedOptions, now: datetime) -> Reached:
    """How far it came; the first time, or where that cannot be read, what came of an age since yesterday is due."""
    stored = lake.read_state(_name(feed.id))
    try:
        return Reached.model_validate_json(stored or b"")
    except ValidationError:
        return Reached(at=now - AGES[0])


def _name(feed_id: str) -> str:
    return f"swept/{feed_id}"


def _standing(lake: Lake, source: str, since: datetime) -> Mapping[str, list[Seen]]:
    """The posts of a source first fetched since then that stand, by feed."""
    folder, day = source_folder("posts", source), f"{since:%Y-%m-%d}"
    files = [path for path in lake.files("posts") if path.startswith(folder) and path.split("/date=")[1][:10] >= day]
    sound = lake.scan("posts", files=files).files
    if not sound:
        return {}
    columns = ["fetched_at", "deleted", "post_id", "feed", "url"]
    first: dict[str, datetime] = {}
    last: dict[str, tuple[datetime, bool, str, str | None]] = {}
    for batch in lake.dataset("posts", files=sound).to_batches(columns=columns):
        for at, deleted, post_id, feed, url in zip(*(batch.column(name).to_pylist() for name in columns), strict=True):
            first[post_id] = min(first.get(post_id, at), at)
            if post_id not in last or last[post_id][:2] < (at, deleted):
                last[post_id] = (at, deleted, feed, url)
    found: dict[str, list[Seen]] = {}
    for post_id, (at, deleted, feed, url) in last.items():
        if not deleted:
            found.setdefault(feed, []).append(Seen(post_id, url, first[post_id], at))
    return found
