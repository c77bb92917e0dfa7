"""The messages of a Jetstream, without the network: which of the posts they tell of are wanted, and what went.

Source: bluesky-social/jetstream-legacy README and docs/README.md of bluesky-social/jetstream (2026-11), the v1 wire of
/subscribe: one JSON object a message, kind "commit" (operation create, update or delete of a record), "identity" or
"account". The latter two come whatever collections are asked for. Other kinds are passed over.

A message is decoded into the fields that matter, and a post's text is held against the brands before anything is made
of it: of a hundred posts about one is kept. What the typed decoder refuses is read again leniently.
"""

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Annotated

import msgspec
from msgspec import Struct

from listeners import json_text
from listeners.bluesky_record import POST, Record, author_of, post_id, read, shown_text
from listeners.feed import NAMES_NO_BRAND

REMOVED = frozenset({"deleted", "takendown", "suspended", "deactivated"})  # an account; "desynchronized" is still there
DELETED = "deleted"  # why a post is left out


LATEST = 253_402_300_799_000_000  # the last second of the year 9999, in microseconds: what a datetime can hold


class Commit(Struct, gc=False):
    """A record of somebody's that was made, changed or deleted."""

    operation: str = ""
    collection: str = ""
    rkey: str = ""
    record: Record | None = None


class Account(Struct, gc=False):
    active: bool = True
    status: str | None = None


class Event(Struct, gc=False):
    """One message. time_us: when the server saw it, epoch microseconds; also its place in the stream."""

    did: str
    time_us: Annotated[int, msgspec.Meta(ge=0, le=LATEST)]
    kind: str
    commit: Commit | None = None
    account: Account | None = None


_decode = msgspec.json.Decoder(Event).decode


def read_event(message: bytes) -> Event:
    """Return the event that a message of v1 tells; parts that are not as documented count as absent.

    Raises ValueError, TypeError, KeyError or RecursionError where it is none.
    """
    try:
        return _decode(message)
    except (msgspec.MsgspecError, ValueError, RecursionError):
        return read(json_text.parse(message.decode("utf-8", "replace")), Event)


@dataclass(frozen=True)
class Found:
    """A post that is wanted. seen_us: epoch microseconds. message: as received."""

    post_id: str
    record: Record
    seen_us: int
    is_edit: bool
    message: bytes

    def __str__(self) -> str:  # as it is shown among the rejected
        return self.message.decode("utf-8", "replace")


@dataclass
class Batch:
    """What messages tell together: of each post how it stands after them all.

    wanted: whether a post of that title and text is to be stored. read: the event that a message tells, None to pass it
    over; it raises where that is none. posts: by post_id. taken_down: post_ids of what was
    deleted, or changed so that it is no longer wanted; removed: DIDs of accounts that went. unreadable: messages that
    are no events, or of posts that are none. events, size: messages, and their bytes. oldest, newest: epoch
    microseconds; None and 0 before the first.
    """

    wanted: Callable[[str | None, str], bool]
    read: Callable[[bytes], Event | None] = read_event
    posts: dict[str, Found] = field(default_factory=dict)
    taken_down: set[str] = field(default_factory=set)
    removed: set[str] = field(default_factory=set)
    unreadable: list[str] = field(default_factory=list)
    left_out: Counter[str] = field(default_factory=Counter)
    events: int = 0
    size: int = 0
    oldest: int | None = None
    newest: int = 0

    def take(self, message: bytes) -> None:
        """Read one message more."""
        self.events += 1
        self.size += len(message)
        try:
            event = self.read(message)
        except (ValueError, TypeError, KeyError, RecursionError):
            self.unreadable.append(message.decode("utf-8", "replace"))
            return
        if event is None:
            return
        if self.oldest is None:
            self.oldest = event.time_us
        if event.time_us > self.newest:
            self.newest = event.time_us
        commit = event.commit
        if commit is not None and event.kind == "commit":
            if commit.collection == POST:
                try:
                    self._commit(event, commit, message)
                except (ValueError, TypeError):
                    self.unreadable.append(message.decode("utf-8", "replace"))
        elif event.account is not None and event.kind == "account":
            self._account(event.did, event.account)

    def without_removed(self) -> "Batch":
        """Return the batch less the posts of accounts that went."""
        if self.removed:
            for post in [post for post in self.posts if author_of(post) in self.removed]:
                self._drop(post)
        return self

    def _commit(self, event: Event, commit: Commit, message: bytes) -> None:
        if commit.operation == "delete":
            post = post_id(event.did, commit.rkey)
            self._drop(post)
            self.taken_down.add(post)
        elif commit.operation in ("create", "update"):
            if commit.record is None:
                raise TypeError("no record")
            if self.wanted(None, shown_text(commit.record)):
                post = post_id(event.did, commit.rkey)
                is_edit = commit.operation == "update"
                self.posts[post] = Found(post, commit.record, event.time_us, is_edit, message)
                self.taken_down.discard(post)
            else:
                self.left_out[NAMES_NO_BRAND] += 1
                if commit.operation == "update":  # what is stored of it is no longer what its author says
                    post = post_id(event.did, commit.rkey)
                    self.posts.pop(post, None)
                    self.taken_down.add(post)

    def _account(self, did: str, account: Account) -> None:
        if account.active:
            self.removed.discard(did)
        elif account.status in REMOVED:
            self.removed.add(did)

    def _drop(self, post: str) -> None:
        if self.posts.pop(post, None) is not None:
            self.left_out[DELETED] += 1


def decoded(messages: Iterable[bytes], wanted: Callable[[str | None, str], bool]) -> Batch:
    """Return what messages tell together."""
    batch = Batch(wanted)
    for message in messages:
        batch.take(message)
    return batch.without_removed()
