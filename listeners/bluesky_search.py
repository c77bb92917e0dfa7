"""Posts of Bluesky that a search finds, with an account of one's own: for the past that the stream does not have.

Source: GET {url}/xrpc/app.bsky.feed.searchPosts?q=&sort=latest&since=&until=&limit=100&cursor= (bluesky-social/atproto
lexicons, 2026-11), after POST {url}/xrpc/com.atproto.server.createSession with a handle and an app password, which the
environment variable `password_env` holds. Without a session the search is shut; its makers ask that it not be used to
copy the network (atproto#3423, #3583): bluesky.py is for that.
Limits: 100 posts a page, 3,000 requests per 5 minutes and address (RateLimit-Reset is epoch seconds), 300 sessions a
day and account; each visit opens one. How far an opaque `cursor` leads is not promised.

since (inclusive) and until (not) are held against sortAt, the earlier of createdAt and indexedAt, by which the newest
come first. So a page is asked for from a stretch of time, and the next goes down to and including the second of its
last post; `cursor` is followed only where a page lies within one second, or shows nothing. A page may be short,
as posts are hidden after they were counted: the end is where no cursor is given. What cannot be had of a crowded
second is said. The last two hours are searched again at each visit, since the index is late at times.

The search is fuzzy: brands are matched here too, and authors asked for before anything is stored, as bluesky.py does;
post_ids are the same. Deleted posts just vanish. What is read and what is not: searches.py.
"""

from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Self

from pydantic import Field, model_validator

from listeners import bluesky_kept
from listeners.bluesky import PROFILES
from listeners.feed import NAMES_NO_BRAND, FeedFormatChanged, FeedOptions, Page, Phrases, Visit, WebAddress
from listeners.intervals import Interval
from listeners.post import LeftOut, empty_page, first_seen, moment, to_page
from listeners.searches import Searches

if TYPE_CHECKING:
    from listeners.bluesky_authors import Authors

KEPT_A_REQUEST, standing = bluesky_kept.KEPT_A_REQUEST, bluesky_kept.standing
NETWORK = "bluesky"  # its posts and accounts are those that bluesky.py reads
HAS_HISTORY = True  # any stretch of time can be asked for
POSTS_A_PAGE = 100  # the API's largest page
PAGES_A_SECOND = 10  # of a stretch that cannot be made shorter
LATE = 2 * 3600  # seconds in which a post is granted to reach the index
OPENED = 1_668_470_400  # epoch seconds, 2022-11-15: the network is not older


class Options(FeedOptions):
    """The keys of a bluesky_search feed in listening.toml."""

    url: WebAddress = Field(default="https://bsky.social", description="the account's server")
    handle: str = Field(min_length=1, description="the account's name, as in acme.bsky.social")
    password_env: str = Field(min_length=1, description="the environment variable that holds an app password")
    query: Phrases = Field(min_length=1, description="phrases to search for, each by itself")
    profiles_url: WebAddress = Field(default=PROFILES, description="address that tells who the authors are")
    max_requests: int = Field(
        default=60, ge=2, le=1_000, description="searches per visit; the next visit goes on from there"
    )

    @model_validator(mode="after")
    def _enough_to_get_on(self) -> Self:
        least = (PAGES_A_SECOND + 1) * len(self.query)  # a page of what is new, and all there is of a crowded second
        if self.max_requests < least:
            raise ValueError(f"max_requests must be at least {least} for {len(self.query)} phrases")
        return self


@dataclass(frozen=True)
class Step:
    """What one answer tells: the part of its interval to ask for next (None: all read), and what cannot be had.

    page: the cursor to ask for it with, where it is the same part again.
    """

    rest: Interval | None
    page: str | None = None
    lost: str | None = None


@dataclass
class _Reading:
    """What one visit knows: its phrases, its session, and the authors it asked for."""

    searches: Searches[str]
    authors: "Authors"
    headers: dict[str, str]


async def pages(visit: Visit) -> AsyncIterator[Page]:
    """Yield posts, the newest first within each stretch of time still to be read, the phrases in turn.

    With a window, the posts of that stretch and no others; the cursors then say what is left of it.
    Raises as FeedClient.get does; FeedBlocked where the password is not set or not taken; FeedFormatChanged where an
    answer is no search result.
    """
    from listeners.bluesky_authors import Authors

    feed: Options = visit.feed
    headers = {"Authorization": f"Bearer {await _token(visit)}"}
    searches = Searches.of(visit, feed.query, (feed.url,), earliest=OPENED)
    reading = _Reading(searches, Authors(visit, feed.profiles_url), headers)
    async for page in searches.pages(lambda phrase: _found(reading, phrase)):
        yield page


async def _found(reading: _Reading, phrase: str) -> AsyncIterator[Page]:
    """The pages of one phrase, in the order of its plan."""
    searches, done = reading.searches, reading.searches.progress[phrase]
    for asked in searches.plan(phrase, again=LATE):
        now, pages_asked, nothing = Step(asked), 0, True
        while now.rest is not None:
            if not searches.budget.may_ask():
                return
            posts, following = await _search(reading, phrase, now)
            nothing &= not posts
            if nothing and following is None:  # nothing there, or nothing for us: this part is asked for again
                yield empty_page(searches.cursor())
                break
            pages_asked += 1
            step = next_step(now.rest, posts, following if following != now.page else None, pages_asked)
            if step.page is None:
                done.have_read(now.rest, step.rest)
                pages_asked = 0
            yield await _page(reading, posts, capped=step.lost)
            now = step


def next_step(asked: Interval, posts: list[Any], following: str | None, pages_asked: int) -> Step:
    """Return what to ask for after a page of an interval. following: the cursor given with it."""
    if following is None:
        return Step(None)
    times = [at for post in posts if (at := sort_second(post)) is not None and asked.start <= at <= asked.end]
    if times and times[-1] < asked.end:
        return Step(Interval(asked.start, times[-1]))  # its second again: some of its posts may be on the next page
    if pages_asked < PAGES_A_SECOND:
        return Step(asked, page=following)
    lost = f"second {asked.end} may hold more than the {PAGES_A_SECOND} pages that can be had of it"
    return Step(Interval(asked.start, asked.end - 1) if asked.end > asked.start else None, lost=lost)


def to_post(post: dict[str, Any], visit: Visit, authors: "Authors") -> dict[str, Any]:
    """Return a postView as a row of posts. Raises LeftOut; KeyError, TypeError or ValueError where it is none."""
    from listeners.bluesky_authors import labelled
    from listeners.bluesky_record import Record, author_of, keeps_out_strangers, read, to_row

    post_id = _post_id(post)
    record, did = read(post["record"], Record), author_of(post_id)
    consent = authors.consent(did)
    if keeps_out_strangers(record) or labelled(post.get("labels")):
        raise LeftOut("no_unauthenticated")
    claimed, indexed = moment(record.created_at), moment(post.get("indexedAt"))
    return to_row(
        visit,
        post_id,
        record,
        author_followers=authors.known[did].followers,
        published_at=min(claimed, indexed) if claimed and indexed else claimed or indexed,
        likes=post.get("likeCount"),
        replies=post.get("replyCount"),
        shares=post.get("repostCount"),
        consent=consent,
    )


def sort_second(post: Any) -> int | None:
    """Return the epoch second of a post's sortAt, or None where it tells no time."""
    record = post.get("record") if isinstance(post, dict) else None
    created = moment(record.get("createdAt")) if isinstance(record, dict) else None
    indexed = moment(post.get("indexedAt")) if isinstance(post, dict) else None
    times = [int(at.timestamp()) for at in (created, indexed) if at is not None]
    return min(times, default=None)


async def _token(visit: Visit) -> str:
    """The token of a session of this visit's own."""
    feed: Options = visit.feed
    password = visit.secret("password_env")
    reply = await visit.client.post(
        f"{feed.url.rstrip('/')}/xrpc/com.atproto.server.createSession",
        document={"identifier": feed.handle, "password": password},
    )
    answer = reply.json()
    token = answer.get("accessJwt") if isinstance(answer, dict) else None
    if not isinstance(token, str) or not token.isascii() or not token.isprintable():
        raise FeedFormatChanged(feed.id, f"{reply.url}: JSON without a text `accessJwt`")
    return token


async def _search(reading: _Reading, phrase: str, asked: Step) -> tuple[list[Any], str | None]:
    """One answer to a search: the posts, the newest first, and the cursor given with them."""
    visit, within = reading.searches.visit, asked.rest
    assert within is not None
    reading.searches.budget.spent += 1
    params: dict[str, str | int] = {
        "q": f'"{phrase}"' if " " in phrase else phrase,
        "sort": "latest",
        "since": _iso(max(OPENED, within.start)),
        "until": _iso(within.end + 1),
        "limit": POSTS_A_PAGE,
    }
    if asked.page is not None:
        params["cursor"] = asked.page
    url = f"{visit.feed.url.rstrip('/')}/xrpc/app.bsky.feed.searchPosts"
    reply = await visit.client.get(url, params, headers=reading.headers)
    answer = reply.json()
    posts, following = (answer.get("posts"), answer.get("cursor")) if isinstance(answer, dict) else (None, None)
    if not isinstance(posts, list):
        raise FeedFormatChanged(visit.feed.id, f"{url}: JSON without a list `posts`")
    return posts, following if isinstance(following, str) and following else None


async def _page(reading: _Reading, posts: list[Any], **more: Any) -> Page:
    """The posts that name a brand, as a page, once their authors were asked for."""
    from listeners.bluesky_record import author_of

    visit, authors, left_out = reading.searches.visit, reading.authors, Counter[str]()
    kept: list[Any] = []
    told = [(post, *_identity(post)) for post in posts]
    for post, post_id, text in first_seen(told, lambda one: one[1], reading.searches.seen):
        if post_id is not None and text is not None and not visit.wanted(None, text):
            left_out[NAMES_NO_BRAND] += 1
        else:
            kept.append(post)
    await authors.meet(author_of(post_id) for post_id, _ in map(_identity, kept) if post_id is not None)
    page = to_page(visit, kept, lambda post: to_post(post, visit, authors), cursor=reading.searches.cursor(), **more)
    return replace(page, left_out=left_out + Counter(page.left_out))


def _identity(post: Any) -> tuple[str | None, str | None]:
    """A post's post_id and text, each None where it has none; to_post then says why."""
    from listeners.bluesky_record import Record, read, shown_text

    try:
        post_id = _post_id(post)
    except (KeyError, TypeError, ValueError):
        return None, None
    try:
        return post_id, shown_text(read(post["record"], Record))
    except (KeyError, TypeError, ValueError):
        return post_id, None


def post_id_of(post: Any) -> str | None:
    """Return the post_id of a postView, or None where it has none."""
    try:
        return _post_id(post)
    except (KeyError, TypeError, ValueError):
        return None


def _post_id(post: Any) -> str:
    """A post's post_id. Raises KeyError, TypeError or ValueError where its URI is that of no post."""
    from listeners.bluesky_record import Reference, refers_to

    uri = post["uri"]
    found = refers_to(Reference(uri)) if isinstance(uri, str) else None
    if found is None:
        raise ValueError(f"'uri' is {uri!r:.80}")
    return found


def _iso(second: int) -> str:
    return datetime.fromtimestamp(second, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
