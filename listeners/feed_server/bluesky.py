"""Bluesky: a Jetstream under /bluesky/subscribe, and under /bluesky/xrpc its second version, profiles, sessions and
the search of posts.

Source: both wires of bluesky-social/jetstream (docs/README.md, internal/subscribe, lexicons), the lexicons of
bluesky-social/atproto, and what was recorded of both. Limits, as there: 25 profiles or posts a request, 100 posts a
page of the search, which no stranger may use. A Jetstream keeps about a day; this one all there is unless told
otherwise.

What is public on Mastodon is said here once more, by accounts of the same names. Some posts are deleted some hours
later, some clients' clocks are a day ahead, and one account closes after its last post.
"""

import json
from base64 import b32encode
from collections import defaultdict
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import cached_property, partial
from hashlib import sha256
from typing import Any
from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route, WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

from listeners.feed_server.markup import links
from listeners.feed_server.people import Author
from listeners.feed_server.posts import WorldPost
from listeners.feed_server.world import World

HANDLE = "listener.bsky.example"
PASSWORD = "cheese-cheese-cheese"  # noqa: S105 it opens nothing but this server
COLLECTION = "app.bsky.feed.post"
STREAM = "network.bsky.jetstream.subscribeEvents"
FRAMING = "xrpc.v1.json"
TIMES_FROM = 10**15  # a cursor of the second version from here on is a time in microseconds
SEQS_FROM = 1_577_836_800_000_000  # microseconds of 2020: seqs have gaps there, too, and are below TIMES_FROM
MAX_PROFILES = MAX_POSTS = 25
MAX_PAGE = 100
DEFAULT_PAGE = 25
SHOWN_PATH = 15  # characters of a link's path that an app shows
Clock = Callable[[], datetime]

_TOKEN = "a.session.token"  # noqa: S105 as above
_SORTABLE = "234567abcdefghijklmnopqrstuvwxyz"


def routes(world: World, clock: Clock, *, backlog: timedelta | None = None) -> list[BaseRoute]:
    """Return the routes under /bluesky. backlog: how far back the stream goes; None for all the way."""
    sky = Sky(world)

    async def subscribe(socket: WebSocket) -> None:
        query = socket.query_params
        asked = query.get("cursor", "")
        if asked and not asked.isdecimal():
            await socket.send_denial_response(JSONResponse({"error": "invalid cursor"}, 400))
            return
        await socket.accept()
        now = clock()
        since = int(asked) if asked else _microseconds(now) + 1
        if backlog is not None:
            since = max(since, _microseconds(now - backlog))
        collections, largest = query.getlist("wantedCollections"), int(query.get("maxMessageSizeBytes") or 0)
        try:
            for event in sky.events(since, now):
                text = json.dumps(event, ensure_ascii=False, separators=(",", ":"))
                wanted = "commit" not in event or not collections or COLLECTION in collections
                if wanted and (not largest or len(text.encode()) <= largest):
                    await socket.send_text(text)
            await socket.send_text(json.dumps(_alive(now)))  # the network never rests: something happens at any time
            while True:
                await socket.receive_text()
        except WebSocketDisconnect:
            return

    async def subscribe_v2(socket: WebSocket) -> None:
        now, asked = clock(), socket.query_params.get("cursor", "")
        told, tip = sky.frames(now), sky.seq_at(now)
        floor = _microseconds(now - backlog) if backlog is not None else 0
        kept = [(seq, at, frame) for seq, at, frame in told if at >= floor]
        cursor = int(asked) if asked.isdecimal() else tip
        if cursor < (kept[0][0] if kept else tip):
            said = {"error": "CursorTooOld", "message": "cursor is below what is kept"}
            await socket.send_denial_response(JSONResponse(said, 400))
            return
        await socket.accept(
            subprotocol=FRAMING if FRAMING in socket.headers.get("sec-websocket-protocol", "") else None
        )
        try:
            if tip < cursor < TIMES_FROM:
                await socket.send_json(_frame("info", {"name": "FutureCursor", "message": "started at the tip"}))
            for seq, at, frame in kept:
                if (at if cursor >= TIMES_FROM else seq) >= cursor:
                    await socket.send_text(json.dumps(frame, ensure_ascii=False, separators=(",", ":")))
            alive = {
                "seq": tip,
                "did": _did(HANDLE),
                "time": _exactly(_microseconds(now)),
                "identity": {"did": _did(HANDLE)},
            }
            await socket.send_json(_frame("identity", alive))
            while True:
                await socket.receive_text()
        except WebSocketDisconnect:
            return

    def profiles(request: Request) -> Response:
        actors = request.query_params.getlist("actors")
        if not 0 < len(actors) <= MAX_PROFILES:
            return _error(400, "InvalidRequest", f"Error: actors must not have more than {MAX_PROFILES} elements")
        return JSONResponse({"profiles": [known for did in actors if (known := sky.profile(did, clock()))]})

    def profile(request: Request) -> Response:
        known = sky.profile(request.query_params.get("actor", ""), clock())
        return JSONResponse(known) if known else _error(400, "InvalidRequest", "Profile not found")

    def posts(request: Request) -> Response:
        uris, now = request.query_params.getlist("uris"), clock()
        if not 0 < len(uris) <= MAX_POSTS:
            return _error(400, "InvalidRequest", f"Error: uris must not have more than {MAX_POSTS} elements")
        return JSONResponse({"posts": [sky.view(post, now) for post in sky.standing(now) if uri(post) in uris]})

    async def session(request: Request) -> Response:
        given = await request.json()
        if (given.get("identifier"), given.get("password")) != (HANDLE, PASSWORD):
            return _error(401, "AuthenticationRequired", "Invalid identifier or password")
        return JSONResponse({"did": _did(HANDLE), "handle": HANDLE, "accessJwt": _TOKEN, "refreshJwt": _TOKEN})

    def search(request: Request) -> Response:
        if request.headers.get("authorization") != f"Bearer {_TOKEN}":
            return _error(401, "AuthMissing", "Authentication Required")
        return _search(sky, clock(), request.query_params)

    return [
        WebSocketRoute("/bluesky/subscribe", subscribe),
        WebSocketRoute(f"/bluesky/xrpc/{STREAM}", subscribe_v2),
        Route("/bluesky/xrpc/app.bsky.actor.getProfiles", profiles),
        Route("/bluesky/xrpc/app.bsky.actor.getProfile", profile),
        Route("/bluesky/xrpc/app.bsky.feed.getPosts", posts),
        Route("/bluesky/xrpc/com.atproto.server.createSession", session, methods=["POST"]),
        Route("/bluesky/xrpc/app.bsky.feed.searchPosts", search),
    ]


def kept(world: World, now: datetime, server: str) -> set[str]:
    """Return the post_ids that a listener which read the stream up to now holds as standing, consent being opt_out."""
    sky = Sky(world)
    return {f"bluesky:{uri(post)}" for post in sky.standing(now) if not post.author.refuses}


def uri(post: WorldPost) -> str:
    """Return the address of the post's record."""
    return f"at://{_did(post.author.name)}/{COLLECTION}/{_key(post)}"


def deleted_at(post: WorldPost) -> datetime | None:
    """Return when the post is deleted; None for never."""
    if post.id % 17 != 3:
        return None
    last = max(post.published_at, post.edited[0] if post.edited else post.published_at)
    return last + timedelta(hours=1 + post.id % 5)


class Sky:
    """World posts as Bluesky's records, events and views."""

    def __init__(self, world: World) -> None:
        self._world = world
        self.posts = [post for post in world.visible(world.until, "mastodon") if post.visibility == "public"]
        self._authors = {_did(post.author.name): post.author for post in self.posts}
        times: dict[str, list[datetime]] = defaultdict(list)
        for post in self.posts:
            times[_did(post.author.name)].append(post.edited[0] if post.edited else post.published_at)
        ordinary = (did for did, said in times.items() if len(said) > 1 and not self._authors[did].refuses)
        self.closed = next((did for did in ordinary if not self._authors[did].is_brand), "")
        self.closed_at = max(times.get(self.closed, [world.until])) + timedelta(hours=2)

    def events(self, since: int, now: datetime) -> list[dict[str, Any]]:
        """Return what happened from a time in microseconds to now."""
        until = _microseconds(now)
        return [event for event in self._events if since <= event["time_us"] <= until]

    def frames(self, now: datetime) -> list[tuple[int, int, dict[str, Any]]]:
        """Return what happened up to now, in the words of the second version: seq, microseconds, frame."""
        until, seq = _microseconds(now), 0
        told = []
        for event in self._events:
            if event["time_us"] > until:
                break
            seq = max(seq + 1, event["time_us"] - SEQS_FROM)
            at = _exactly(event["time_us"])
            about = event["commit"] if event["kind"] == "commit" else {"account": event["account"]}
            payload = {"seq": seq, "did": event["did"], "time": at, "witnessedAt": at, **about}
            told.append((seq, event["time_us"], _frame(event["kind"], payload)))
        return told

    def seq_at(self, now: datetime) -> int:
        """Return the seq of what happens now, after all else."""
        told = self.frames(now)
        return max(told[-1][0] + 1 if told else 0, _microseconds(now) - SEQS_FROM)

    def standing(self, now: datetime) -> list[WorldPost]:
        """Return the posts that are there now, oldest first."""
        there = [post for post in self.posts if post.published_at <= now and not _gone(post, now)]
        return [post for post in there if _did(post.author.name) != self.closed or self.closed_at > now]

    def profile(self, did: str, now: datetime) -> dict[str, Any] | None:
        """Return an account as it shows itself, or None where there is none."""
        author = self._authors.get(did)
        if author is None or (did == self.closed and self.closed_at <= now):
            return None
        return _basic(author) | {
            "description": author.note,
            "followersCount": author.followers,
            "followsCount": 20 + author.followers // 3,
            "postsCount": 5 + author.followers * 2,
            "indexedAt": _iso(author.joined),
        }

    def view(self, post: WorldPost, now: datetime) -> dict[str, Any]:
        """Return a post as the search shows it."""
        return {
            "uri": uri(post),
            "cid": _cid(post.text_at(now)),
            "author": _basic(post.author),
            "record": self.record(post, post.text_at(now)),
            "replyCount": len(self._world.answers(post, now)),
            "repostCount": post.shares,
            "likeCount": post.likes,
            "quoteCount": 0,
            "indexedAt": _iso(post.published_at),
            "labels": [],
        }

    def record(self, post: WorldPost, text: str) -> dict[str, Any]:
        """Return the post as its author wrote it, links shortened as an app does."""
        text, facets = _shortened(f"{post.spoiler}\n\n{text}" if post.spoiler else text)
        ahead = timedelta(days=1) if post.id % 41 == 0 else timedelta(0)
        record: dict[str, Any] = {
            "$type": COLLECTION,
            "createdAt": _iso(post.published_at + ahead),
            "text": text,
            **({"langs": [post.language]} if post.language else {}),
            **({"facets": facets} if facets else {}),
        }
        if post.parent is not None:
            parent = self._world.posts[post.parent]
            root = self._world.posts[post.root] if post.root is not None else parent
            record["reply"] = {"root": _reference(root), "parent": _reference(parent)}
        if post.quotes is not None:
            quoted = _reference(self._world.posts[post.quotes])
            record["embed"] = {"$type": "app.bsky.embed.record", "record": quoted}
        return record

    @cached_property
    def _events(self) -> list[dict[str, Any]]:
        """Everything that ever happens, in order."""
        found = []
        for post in self.posts:
            commit = partial(_commit, post)
            found.append(commit(post.published_at, "create", self.record(post, post.text)))
            if post.edited:
                found.append(commit(post.edited[0], "update", self.record(post, post.edited[1])))
            if gone := deleted_at(post):
                found.append(commit(gone, "delete", None))
        if self.closed:
            at = {"did": self.closed, "time_us": _microseconds(self.closed_at), "kind": "account"}
            said = {"active": False, "did": self.closed, "seq": 1, "status": "deleted", "time": _iso(self.closed_at)}
            found.append(at | {"account": said})
        return sorted(found, key=lambda event: event["time_us"])


def _search(sky: Sky, now: datetime, query: Any) -> Response:
    try:
        limit, start = int(query.get("limit", DEFAULT_PAGE)), int(query.get("cursor") or 0)
        bounds = [datetime.fromisoformat(query[name]) if query.get(name) else None for name in ("since", "until")]
    except ValueError as error:
        return _error(400, "InvalidRequest", str(error))
    if not 1 <= limit <= MAX_PAGE or not query.get("q"):
        return _error(400, "InvalidRequest", f"Error: limit must be from 1 to {MAX_PAGE}, and q something")
    since, until = bounds
    words = query["q"].replace('"', "").lower()
    found = [
        post
        for post in sky.standing(now)
        if words in post.text_at(now).lower()
        and (since is None or post.published_at >= since)
        and (until is None or post.published_at < until)
    ][::-1]
    shown = found[start : start + limit]
    more = {"cursor": str(start + limit)} if len(found) > start + limit else {}
    return JSONResponse({"posts": [sky.view(post, now) for post in shown], "hitsTotal": len(found), **more})


def _gone(post: WorldPost, now: datetime) -> bool:
    at = deleted_at(post)
    return at is not None and at <= now


def _commit(post: WorldPost, at: datetime, operation: str, record: dict[str, Any] | None) -> dict[str, Any]:
    commit = {"rev": _key(post), "operation": operation, "collection": COLLECTION, "rkey": _key(post)}
    if record is not None:
        commit |= {"record": record, "cid": _cid(record["text"])}
    return {"did": _did(post.author.name), "time_us": _microseconds(at), "kind": "commit", "commit": commit}


def _alive(now: datetime) -> dict[str, Any]:
    """An event that says nothing but that it happens now."""
    did = _did(HANDLE)
    identity = {"did": did, "handle": HANDLE, "seq": 2, "time": _iso(now)}
    return {"did": did, "time_us": _microseconds(now), "kind": "identity", "identity": identity}


def _frame(kind: str, payload: dict[str, Any]) -> dict[str, Any]:
    return {"$type": "message", "payload": {"$type": f"{STREAM}#{kind}", **payload}}


def _basic(author: Author) -> dict[str, Any]:
    did = _did(author.name)
    label = {"src": did, "uri": f"at://{did}/app.bsky.actor.profile/self", "val": "!no-unauthenticated"}
    return {
        "did": did,
        "handle": f"{author.name.replace('_', '-')}.bsky.example",
        "displayName": author.display_name,
        "labels": [label | {"cts": _iso(author.joined)}] if author.noindex else [],
        "createdAt": _iso(author.joined),
    }


def _shortened(text: str) -> tuple[str, list[dict[str, Any]]]:
    """A text with its links as an app shows them, and the facets that say where they lead."""
    pieces: list[str] = []
    facets, done, length = [], 0, 0
    for start, address in links(text):
        parts = urlsplit(address)
        path = address.split(parts.netloc, 1)[1]
        shown = parts.netloc + (f"{path[: SHOWN_PATH - 2]}..." if len(path) > SHOWN_PATH else path)
        begin = length + len(text[done:start].encode())
        length = begin + len(shown.encode())
        pieces += [text[done:start], shown]
        done = start + len(address)
        link = {"$type": "app.bsky.richtext.facet#link", "uri": address}
        facets.append({"index": {"byteStart": begin, "byteEnd": length}, "features": [link]})
    return "".join(pieces) + text[done:], facets


def _reference(post: WorldPost) -> dict[str, str]:
    return {"cid": _cid(post.text), "uri": uri(post)}


def _did(name: str) -> str:
    return f"did:plc:{b32encode(sha256(name.encode()).digest()).decode().lower()[:24]}"


def _cid(text: str) -> str:
    return f"bafyrei{b32encode(sha256(text.encode()).digest()).decode().lower().rstrip('=')}"


def _key(post: WorldPost) -> str:
    """A TID: microseconds and a few bits more in thirteen sortable letters."""
    number = (_microseconds(post.published_at) << 10) | (post.id & 0x3FF)
    return "".join(_SORTABLE[number >> shift & 31] for shift in range(60, -1, -5))


def _microseconds(at: datetime) -> int:
    return (at - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)


def _exactly(time_us: int) -> str:
    at = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=time_us)
    return at.strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def _iso(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.") + f"{at.microsecond // 1000:03d}Z"


def _error(status: int, error: str, message: str) -> Response:
    return JSONResponse({"error": error, "message": message}, status)
