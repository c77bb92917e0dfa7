"""Hacker News stories and comments, all of them or those that a search finds.

Source: GET {url}/search_by_date, hn.algolia.com/api (2026-11), newest first. No authentication.
Limits: about 10,000 requests an hour and address by third-party accounts, no headers that say so; 1,000 hits a
query, whatever its pages (algolia/hn-search#230), hence slices of time: each goes down to and including the second
of the oldest hit of the slice above. Authors may edit for two hours, so each visit reads the last two again.
The search is fuzzy: what it finds need not name what was asked for. Accounts are user names, as they are.

What is read and what is not: searches.py.

Kept items are asked for again at {items_url}/item/ID.json, github.com/HackerNews/API (2026-11), without any limit yet:
what is `null`, `deleted` or `dead` (killed by moderators or software) is gone.
"""

import html
from collections.abc import AsyncIterator, Sequence
from typing import Any, Self

from pydantic import Field, model_validator

from listeners.feed import FeedFormatChanged, FeedOptions, Page, Phrases, Visit, WebAddress
from listeners.intervals import Interval
from listeners.plain_text import clean, from_html
from listeners.post import empty_page, first_seen, moment, number_in, row, text_of, to_page
from listeners.searches import Searches, next_step
from listeners.standing import Kept, asked_singly

HAS_HISTORY = True  # any stretch of time can be asked for
HITS_A_PAGE = 1000  # the API's largest page, and all that one query gives
EDITABLE = 2 * 3600  # seconds in which an author may change an item
ITEM_PAGE = "https://news.ycombinator.com/item?id="


class Options(FeedOptions):
    """The keys of a hackernews feed in listening.toml."""

    url: WebAddress = Field(default="https://hn.algolia.com/api/v1", description="address of the search API")
    items_url: WebAddress = Field(
        default="https://hacker-news.firebaseio.com/v0", description="address where kept posts are asked for again"
    )
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


async def pages(visit: Visit) -> AsyncIterator[Page]:
    """Yield hits, the newest first within each stretch of time still to be read, the queries in turn.

    With a window, the hits of that stretch and no others; the cursors then say what is left of it.
    Raises as FeedClient.get does; FeedFormatChanged where an answer is no search result.
    """
    feed: Options = visit.feed
    searches = Searches.of(visit, feed.query or ("",), (feed.url, feed.tags))
    async for page in searches.pages(lambda query: _hits(searches, query)):
        yield page


async def _hits(searches: Searches[str], query: str) -> AsyncIterator[Page]:
    """The pages of one query, in the order of its plan."""
    visit, done = searches.visit, searches.progress[query]
    for asked in searches.plan(query, again=EDITABLE):
        rest: Interval | None = asked
        while rest is not None:
            if not searches.budget.may_ask():
                return
            searches.budget.spent += 1
            hits, found = await _search(visit, query, rest)
            if not hits:  # nothing there, or nothing for us: either way this part is asked for again
                yield empty_page(searches.cursor())
                break
            times = [number_in(hit, "created_at_i") for hit in hits]
            more = found > len(hits) or (len(hits) >= HITS_A_PAGE and set(times) != {rest.end})
            step = next_step(visit.feed.id, rest, times, more=more)
            done.have_read(rest, step.rest)
            new = first_seen(hits, _name, searches.seen)
            yield to_page(visit, new, lambda hit: to_post(hit, visit), cursor=searches.cursor(), capped=step.lost)
            rest = step.rest


async def standing(visit: Visit, kept: Sequence[Kept]) -> AsyncIterator[Page]:
    """Yield which of the kept items are gone. Raises as FeedClient.get does."""
    base = visit.feed.items_url.rstrip("/")
    addresses = {one.post_id: f"{base}/item/{one.post_id.removeprefix('hackernews:')}.json" for one in kept}
    async for page in asked_singly(visit, addresses, is_gone=_is_gone):
        yield page


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


def _is_gone(item: Any) -> bool:
    return item is None or (isinstance(item, dict) and (item.get("deleted") is True or item.get("dead") is True))


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


def _name(hit: Any) -> str | None:
    number = hit.get("objectID") if isinstance(hit, dict) else None
    return None if number is None else str(number)


def _other(number: object) -> str | None:
    return post_id(number) if isinstance(number, int | str) and number else None
