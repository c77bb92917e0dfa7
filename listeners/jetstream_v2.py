"""The messages of a Jetstream v2, as the events of v1 that jetstream.py makes posts of.

Source: lexicons/network/bsky/jetstream/subscribeEvents.json and docs/README.md of bluesky-social/jetstream, frames of
xrpc.v1.json (2026-11): {"$type": "message", "payload": {"$type": "...#commit", "seq": 7, "did": ..., ...}}. A commit's
fields stand in the payload itself. Kinds besides commit and account are passed over. An "error" frame is the last one.

A place in the stream is a `seq`, which holds on one instance only and is inclusive: the event at it comes again. One
below what the server keeps is refused before the stream opens (400 CursorTooOld). A number from 10^15 on is taken for
microseconds, and one too old for the oldest there is. A seq beyond the newest is another instance's: the stream then
begins at its end, with an #info FutureCursor.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import msgspec
from msgspec import Struct

from listeners import json_text
from listeners.bluesky_record import Record, read
from listeners.jetstream import LATEST, Account, Commit, Event
from listeners.post import moment

PATH = "/xrpc/network.bsky.jetstream.subscribeEvents"
SUBPROTOCOL = "xrpc.v1.json"
TIMES_FROM = 10**15  # a cursor from here on is a time, in epoch microseconds
TOO_OLD = "CursorTooOld"


class Payload(Struct, gc=False, rename={"type": "$type", "witnessed_at": "witnessedAt"}):
    """What happened. name: of an #info."""

    type: str
    seq: int = 0
    did: str = ""
    time: str | None = None
    witnessed_at: str | None = None
    operation: str = ""
    collection: str = ""
    rkey: str = ""
    record: Record | None = None
    account: Account | None = None
    name: str | None = None


class Frame(Struct, gc=False, rename={"type": "$type"}):
    type: str
    payload: Payload | None = None


_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_decode = msgspec.json.Decoder(Frame).decode


@dataclass
class Seqs:
    """How far one stream is read. seq: of the newest event, None before the first. is_foreign: it is none of theirs."""

    seq: int | None = None
    is_foreign: bool = False

    def read(self, message: bytes) -> Event | None:
        """Return the event that a message tells; None where it was read before, or is nothing that concerns us.

        Raises ValueError, TypeError, KeyError or RecursionError where it is no frame.
        """
        try:
            frame = _decode(message)
        except (msgspec.MsgspecError, ValueError, RecursionError):
            frame = read(json_text.parse(message.decode("utf-8", "replace")), Frame)
        told = frame.payload
        if frame.type != "message" or told is None:
            return None
        kind = told.type.rpartition("#")[2]
        if kind == "info":
            self.is_foreign |= told.name == "FutureCursor"
            return None
        if not 0 < told.seq < TIMES_FROM:
            raise ValueError(f"'seq' is {told.seq}")
        at = moment(told.witnessed_at or told.time)
        time_us = (at - _EPOCH) // timedelta(microseconds=1) if at is not None else -1
        if not 0 <= time_us <= LATEST:
            raise ValueError("no 'time'")
        if self.seq is not None and told.seq <= self.seq:
            return None
        self.seq = told.seq
        commit = Commit(told.operation, told.collection, told.rkey, told.record) if kind == "commit" else None
        return Event(told.did, time_us, kind, commit, told.account if kind == "account" else None)
