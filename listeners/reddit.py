"""Reddit posts that a search finds, and the new posts and comments of subreddits.

Source: GET {url}/search (sort=new, type=link), /r/SUB/new and /r/SUB/comments, reddit.com/dev/api (2026-11); a token,
reddit_api.py. Access must be applied for, commercial use needs a contract.
Limits: 100 requests a minute and client over ten minutes, x-ratelimit-reset in seconds left; 429 may be HTML. 100 items
a page and about 1,000 a listing, a search about 250 (not-an-aardvark/snoowrap#162): nothing older can be had, by time
or otherwise, and a visit says where it met that end. Search finds posts, no comments.
What they say is read in reddit_item.py.

Each visit reads the two hours before what was read once more, and asks once a day about the posts that were kept, since
what was taken down vanishes from most listings (reddit_kept.py). An account that went leaves its posts, without an
author from then on.

Left out and counted: posts marked is_robot_indexable = false ("noindex"). There is no place to opt in.

The cursor holds, per listing, the stretches of time still to be read and the items to go on from, and the posts to ask
about. What is new comes first, then what was left, then the two hours, then the asking. A listing that is empty moves
nothing (FAULTS 7).
"""

import json
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Annotated, Any, Self
from urllib.parse import urlsplit

from pydantic import BeforeValidator, Field, StringConstraints, model_validator

from listeners.feed import CURSOR_FAULTS, FeedBlocked, FeedOptions, Page, Phrases, TakenDown, Visit, WebAddress
from listeners.post import empty_page, first_seen, to_page
from listeners.reddit_api import ITEMS_A_PAGE, Api, Shown, refusal, shown_in
from listeners.reddit_item import SITE, name_of, names_of, times_of, to_post
from listeners.reddit_kept import AT_ONCE, Kept, asked_about
from listeners.reddit_listing import ANCHORS, Listing, Progress, Stretch
from listeners.turns import in_turn

OVERLAP = 2 * 3600  # seconds that a post may come late, or be edited, and still be seen in a listing
CAPS = {"search": 200, "new": 900, "comments": 900}  # items after which a listing's end is not that of what there is


def _as_list(value: Any) -> Any:
    return [value] if isinstance(value, str) else value


Subreddit = Annotated[str, StringConstraints(strip_whitespace=True, pattern=r"^[A-Za-z0-9_]{2,24}$")]


class Options(FeedOptions):
    """The keys of a reddit feed in listening.toml."""

    url: WebAddress = Field(default="https://oauth.reddit.com", description="address of the API")
    token_url: WebAddress = Field(default=f"{SITE}/api/v1/access_token", description="where tokens are given")
    client_id_env: str = Field(min_length=1, description="the environment variable that holds the application's id")
    client_secret_env: str = Field(min_length=1, description="the environment variable that holds its secret")
    query: Phrases = Field(default=(), description="phrases to search all of Reddit for, each by itself: posts only")
    subreddits: Annotated[tuple[Subreddit, ...], BeforeValidator(_as_list)] = Field(
        default=(), description="whose new posts and comments are read, without r/"
    )
    max_requests: int = Field(
        default=100, ge=6, le=10_000, description="requests per visit; the next visit goes on from there"
    )

    @model_validator(mode="after")
    def _enough_to_get_on(self) -> Self:
        listings = len(self.query) + 2 * len(self.subreddits)
        if not listings:
            raise ValueError("give a query, or subreddits")
        if self.max_requests < 4 + 2 * listings:  # half of them for what is new: the token, and a page of each
            raise ValueError(f"max_requests must be at least {4 + 2 * listings} for {listings} listings")
        return self


@dataclass
class _Reading:
    """What one visit knows: what it asks with, its progress per listing, and the posts that were kept.

    seen: an item of two listings comes once. again: what lies below what is new, as far as it was read at once.
    refused: the listings that are not shown to us, and why.
    """

    visit: Visit
    api: Api
    progress: dict[Listing, Progress]
    kept: Kept
    seen: set[str] = field(default_factory=set)
    again: dict[Listing, Stretch] = field(default_factory=dict)
    refused: dict[Listing, str] = field(default_factory=dict)

    @property
    def now(self) -> int:
        return int(self.visit.started_at.timestamp())

    def cursor(self) -> str:
        return write_cursor(self.progress, self.kept, self.visit.feed)


async def pages(visit: Visit) -> AsyncIterator[Page]:
    """Yield posts and comments, the newest first within each stretch still to be read, the listings in turn.

    Raises as FeedClient.get does; FeedBlocked where the variables of the credentials are not set, where these are
    refused, or every listing is; FeedFormatChanged where an answer is no listing.
    """
    feed: Options = visit.feed
    progress, kept = read_cursor(visit.cursor, feed)
    reading = _Reading(visit, Api.of(visit), progress, kept)
    budget, left = reading.api.budget, {listing: list(done.stretches) for listing, done in progress.items()}
    for_asking = min(-(-len(kept.due(reading.now)) // AT_ONCE), feed.max_requests // 4)
    for_the_rest = feed.max_requests // 4 if any(left.values()) else 0
    budget.reserved = for_asking + for_the_rest
    async for page in in_turn(_new(reading, listing, left[listing]) for listing in progress):
        yield page
    budget.reserved = for_asking
    async for page in in_turn(_left(reading, listing, stretches) for listing, stretches in left.items()):
        yield page
    async for page in in_turn(_again(reading, listing) for listing in reading.again):
        yield page
    budget.reserved = 0
    async for page in asked_about(kept, reading.api, partial(_page, reading), reading.cursor):
        yield page
    if len(reading.refused) == len(progress):
        raise FeedBlocked(feed.id, "; ".join(reading.refused.values()))
    said = list(reading.refused.values())
    if budget.cut_short and any(done.stretches for done in progress.values()):
        said.append(budget.said())
    if said:
        yield empty_page(reading.cursor(), capped="; ".join(said))


async def _new(reading: _Reading, listing: Listing, left: list[Stretch]) -> AsyncIterator[Page]:
    """Pages from the newest down to what was read before."""
    done = reading.progress[listing]
    if not reading.api.budget.may_ask():
        return
    shown = await _shown(reading, listing, None)
    if shown is None:
        return
    if not shown.items:
        held = f"{listing} is empty, and was not before" if done.read_to is not None else None
        yield empty_page(reading.cursor(), suspect=held)
        return
    before = done.read_to or 0
    stretch = done.begin(min(max(times_of(shown.items), default=before), reading.now))
    new = sum(at > before for at in times_of(shown.items))
    yield _taken(reading, listing, stretch, shown)
    async for page in _down(reading, listing, stretch):
        new += sum(at.timestamp() > before for at in page.posts["published_at"].to_pylist())
        yield page
    if stretch not in done.stretches and before:
        reading.again[listing] = Stretch(max(0, before - OVERLAP), before, stretch.depth, stretch.anchors)
    for older in left:
        older.depth += new


async def _left(reading: _Reading, listing: Listing, left: list[Stretch]) -> AsyncIterator[Page]:
    """Pages of the stretches that were left, the newest first."""
    for stretch in left:
        async for page in _down(reading, listing, stretch):
            yield page


async def _down(reading: _Reading, listing: Listing, stretch: Stretch) -> AsyncIterator[Page]:
    """Pages of a stretch from where it was left, until it is read or the requests are used up."""
    while stretch in reading.progress[listing].stretches and reading.api.budget.may_ask():
        after = stretch.anchors[0] if stretch.anchors else None
        shown = await _shown(reading, listing, after)
        if shown is None:
            return
        if shown.items:
            yield _taken(reading, listing, stretch, shown)
        elif after is None:  # nothing there, or nothing for us: this is asked for again
            return
        else:  # it was deleted, or is beyond the listing's end: the next one, and in the end the listing's beginning
            del stretch.anchors[0]
            stretch.depth = stretch.depth if stretch.anchors else 0


async def _again(reading: _Reading, listing: Listing) -> AsyncIterator[Page]:
    """Pages of what was read before and may have changed, or come late; what is not reached is not kept."""
    stretch = reading.again[listing]
    while stretch.anchors and stretch.end > stretch.start and reading.api.budget.may_ask():
        shown = await _shown(reading, listing, stretch.anchors[0])
        if shown is None:
            return
        if shown.items:
            yield _taken(reading, listing, stretch, shown)
        else:
            del stretch.anchors[0]


def _taken(reading: _Reading, listing: Listing, stretch: Stretch, shown: Shown) -> Page:
    """The page of what was shown of a stretch, which is taken off."""
    times, stretches = times_of(shown.items), reading.progress[listing].stretches
    at_end = shown.after is None or shown.after in stretch.anchors
    further = [str(shown.after), *names_of(shown.items)[::-1]]
    stretch.anchors = [] if at_end else list(dict.fromkeys(further))[:ANCHORS]
    stretch.depth += len(shown.items)
    stretch.end = min([stretch.end, *times])
    capped = None
    if stretch in stretches and (at_end or (times and min(times) <= stretch.start)):
        stretches.remove(stretch)
        if at_end and stretch.end > stretch.start and stretch.depth >= CAPS[listing.kind]:
            older = f"what else there is before {stretch.end} is out of reach"
            capped = f"{listing} ends after {stretch.depth} items: {older}"
    return _page(reading, shown.items, capped=capped)


def _page(reading: _Reading, items: list[Any], gone: Sequence[str] = (), *, capped: str | None = None) -> Page:
    """The page of items that did not come before in this visit; gone: the fullnames of such as are no more."""
    visit = reading.visit
    new = first_seen(items, name_of, reading.seen)
    page = to_page(visit, new, lambda item: to_post(item, visit), cursor=None, capped=capped)
    down = reading.kept.took(visit, new, page, gone)
    return replace(page, cursor=reading.cursor(), taken_down=TakenDown(down) if down else None)


def read_cursor(cursor: str | None, feed: Options) -> tuple[dict[Listing, Progress], Kept]:
    """Return the progress per listing, and the posts to ask about. Another address begins anew."""
    known: dict[Listing, Progress] = {}
    kept = Kept({})
    try:
        saved = json.loads(cursor or "{}")
        if saved.get("url") == feed.url:
            kept = Kept.of(saved["kept"])
            known = {Listing(str(kind), str(name)): Progress.of(state) for kind, name, state in saved["listings"]}
    except CURSOR_FAULTS:
        known, kept = {}, Kept({})
    wanted = [Listing("search", phrase) for phrase in feed.query]
    wanted += [Listing(kind, name) for name in feed.subreddits for kind in ("new", "comments")]
    return {listing: known.get(listing, Progress()) for listing in wanted}, kept


def write_cursor(progress: dict[Listing, Progress], kept: Kept, feed: Options) -> str:
    """Return it as text."""
    listings = [[*listing, done.state()] for listing, done in progress.items()]
    return json.dumps({"url": feed.url, "listings": listings, "kept": kept.state()})


async def _shown(reading: _Reading, listing: Listing, after: str | None) -> Shown | None:
    """One page of a listing; None where it is not shown to us, which is said at the end of the visit."""
    if listing in reading.refused:
        return None
    params: dict[str, str | int] = {"limit": ITEMS_A_PAGE} | ({"after": after} if after else {})
    path = f"/r/{listing.name}/{listing.kind}"
    if listing.kind == "search":
        path, params = "/search", {"q": listing.name, "sort": "new", "type": "link", "t": "all", **params}
    reply = await reading.api.ask(path, params)
    if reply.status != 200:
        reading.refused[listing] = f"{listing}: {refusal(reply)}"
        return None
    if not urlsplit(reply.url).path.lower().endswith(path.lower()):  # it leads to a search for subreddits of that name
        reading.refused[listing] = f"{listing}: there is none"
        return None
    return shown_in(reply)
