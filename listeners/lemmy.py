"""Posts and comments that one Lemmy instance knows: of some communities, or all.

Source: GET {url}/api/v3/post/list and /api/v3/comment/list, sort=New; join-lemmy.org/api and crates/db_views of
LemmyNet/lemmy 0.18 and 0.19 (2026-11). No token. 1.0 answers at /api/v4, which is not read here.
Limits: 50 a page; requests by address as the admin sets them, 429, or 400 rate_limit_error in older versions.
Posts go on from an opaque `next_page` (0.18: page numbers), comments from page numbers alone, which move down with what
is new and up with what is gone. Featured posts stand on top, however old. Times may lack a zone, and are UTC (0.18).
Local ids are numbers; `ap_id` is the same on every instance, and is what a post is known by here. Texts are Markdown.
Accounts are names with their instance.

Left out and counted: accounts marked as bots ("bot"), or with #nobot, #nobots or #noindex in their bio ("nobot"); there
is no place to opt in. What is shown as deleted or removed is taken down; most lists no longer show it at all.

The cursor holds, per list, the stretches of time still to be read, and where in the list they are; it moves with every
page. What is new comes first, then what was left, then two hours again, for edits and for what other instances sent
late; what comes or is edited later than that is not seen, and what goes is asked for (lemmy_kept.py). A list whose
first page is empty moves nothing (FAULTS 7).
"""

import json
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Self
from urllib.parse import urlsplit

from pydantic import Field, model_validator

from listeners import intervals, lemmy_kept
from listeners.budget import Budget
from listeners.consent import refuses, without_opt_in
from listeners.feed import (
    CURSOR_FAULTS,
    FeedBlocked,
    FeedFormatChanged,
    FeedOptions,
    FeedUnavailable,
    Page,
    Phrases,
    TakenDown,
    Visit,
    WebAddress,
)
from listeners.intervals import Interval
from listeners.markdown import from_markdown
from listeners.plain_text import clean
from listeners.post import LeftOut, empty_page, moment, row, text_of, to_page, web_address
from listeners.reply import Reply
from listeners.turns import in_turn

POSTS_A_PAGE = 50  # the API's largest page
OVERLAP = 2 * 3600  # seconds that a post may come late, or be edited, and still be seen

standing = lemmy_kept.standing

LIMITED = ("rate_limit_error", "too_many_requests")
PRIVATE = ("instance_is_private", "not_logged_in", "incorrect_login")

Place = int | str  # in a list: a page number, from 1, or an opaque cursor


class Options(FeedOptions):
    """The keys of a lemmy feed in listening.toml."""

    url: WebAddress = Field(description="the instance, as in https://lemmy.world")
    communities: Phrases = Field(
        default=(), description="communities, as in technology or technology@lemmy.world; none means all it knows"
    )
    max_requests: int = Field(
        default=100, ge=6, le=10_000, description="requests per visit; the next visit goes on from there"
    )

    @model_validator(mode="after")
    def _enough_to_get_on(self) -> Self:
        least = 6 * max(1, len(self.communities))  # of posts and comments: the new, where the rest is, and one of it
        if self.max_requests < least:
            raise ValueError(f"max_requests must be at least {least} for {len(self.communities)} communities")
        return self


class Listing(NamedTuple):
    """One list of an instance. kind: post or comment. community: empty for all."""

    kind: str
    community: str


@dataclass
class Progress(intervals.Progress):
    """How far one list is read, in epoch seconds. places: the end of a stretch -> where the list shows it."""

    places: dict[int, Place] = field(default_factory=dict)

    def leave(self, asked: Interval, rest: Interval | None, further: Place | None) -> None:
        """Take off what was read of a stretch; further: where the list goes on, None at its end."""
        self.have_read(asked, rest)
        self.places.pop(asked.end, None)
        if further is not None:
            # A page number moves, so the place is the page before: one that still shows what was read is far enough up
            place = max(1, further - 1) if isinstance(further, int) else further
            self.places[rest.end if rest else asked.start - 1] = place


@dataclass
class _Reading:
    """What one visit knows: its budget, its progress per list, and what it has seen."""

    visit: Visit
    progress: dict[Listing, Progress]
    budget: Budget
    seen: set[str] = field(default_factory=set)
    ap_ids: dict[tuple[str, int], str] = field(default_factory=dict)  # kind and id on this instance -> ap_id

    def cursor(self) -> str:
        return write_cursor(self.progress, self.visit.feed)


async def pages(visit: Visit) -> AsyncIterator[Page]:
    """Yield posts and comments, the newest first within each stretch still to be read, the lists in turn.

    Raises as FeedClient.get does; FeedBlocked where the instance is private; FeedFormatChanged where an answer is not
    that of version 3 of the API.
    """
    reading = _Reading(visit, read_cursor(visit.cursor, visit.feed), Budget(visit))
    async for page in in_turn(_listed(reading, listing) for listing in reading.progress):
        yield page
    if reading.budget.cut_short and any(done.to_read for done in reading.progress.values()):
        yield empty_page(reading.cursor(), capped=reading.budget.said())


async def _listed(reading: _Reading, listing: Listing) -> AsyncIterator[Page]:
    """The pages of one list, in the order of its plan."""
    done = reading.progress[listing]
    done.begin(int(reading.visit.started_at.timestamp()))
    for asked in done.plan(again=OVERLAP):
        rest: Interval | None = asked
        place = done.places.get(asked.end, 1)
        resumed = place != 1
        while rest is not None:
            if not reading.budget.may_ask():
                return
            items, further = await _shown(reading, listing, place)
            times = _times(listing, items)
            if resumed and isinstance(place, int) and place > 1 and max(times, default=0) < rest.end:
                place -= 1  # what stood above is gone, so part of the stretch has moved up
                done.places[rest.end] = place
                continue
            resumed = False
            if not items and place == 1:
                suspect = "an empty list, where posts were read before" if rest.start else None
                yield empty_page(reading.cursor(), suspect=suspect)
                break
            oldest = min(times, default=rest.end)
            ended = further is None or further == place or oldest < rest.start
            left = None if ended else Interval(rest.start, min(oldest, rest.end))
            done.leave(rest, left, further)
            yield _page(reading, listing, items)
            rest, place = left, further or 1


def _page(reading: _Reading, listing: Listing, items: list[Any]) -> Page:
    """The page of items that did not come before in this visit."""
    new, gone = [], set()
    for item in items:
        for kind in ("post", "comment"):  # a comment comes with its post
            about = about_in(item, kind)
            if isinstance(about.get("ap_id"), str) and isinstance(about.get("id"), int):
                reading.ap_ids[kind, about["id"]] = about["ap_id"]
        about = about_in(item, listing.kind)
        ap_id = about.get("ap_id")
        if isinstance(ap_id, str):
            if ap_id in reading.seen:
                continue
            reading.seen.add(ap_id)
            gone |= {post_id(ap_id)} if is_gone(about) else set()
        new.append(item)
    return to_page(
        reading.visit,
        new,
        lambda item: to_post(item, listing.kind, reading.visit, reading.ap_ids),
        cursor=reading.cursor(),
        taken_down=TakenDown(frozenset(gone)) if gone else None,
    )


def to_post(item: dict[str, Any], kind: str, visit: Visit, ap_ids: dict[tuple[str, int], str]) -> dict[str, Any]:
    """Return a post or comment, as the API's view of it, as a row of posts.

    kind: post or comment. ap_ids: of what this visit read, by kind and id on the instance.
    Raises LeftOut where it is gone or may not be stored; KeyError, TypeError or ValueError where it lacks what it must
    have.
    """
    about, creator, counts = item[kind], item["creator"], item.get("counts")
    if is_gone(about):
        raise LeftOut("deleted")
    consent = consent_of(creator, visit)
    ap_id = text_of(about, "ap_id")
    if not ap_id.strip():
        raise ValueError("'ap_id' is empty")
    is_comment = kind == "comment"
    root = _root(item, visit, ap_ids) if is_comment else None
    counts = counts if isinstance(counts, dict) else {}
    return row(
        visit,
        post_id=post_id(ap_id),
        kind=kind,
        url=ap_id,
        title=None if is_comment else clean(text_of(about, "name")),
        text=from_markdown(text_of(about, "content")) if is_comment else _told(about),
        account=handle(creator, visit.feed.url),
        published_at=about.get("published"),
        edited_at=moment(about.get("updated")),
        parent_id=(_parent(about, visit, ap_ids) or root) if is_comment else None,
        root_id=root,
        likes=counts.get("score"),
        replies=counts.get("child_count" if is_comment else "comments"),
        consent=consent,
    )


def consent_of(creator: dict[str, Any], visit: Visit) -> str:
    """Return what the author said about being read by machines. Raises LeftOut for bots and refusals."""
    if creator.get("bot_account") is True:
        raise LeftOut("bot")
    if refuses(f"{creator.get('display_name') or ''} {creator.get('bio') or ''}"):
        raise LeftOut("nobot")
    return without_opt_in(visit)


def handle(creator: dict[str, Any], url: str) -> str:
    """Return an account's name with its instance, in lower case."""
    name = text_of(creator, "name").strip().lower()
    if not name:
        raise ValueError("'name' is empty")
    home = urlsplit(str(creator.get("actor_id") or "")).hostname or urlsplit(url).hostname
    return f"{name}@{home}"


def post_id(ap_id: str) -> str:
    """Return the post_id of a post or comment; its ap_id is the same on every instance."""
    return f"lemmy:{ap_id.strip()}"


def read_cursor(cursor: str | None, feed: Options) -> dict[Listing, Progress]:
    """Return the progress per list. Places hold on one instance, so another URL begins anew."""
    try:
        saved = json.loads(cursor or "{}")
        known = {
            Listing(str(kind), str(community)): Progress(
                int(read_to),
                [Interval(int(start), int(end)) for start, end, _ in to_read],
                {int(end): place for _, end, place in to_read if isinstance(place, int | str)},
            )
            for kind, community, read_to, to_read in (saved["lists"] if saved.get("url") == feed.url else [])
            if read_to is not None
        }
    except CURSOR_FAULTS:
        known = {}
    wanted = [Listing(kind, community) for community in feed.communities or ("",) for kind in ("post", "comment")]
    return {listing: known.get(listing, Progress()) for listing in wanted}


def write_cursor(progress: dict[Listing, Progress], feed: Options) -> str:
    """Return the progress as text."""
    lists = [
        [*listing, done.read_to, [[start, end, done.places.get(end)] for start, end in done.to_read]]
        for listing, done in progress.items()
    ]
    return json.dumps({"url": feed.url, "lists": lists})


async def _shown(reading: _Reading, listing: Listing, place: Place) -> tuple[list[Any], Place | None]:
    """The items at a place, and where the list goes on; None at its end.

    A cursor that holds no more, as its post is gone, shows nothing and leads to the list's beginning.
    """
    reading.budget.spent += 1
    visit = reading.visit
    feed: Options = visit.feed
    params: dict[str, str | int] = {"type_": "All", "sort": "New", "limit": POSTS_A_PAGE}
    params |= {"community_name": listing.community} if listing.community else {}
    params |= {"page": place} if isinstance(place, int) else {"page_cursor": place}
    url = f"{feed.url.rstrip('/')}/api/v3/{listing.kind}/list"
    reply = await visit.client.get(url, params, answers=frozenset({400, 404}))
    if reply.status >= 400:
        if isinstance(place, str) and error_in(reply) not in (*LIMITED, *PRIVATE):
            return [], 1
        raise refusal(feed.id, reply)
    answer = reply.json()
    items = answer.get(f"{listing.kind}s") if isinstance(answer, dict) else None
    if not isinstance(items, list):
        raise FeedFormatChanged(feed.id, f"{reply.url}: JSON without a list `{listing.kind}s`")
    if not items:
        return [], None
    cursor = answer.get("next_page")
    if isinstance(cursor, str) and re.fullmatch(r"\S{1,500}", cursor):
        return items, cursor
    return items, place + 1 if isinstance(place, int) else None


def refusal(feed_id: str, reply: Reply) -> FeedBlocked | FeedUnavailable:
    """Return the error that an answer of 400 or 404 stands for."""
    error = error_in(reply)
    if error in PRIVATE:
        return FeedBlocked(feed_id, f"{reply.url}: {reply.status} {error}")
    hint = "no /api/v3 there (Lemmy 1.0 has /api/v4, which is not read here)" if reply.status == 404 else ""
    return FeedUnavailable(feed_id, f"{reply.url}: {reply.status} {error or hint}".rstrip())


def error_in(reply: Reply) -> str | None:
    """Return what an error object names, or None where the answer is none."""
    try:
        answer = reply.json()
    except FeedFormatChanged:
        return None
    error = answer.get("error") if isinstance(answer, dict) else None
    return clean(error)[:100] if isinstance(error, str) else None


def about_in(item: Any, kind: str) -> dict[str, Any]:
    """Return the post or comment within a view of it, or nothing where there is none."""
    about = item.get(kind) if isinstance(item, dict) else None
    return about if isinstance(about, dict) else {}


def is_gone(about: dict[str, Any]) -> bool:
    """Return whether a post or comment was deleted by its author, or removed by a moderator."""
    return about.get("deleted") is True or about.get("removed") is True


def _told(post: dict[str, Any]) -> str:
    """A post's text and link, as a reader sees them below the title."""
    body, link = post.get("body"), web_address(post.get("url"))
    return "\n".join(part for part in (from_markdown(body) if isinstance(body, str) else "", link) if part)


def _times(listing: Listing, items: list[Any]) -> list[int]:
    """When the items were published, those that are kept on top left out."""
    told = (about_in(item, listing.kind) for item in items)
    dated = (moment(about.get("published")) for about in told if not _is_featured(about))
    return [int(at.timestamp()) for at in dated if at is not None]


def _is_featured(about: dict[str, Any]) -> bool:
    return bool(about.get("featured_local") or about.get("featured_community"))


def _root(item: dict[str, Any], visit: Visit, ap_ids: dict[tuple[str, int], str]) -> str | None:
    """The post that a comment is under."""
    ap_id = about_in(item, "post").get("ap_id")
    if isinstance(ap_id, str) and ap_id.strip():
        return post_id(ap_id)
    return _known("post", item["comment"].get("post_id"), visit, ap_ids)


def _parent(comment: dict[str, Any], visit: Visit, ap_ids: dict[tuple[str, int], str]) -> str | None:
    """The comment that a comment answers; None where it answers the post. `path` is 0, its elders, and itself."""
    path = comment.get("path")
    elders = path.split(".")[1:-1] if isinstance(path, str) else []
    return _known("comment", int(elders[-1]), visit, ap_ids) if elders and elders[-1].isdecimal() else None


def _known(kind: str, number: object, visit: Visit, ap_ids: dict[tuple[str, int], str]) -> str | None:
    """What has a number on this instance: its post_id where it was read in this visit, or a name that joins nothing."""
    if not isinstance(number, int):
        return None
    if (kind, number) in ap_ids:
        return post_id(ap_ids[kind, number])
    return f"lemmy:{urlsplit(visit.feed.url).hostname}/{kind}/{number}"
