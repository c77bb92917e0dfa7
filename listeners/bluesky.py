"""Posts of Bluesky that name a brand, from a Jetstream: everything the network says, read from the cursor to now.

Source: WebSocket {url}?wantedCollections=app.bsky.feed.post&cursor=MICROSECONDS, the v1 wire of Jetstream
(bluesky-social/jetstream-legacy README, bluesky-social/jetstream docs/README.md and internal/subscribe, 2026-11). No
authentication. Or, where the url ends with /xrpc/network.bsky.jetstream.subscribeEvents, the v2 wire: jetstream_v2.py.
Limits: a backlog of about a day; an older cursor is moved up without a word (jetstream-legacy#58), so what is missing
before the first event is said. Where the replay passes into the live stream, events may be out of order or missing
(jetstream-legacy#42); a host may replay up to an hour more than asked (jetstream#343). Hence half a minute is read
twice; what comes twice is stored once. Messages beyond 200 kB are not sent; a post has some 10 kB at most.

There is no text filter: brands are matched here, before a row is made. `keep = "all"` stores the network, and asks
for the profile of everybody on it. Authors are asked for before anything is stored (bluesky_authors.py): where their
profiles cannot be had, the cursor stays. An edit is a new version, or takes the post down where it may no longer be
stored. Deleted posts, and accounts that were deleted, deactivated, suspended or taken down, are told with each page.
createdAt is the author's claim: where the stream saw the post earlier, that counts. Counts of likes are not told.

The cursor is the time of the newest event read, in the stream's own microseconds, at most that of the visit. It moves
with every page; one host's is good for another's. With v2 it is "SEQ:TIME": the event's number on that host, and its
time. The stream goes on from the number; where the server no longer has it, from the oldest that there is, and where
it is another server's, from the time.
"""

from collections import Counter
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Any
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field

from listeners import bluesky_kept
from listeners.feed import FeedError, FeedFormatChanged, FeedOptions, Page, TakenDown, Visit, WebAddress
from listeners.post import LeftOut, empty_page, moment, not_believed, to_page

if TYPE_CHECKING:
    from listeners.bluesky_authors import Authors
    from listeners.jetstream import Batch, Found
    from listeners.jetstream_v2 import Seqs

KEPT_A_REQUEST, standing = bluesky_kept.KEPT_A_REQUEST, bluesky_kept.standing
PROFILES = "https://public.api.bsky.app/xrpc/app.bsky.actor.getProfiles"
OVERLAP = timedelta(seconds=30)
BACKLOG = timedelta(hours=24)
CLAMPED = timedelta(minutes=1)  # a first event so much later than the newest one read: the backlog was shorter
EVENTS_A_PAGE = 50_000  # some 15 minutes of the network, of which a page holds a few posts
BYTES_A_PAGE = 100_000_000
LARGEST_EVENT = 200_000  # bytes; the server is asked to send none larger, since one would end every visit


def _stream_address(url: str) -> str:
    parts = urlsplit(url)
    whole = parts.scheme in ("ws", "wss") and parts.hostname and not any(map(str.isspace, url))
    if not whole or parts.port == 0:  # reading `port` raises ValueError where it is none
        raise ValueError("the address of a stream begins with wss:// or ws:// and names a host")
    return url


StreamAddress = Annotated[str, AfterValidator(_stream_address)]


class Options(FeedOptions):
    """The keys of a bluesky feed in listening.toml."""

    url: StreamAddress = Field(
        default="wss://jetstream1.us-east.bsky.network/subscribe",
        description="address of the Jetstream, v1 (.../subscribe) or v2 (.../network.bsky.jetstream.subscribeEvents)",
    )
    profiles_url: WebAddress = Field(default=PROFILES, description="address that tells who the authors are")


async def pages(visit: Visit) -> AsyncIterator[Page]:
    """Yield what the stream told since the cursor, oldest first, until it tells of the visit's own time.

    A first visit begins with the oldest that the server has.
    Raises as FeedClient.frames and get do; FeedFormatChanged where the messages are no events.
    """
    from listeners.bluesky_authors import Authors

    feed: Options = visit.feed
    authors = Authors(visit, feed.profiles_url)
    seqs, newest = read_place(visit.cursor, feed, visit.started_at)
    begun, silent, oldest = newest, True, None
    async with aclosing(_batches(visit, begun, seqs)) as batches:
        async for batch in batches:
            silent = False
            if batch.oldest is None and not batch.unreadable:  # nothing but what was read before
                continue
            if batch.oldest is None:
                said = f"{feed.url}: {batch.events} messages, and none is an event with did, kind and time"
                raise FeedFormatChanged(feed.id, said)
            capped = lost(begun, batch.oldest) if oldest is None else None
            oldest = oldest or batch.oldest
            newest = max(newest or 0, min(batch.newest, microseconds(visit.started_at)))
            yield await _page(visit, batch, authors, cursor=_written(seqs, newest), capped=capped)
    if oldest is None:
        forgotten = begun is None or microseconds(visit.started_at - BACKLOG) > begun
        suspect = "the stream told nothing, not even the last event that was read" if silent and not forgotten else None
        yield empty_page(visit.cursor, suspect=suspect)


async def _batches(visit: Visit, begun: int | None, seqs: "Seqs | None") -> AsyncGenerator["Batch", None]:
    """The stream, in stretches that fit a page. What was read before a failure comes before the failure."""
    from listeners.jetstream import Batch, read_event

    until, failure = microseconds(visit.started_at), None
    read = seqs.read if seqs else read_event
    messages = _messages_v2(visit, begun, seqs) if seqs else _messages(visit, begun)
    batch = Batch(visit.wanted, read)
    async with aclosing(messages) as frames:
        while True:
            try:
                batch.take(await anext(frames))
            except StopAsyncIteration:
                break
            except FeedError as error:
                failure = error
                break
            if batch.newest >= until:
                break
            if batch.events >= EVENTS_A_PAGE or batch.size >= BYTES_A_PAGE:
                yield batch.without_removed()
                batch = Batch(visit.wanted, read)
    if batch.events:
        yield batch.without_removed()
    if failure is not None:
        raise failure


def _messages(visit: Visit, begun: int | None) -> AsyncGenerator[bytes, None]:
    """What a stream of v1 tells from a little before a time in microseconds on, or all it has."""
    from listeners.bluesky_record import POST

    asked = max(0, begun - OVERLAP // timedelta(microseconds=1)) if begun is not None else 0
    params = {"wantedCollections": POST, "cursor": asked, "maxMessageSizeBytes": LARGEST_EVENT}
    return visit.client.frames(visit.feed.url, params)


async def _messages_v2(visit: Visit, begun: int | None, seqs: "Seqs") -> AsyncGenerator[bytes, None]:
    """What a stream of v2 tells from the last event read on; where that is gone or another server's, from its time."""
    from listeners.bluesky_record import POST
    from listeners.jetstream_v2 import SUBPROTOCOL, TIMES_FROM, TOO_OLD
    from listeners.websocket import Refused

    time = max(TIMES_FROM, (begun or 0) - OVERLAP // timedelta(microseconds=1))
    for asked in [time] if seqs.seq is None else [seqs.seq, time]:
        params = {"collections": POST, "cursor": asked, "maxMessageSizeBytes": LARGEST_EVENT}
        frames = visit.client.frames(visit.feed.url, params, subprotocol=SUBPROTOCOL)
        try:
            async with aclosing(frames):
                async for message in frames:
                    yield message
                    if seqs.is_foreign:
                        break
        except Refused as error:
            if asked >= TIMES_FROM or TOO_OLD.encode() not in error.said:
                raise
        else:
            if not seqs.is_foreign:
                return
        seqs.seq, seqs.is_foreign = None, False


async def _page(visit: Visit, batch: "Batch", authors: "Authors", **more: Any) -> Page:
    """A batch as a page, once its authors were asked for."""
    from listeners.bluesky_record import author_of

    await authors.meet(map(author_of, batch.posts))
    items = [*batch.posts.values(), *batch.unreadable]
    page = to_page(visit, items, lambda item: to_post(item, visit, authors), **more)
    edited = {post.post_id for post in batch.posts.values() if post.is_edit}
    withdrawn = edited.difference(page.posts["post_id"].to_pylist())  # what is stored of them no longer stands
    gone = TakenDown(frozenset(batch.taken_down | withdrawn), frozenset(visit.pseudonym(did) for did in batch.removed))
    told = gone if gone.posts or gone.authors else None
    return replace(page, left_out=batch.left_out + Counter(page.left_out), taken_down=told)


def to_post(found: "Found | str", visit: Visit, authors: "Authors") -> dict[str, Any]:
    """Return a post as a row of posts. Raises LeftOut; ValueError where it is a message that is no event."""
    from listeners.bluesky_record import author_of, keeps_out_strangers, to_row

    if isinstance(found, str):
        raise ValueError("no event, or of a post that is none")
    did = author_of(found.post_id)
    consent = authors.consent(did)
    if keeps_out_strangers(found.record):
        raise LeftOut("no_unauthenticated")
    claimed, seen = moment(found.record.created_at), moment(found.seen_us / 1e6)
    return to_row(
        visit,
        found.post_id,
        found.record,
        author_followers=authors.known[did].followers,
        published_at=min(claimed, seen) if claimed and seen else claimed or seen,
        published_raw=not_believed(found.record.created_at, seen or visit.started_at),
        edited_at=seen if found.is_edit else None,
        consent=consent,
    )


def microseconds(at: datetime) -> int:
    """Return a time as the stream tells it."""
    return (at - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)


def read_place(cursor: str | None, feed: Options, started_at: datetime) -> tuple["Seqs | None", int | None]:
    """Return how far a stream of v2 is read, None where it is of v1, and the time of the newest event read, if any."""
    if not is_v2(feed.url):
        return None, read_cursor(cursor, started_at)
    from listeners.jetstream_v2 import TIMES_FROM, Seqs

    seq, _, at = (cursor or "").partition(":")
    newest = read_cursor(at, started_at)
    known = newest is not None and seq.isascii() and seq.isdecimal() and len(seq) < len(str(TIMES_FROM))
    return Seqs(int(seq) if known else None), newest if known else None


def is_v2(url: str) -> bool:
    """Return whether a stream's address is one of v2."""
    from listeners.jetstream_v2 import PATH

    return urlsplit(url).path.rstrip("/").endswith(PATH)


def _written(seqs: "Seqs | None", newest: int) -> str:
    return str(newest) if seqs is None else f"{seqs.seq}:{newest}"


def read_cursor(cursor: str | None, started_at: datetime) -> int | None:
    """Return the time of the newest event read, or None where the cursor tells none, or one still to come."""
    if not cursor or not cursor.isascii() or not cursor.isdecimal() or len(cursor) > 18:
        return None
    newest = int(cursor)
    return newest if newest <= microseconds(started_at) else None


def lost(newest: int | None, oldest: int | None) -> str | None:
    """Return what cannot be had, where the stream begins well after the newest event that was read."""
    if newest is None or oldest is None or oldest - newest <= CLAMPED // timedelta(microseconds=1):
        return None
    since, until = (f"{moment(at / 1e6):%Y-%m-%d %H:%M}" for at in (newest, oldest))
    return f"what was said from {since} to {until} UTC is beyond the backlog of the stream"
