"""Hacker News stories and comments, all of them or those that a search finds.

Source: GET {url}/search_by_date, hn.algolia.com/api (2026-11), newest first. No authentication.
Limits: about 10,000 requests an hour and address by third-party accounts, no headers that say so; 1,000 hits a
query, whatever its pages (algolia/hn-search#230), hence slices of time: each goes down to and including the second
of the oldest hit of the slice above. Authors may edit for two hours, so each visit reads the last two again.
The search is fuzzy: what it finds need not name what was asked for. Accounts are user names, as they are.

The cursor holds what is still to be read: stretches of time per query. It moves with every page, so a visit that is
killed, or that has used up its requests, is taken up where it stopped. A stretch counts as read only when an answer
brought its last hit: an answer without hits moves nothing. The stretch then grows with the next
visit, which costs no further request. What is new comes first, then what was left, then the two hours again.
"""

import html
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any, Self

from pydantic import Field, model_validator

from listeners.feed import CURSOR_FAULTS, FeedFormatChanged, FeedOptions, Page, Phrases, Visit, WebAddress
from listeners.intervals import Interval, Progress, merged
from listeners.plain_text import clean, from_html
from listeners.post import empty_page, moment, row, text_of, to_page
from listeners.turns import in_turn

HAS_HISTORY = True  # any stretch of time can be asked for
HITS_A_PAGE = 1000  # the API's largest page, and all that one query gives
EDITABLE = 2 * 3600  # seconds in which an author may change an item
ITEM_PAGE = "https://news.ycombinator.com/item?id="


class Options(FeedOptions):
    """The keys of a hackernews feed in listening.toml."""

    url: WebAddress = Field(default="https://hn.algolia.com/api/v1", description="address of the search API")
    query: Phrases = Field(default=(), description="phrases to search for, each by itself; none means everything")
    tags: str = Field(default="(story,comment)", min_length=1, description="kinds of items, in the API's syntax")
    max_requests: int = Field(
        default=60, ge=2, le=10_000, description="searches per visit; the next visit goes on from there"
    )

    @model_validator(mode="after")
    def _enough_to_get_on(self) -> Self:
        if self.max_requests < 2 * len(self.query):  # what is new of each phrase, and a page of what is left
            raise ValueError(f"max_requests must be at least {2 * len(self.query)} for {len(self.query)} phrases")
        return self


@dataclass(frozen=True)
class Step:
    """What one answer tells: the part of its interval still to be read (None: all read), and what cannot be had."""

    rest: Interval | None
    lost: str | None = None


@dataclass
class _Reading:
    """What one visit knows: its budget, its progress per query, and the ids it has seen."""

    visit: Visit
    progress: dict[str, Progress]
    requests: int = 0
    cut_short: bool = False
    seen: set[str] = field(default_factory=set)  # an item found by two queries, or in two slices, comes once

    def may_ask(self) -> bool:
        """Whether a request is left; if not, the visit is cut short."""
        left = self.requests < self.visit.feed.max_requests
        self.cut_short |= not left
        return left

    def cursor(self) -> str:
        return write_cursor(self.progress, self.visit.feed)


async def pages(visit: Visit) -> AsyncIterator[Page]:
    """Yield hits, the newest first within each stretch of time still to be read, the queries in turn.

    With a window, the hits of that stretch and no others; the cursors then say what is left of it.
    Raises as FeedClient.get does; FeedFormatChanged where an answer is no search result.
    """
    feed: Options = visit.feed
    reading = _Reading(visit, read_cursor(None if visit.window else visit.cursor, feed))
    for done in reading.progress.values():
        if visit.window:
            start, end = (int(at.timestamp()) for at in visit.window)
            done.to_read = merged([Interval(max(0, start), end - 1)])
        else:
            done.begin(int(visit.started_at.timestamp()))
    async for page in in_turn(_hits(reading, query) for query in reading.progress):
        yield page
    if reading.cut_short and any(done.to_read for done in reading.progress.values()):
        when = "take a shorter stretch for the rest" if visit.window else "the rest is read from the next visit on"
        said = f"{reading.requests} searches used up; {when}"
        yield empty_page(reading.cursor(), capped=said)


async def _hits(reading: _Reading, query: str) -> AsyncIterator[Page]:
    """The pages of one query, in the order of its plan."""
    visit, done = reading.visit, reading.progress[query]
    for asked in list(done.to_read) if visit.window else done.plan(again=EDITABLE):
        rest: Interval | None = asked
        while rest is not None:
            if not reading.may_ask():
                return
            reading.requests += 1
            hits, found = await _search(visit, query, rest)
            if not hits:  # nothing there, or nothing for us: either way this part is asked for again
                yield empty_page(reading.cursor())
                break
            step = next_step(visit.feed.id, rest, hits, found)
            done.have_read(rest, step.rest)
            new = [hit for hit in hits if _first_seen(hit, reading.seen)]
            yield to_page(visit, new, lambda hit: to_post(hit, visit), cursor=reading.cursor(), capped=step.lost)
            rest = step.rest


def next_step(feed_id: str, asked: Interval, hits: list[Any], found: int) -> Step:
    """Return what to read next after hits for an interval; found: how many the server says there are.

    Raises FeedFormatChanged where no hit lies within the interval, since then nothing would ever end.
    """
    times = [created for hit in hits if (created := _created(hit)) is not None and asked.start <= created <= asked.end]
    if not times:
        raise FeedFormatChanged(feed_id, f"{len(hits)} hits, and none with a created_at_i from {asked.start} on")
    oldest = min(times)
    if found <= len(hits) and (len(hits) < HITS_A_PAGE or oldest == asked.end):
        return Step(None)
    if oldest < asked.end:
        return Step(Interval(asked.start, oldest))  # its second again: some of its hits may be beyond the page
    lost = f"second {oldest} may hold more than the {len(hits)} hits that can be had of it"
    return Step(Interval(asked.start, oldest - 1) if oldest > asked.start else None, lost)


def to_post(hit: dict[str, Any], visit: Visit) -> dict[str, Any]:
    """Return a story or comment as a row of posts.

    A story's link stands in its text, as a reader sees the site beside the title. Raises KeyError, TypeError or
    ValueError where the hit lacks what it must have.
    """
    number = hit["objectID"]
    if isinstance(number, bool) or not isinstance(number, str | int) or not str(number).strip():
        raise TypeError(f"'objectID' is {number!r}")
    tags = hit.get("_tags") or []
    is_comment = "comment" in tags or hit.get("comment_text") is not None
    title = None if is_comment else clean(html.unescape(text_of(hit, "title")))
    if is_comment:
        text = from_html(text_of(hit, "comment_text"))
    else:
        told, link = hit.get("story_text") or "", hit.get("url") or ""
        text = "\n".join(part for part in (from_html(told), link) if part)
    author = hit.get("author")
    return row(
        visit,
        post_id=post_id(number),
        kind="comment" if is_comment else "question" if "ask_hn" in tags else "post",
        url=f"{ITEM_PAGE}{number}",
        title=title,
        text=text,
        account=author if isinstance(author, str) else None,
        published_at=moment(hit.get("created_at_i")) or moment(hit.get("created_at")),
        parent_id=_other(hit.get("parent_id")) if is_comment else None,
        root_id=_other(hit.get("story_id")) if is_comment else None,
        likes=hit.get("points"),
        replies=hit.get("num_comments"),
    )


def post_id(number: object) -> str:
    """Return an item's post_id; its number is unique on Hacker News."""
    return f"hackernews:{number}"


def read_cursor(cursor: str | None, feed: Options) -> dict[str, Progress]:
    """Return the progress per query. One that is new, or whose place or tags changed, begins at the beginning."""
    try:
        saved = json.loads(cursor or "{}")
        same = saved.get("url") == feed.url and saved.get("tags") == feed.tags
        queries = saved["queries"] if same else {}
        known = {
            query: Progress(int(state["read_to"]), [Interval(int(a), int(b)) for a, b in state["to_read"]])
            for query, state in queries.items()
        }
    except CURSOR_FAULTS:
        known = {}
    return {query: known.get(query, Progress()) for query in feed.query or ("",)}


def write_cursor(progress: dict[str, Progress], feed: Options) -> str:
    """Return the progress as text."""
    queries = {query: {"read_to": done.read_to, "to_read": done.to_read} for query, done in progress.items()}
    return json.dumps({"url": feed.url, "tags": feed.tags, "queries": queries})


async def _search(visit: Visit, query: str, within: Interval) -> tuple[list[Any], int]:
    """The hits of one search, the newest first, and how many the server says there are."""
    feed: Options = visit.feed
    reply = await visit.client.get(
        f"{feed.url.rstrip('/')}/search_by_date",
        {
            "query": query,
            "tags": feed.tags,
            "numericFilters": f"created_at_i>={within.start},created_at_i<={within.end}",
            "hitsPerPage": HITS_A_PAGE,
        },
    )
    answer = reply.json()
    hits, found = (answer.get("hits"), answer.get("nbHits")) if isinstance(answer, dict) else (None, None)
    if not isinstance(hits, list) or not isinstance(found, int):
        raise FeedFormatChanged(feed.id, f"{reply.url}: JSON without a list `hits` and a number `nbHits`")
    return hits, found


def _first_seen(hit: Any, seen: set[str]) -> bool:
    """Whether a hit did not come before in this visit; one without an id goes on, to be rejected with its reason."""
    number = hit.get("objectID") if isinstance(hit, dict) else None
    if number is None:
        return True
    first = str(number) not in seen
    seen.add(str(number))
    return first


def _created(hit: Any) -> int | None:
    created = hit.get("created_at_i") if isinstance(hit, dict) else None
    return created if isinstance(created, int) and not isinstance(created, bool) else None


def _other(number: object) -> str | None:
    return post_id(number) if isinstance(number, int | str) and number else None
