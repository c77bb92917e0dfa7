"""Reddit posts that a search finds, and the new posts and comments of subreddits.

Source: GET {url}/search (sort=new, type=link), /r/SUB/new, /r/SUB/comments and /api/info, reddit.com/dev/api; a token
by POST {token_url}, grant_type=client_credentials, Basic authentication, github.com/reddit-archive/reddit/wiki/OAuth2
(2026-11). Access must be applied for, commercial use needs a contract. The token is kept in memory only.
Limits: 100 requests a minute and client over ten minutes, x-ratelimit-reset in seconds left; 429 may be HTML. 100 items
a page and about 1,000 a listing, a search about 250 (not-an-aardvark/snoowrap#162): nothing older can be had, by time
or otherwise, and a visit says where it met that end. Search finds posts, no comments.
Fullnames are t3_ for posts and t1_ for comments, and base 36. Times are epoch seconds as floats; `edited` is false, or
when, or true for very old ones. Texts are HTML beside Markdown; raw_json=1 leaves them unescaped. Accounts are names.

Listings go on from the fullname of an item, which ends them where that item was deleted meanwhile; so several are kept,
and what is read is known by time. Each visit reads the two hours before what was read once more.

Who stores what was deleted must delete it too (Reddit's Data API terms). Deleted and removed posts are tombstones where
a listing shows them, but most vanish from it. So the last 1,000 posts that were kept are asked about by /api/info once
in 24 hours, which costs ten requests, and finds edits as well; what is not there any more was taken down. Together
with them goes one that was just seen: an answer that lacks it as well, or knows of none, is not believed before it was
so for 24 hours. What is older than the last 1,000 is asked about no more. An account that went leaves its posts,
without an author from then on.

Left out and counted: posts marked is_robot_indexable = false ("noindex"). There is no place to opt in.

The cursor holds, per listing, the stretches of time still to be read and the items to go on from, and the posts to ask
about. What is new comes first, then what was left, then the two hours, then the asking. A listing that is empty moves
nothing (FAULTS 7).
"""

import json
import re
from base64 import b64encode
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple, Self
from urllib.parse import urlsplit

from pydantic import BeforeValidator, Field, StringConstraints, model_validator

from listeners.consent import without_opt_in
from listeners.feed import (
    CURSOR_FAULTS,
    FeedBlocked,
    FeedFormatChanged,
    FeedOptions,
    Page,
    Phrases,
    TakenDown,
    Visit,
    WebAddress,
)
from listeners.markdown import from_markdown
from listeners.plain_text import clean, from_html
from listeners.post import LeftOut, empty_page, moment, row, text_of, to_page, web_address
from listeners.turns import in_turn

if TYPE_CHECKING:
    from listeners.http import Reply

ITEMS_A_PAGE = 100  # the API's largest page, and all that /api/info takes
OVERLAP = 2 * 3600  # seconds that a post may come late, or be edited, and still be seen in a listing
WATCHED = 1_000  # posts that are asked about
ASK_AGAIN = 24 * 3600  # seconds after which a post is asked about again; the terms grant 48 hours
STRETCHES = 8  # kept per listing; older ones are joined, which costs reading something again
ANCHORS = 4  # items to go on from, should some of them be deleted
CAPS = {"search": 200, "new": 900, "comments": 900}  # items after which a listing's end is not that of what there is
SITE = "https://www.reddit.com"

_GONE = re.compile(r"(?is)\[ ?(?:deleted|removed)(?: by (?:user|moderator|reddit))?(?: on account of .*)? ?\]")


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


class Listing(NamedTuple):
    """One listing. kind: search, new or comments. name: the phrase, or the subreddit."""

    kind: str
    name: str

    def __str__(self) -> str:
        return f"the search for {self.name!r}" if self.kind == "search" else f"r/{self.name}/{self.kind}"


@dataclass(eq=False)  # each is itself
class Stretch:
    """Published times still to be read of one listing, epoch seconds: from `end` down to `start`.

    depth: how many items of the listing come before. anchors: items to go on from, the best first; none for its
    beginning.
    """

    start: int
    end: int
    depth: int = 0
    anchors: list[str] = field(default_factory=list)


@dataclass
class Progress:
    """How far one listing is read. read_to: the newest time seen, None before the first visit."""

    read_to: int | None = None
    stretches: list[Stretch] = field(default_factory=list)

    def begin(self, newest: int) -> Stretch:
        """Add what came since the last visit; newest: the time of the newest item."""
        stretch = Stretch(min(self.read_to or 0, newest), newest)
        self.read_to = max(self.read_to or 0, newest)
        self.stretches.insert(0, stretch)
        while len(self.stretches) > STRETCHES:
            older = self.stretches.pop()
            self.stretches[-1].start = min(older.start, self.stretches[-1].start)
        return stretch


class Watch(NamedTuple):
    """A post to ask about: when it was published, and when it was last seen to be there; epoch seconds."""

    published: int
    seen: int


@dataclass(frozen=True)
class Shown:
    """One page of a listing: its items, and the fullname it goes on from; None at its end."""

    items: list[Any]
    after: str | None


@dataclass
class _Reading:
    """What one visit knows: its budget and token, its progress per listing, and the posts to ask about."""

    visit: Visit
    credentials: str = field(repr=False)
    progress: dict[Listing, Progress]
    watched: dict[str, Watch]
    limit: int
    token: str | None = field(default=None, repr=False)
    requests: int = 0
    cut_short: bool = False
    seen: set[str] = field(default_factory=set)  # an item of two listings comes once
    again: dict[Listing, Stretch] = field(default_factory=dict)  # below what is new, as far as it was read at once
    witness: str | None = None  # an item that a listing just showed
    refused: dict[Listing, str] = field(default_factory=dict)
    doubt_since: int | None = None  # when /api/info first knew nothing, if that was so ever since

    @property
    def now(self) -> int:
        return int(self.visit.started_at.timestamp())

    def may_ask(self) -> bool:
        """Whether a request is left; if not, the visit is cut short."""
        left = self.requests < self.limit
        self.cut_short |= not left
        return left

    def due(self) -> list[str]:
        """Return the posts to ask about now, those that waited longest first."""
        known = self.watched.items()
        return [
            name for name, watch in sorted(known, key=lambda one: one[1].seen) if self.now - watch.seen >= ASK_AGAIN
        ]

    def cursor(self) -> str:
        return write_cursor(self.progress, self.watched, self.doubt_since, self.visit.feed)


async def pages(visit: Visit) -> AsyncIterator[Page]:
    """Yield posts and comments, the newest first within each stretch still to be read, the listings in turn.

    Raises as FeedClient.get does; FeedBlocked where the variables of the credentials are not set, where these are
    refused, or every listing is; FeedFormatChanged where an answer is no listing.
    """
    feed: Options = visit.feed
    progress, watched, doubt_since = read_cursor(visit.cursor, feed)
    reading = _Reading(visit, _credentials(visit), progress, watched, feed.max_requests, doubt_since=doubt_since)
    for_asking = min(-(-len(reading.due()) // (ITEMS_A_PAGE - 1)), feed.max_requests // 4)
    for_the_rest = feed.max_requests // 4 if any(done.stretches for done in progress.values()) else 0
    left = {listing: list(done.stretches) for listing, done in progress.items()}
    reading.limit = feed.max_requests - for_asking - for_the_rest
    async for page in in_turn(_new(reading, listing, left[listing]) for listing in progress):
        yield page
    reading.limit = feed.max_requests - for_asking
    async for page in in_turn(_left(reading, listing, stretches) for listing, stretches in left.items()):
        yield page
    async for page in in_turn(_again(reading, listing) for listing in reading.again):
        yield page
    reading.limit = feed.max_requests
    async for page in _asked_about(reading):
        yield page
    if len(reading.refused) == len(progress):
        raise FeedBlocked(feed.id, "; ".join(reading.refused.values()))
    said = list(reading.refused.values())
    if reading.cut_short and any(done.stretches for done in progress.values()):
        said.append(f"{reading.requests} requests used up; the rest is read from the next visit on")
    if said:
        yield empty_page(reading.cursor(), capped="; ".join(said))


async def _new(reading: _Reading, listing: Listing, left: list[Stretch]) -> AsyncIterator[Page]:
    """Pages from the newest down to what was read before."""
    done = reading.progress[listing]
    if not reading.may_ask():
        return
    shown = await _shown(reading, listing, None)
    if shown is None:
        return
    if not shown.items:
        held = f"{listing} is empty, and was not before" if done.read_to is not None else None
        yield empty_page(reading.cursor(), suspect=held)
        return
    before = done.read_to or 0
    stretch = done.begin(min(max(_times(shown.items), default=before), reading.now))
    new = sum(at > before for at in _times(shown.items))
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
    while stretch in reading.progress[listing].stretches and reading.may_ask():
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
    while stretch.anchors and stretch.end > stretch.start and reading.may_ask():
        shown = await _shown(reading, listing, stretch.anchors[0])
        if shown is None:
            return
        if shown.items:
            yield _taken(reading, listing, stretch, shown)
        else:
            del stretch.anchors[0]


def _taken(reading: _Reading, listing: Listing, stretch: Stretch, shown: Shown) -> Page:
    """The page of what was shown of a stretch, which is taken off."""
    times, stretches = _times(shown.items), reading.progress[listing].stretches
    at_end = shown.after is None or shown.after in stretch.anchors
    further = [str(shown.after), *_names(shown.items)[::-1]]
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


async def _asked_about(reading: _Reading) -> AsyncIterator[Page]:
    """Pages of posts that were kept, as they stand now."""
    due, at_once = reading.due(), ITEMS_A_PAGE - 1
    chunks = [due[start : start + at_once] for start in range(0, len(due), at_once)]
    doubted: list[list[str]] = []
    while chunks and reading.may_ask():
        asked = chunks.pop(0)
        names = [*asked, reading.witness] if reading.witness else asked
        reply = await _ask(reading, "/api/info", {"id": ",".join(names)})
        if reply.status != 200:
            raise FeedBlocked(reading.visit.feed.id, f"/api/info: {_refusal(reply)}")
        there = _listing(reading.visit.feed.id, reply).items
        found = set(_names(there))
        if reading.witness in found if reading.witness else found:
            reading.doubt_since = None
        elif reading.doubt_since is None or reading.now - reading.doubt_since < ASK_AGAIN:
            doubted.append(asked)
            reading.doubt_since = reading.doubt_since or reading.now
            yield empty_page(reading.cursor(), suspect=f"/api/info knows {len(found)} of {len(names)} kept posts")
            continue
        gone = [name for name in asked if name not in found]
        for name in found & set(asked):
            reading.watched[name] = reading.watched[name]._replace(seen=reading.now)
        yield _page(reading, there, gone=gone)
        if reading.witness and doubted:
            chunks, doubted = [*chunks, *doubted], []


def _page(reading: _Reading, items: list[Any], *, gone: list[str] | None = None, capped: str | None = None) -> Page:
    """The page of items that did not come before in this visit; gone: the fullnames of such as are no more."""
    visit = reading.visit
    new = []
    for item in items:
        name = _name(item)
        if name is None or name not in reading.seen:
            new.append(item)
        if name is not None:
            reading.seen.add(name)
    page = to_page(visit, new, lambda item: to_post(item, visit), cursor=None, capped=capped)
    refusing = [name for item in new if (name := _name(item)) in reading.watched and _refuses(item["data"])]
    down = {post_id(name) for name in [*(gone or ()), *refusing]}
    columns = ("post_id", "deleted", "title", "text", "published_at")
    for identity, deleted, title, text, at in zip(*(page.posts[name].to_pylist() for name in columns), strict=True):
        name = identity.removeprefix("reddit:")
        if deleted:
            down.add(identity)
        else:
            reading.witness = name
            if visit.wanted(title, text):
                reading.watched[name] = Watch(int(at.timestamp()), reading.now)
    for identity in down:
        reading.watched.pop(identity.removeprefix("reddit:"), None)
    newest = sorted(reading.watched.items(), key=lambda one: one[1].published, reverse=True)
    reading.watched = dict(newest[:WATCHED])
    return replace(page, cursor=reading.cursor(), taken_down=TakenDown(frozenset(down)) if down else None)


def to_post(item: dict[str, Any], visit: Visit) -> dict[str, Any]:
    """Return a post or comment, as a listing shows it, as a row of posts.

    A post's link stands in its text, as a reader sees it beside the title. Raises LeftOut where it may not be stored;
    KeyError, TypeError or ValueError where it lacks what it must have.
    """
    kind, about = item["kind"], item["data"]
    if kind not in ("t1", "t3"):
        raise ValueError(f"'kind' is {kind!r}")
    name = text_of(about, "name")
    if not re.fullmatch(rf"{kind}_[a-z0-9]+", name):
        raise ValueError(f"'name' is {name!r}")
    is_comment = kind == "t1"
    deleted = is_gone(about, is_comment=is_comment)
    if not deleted and _refuses(about):
        raise LeftOut("noindex")
    consent = without_opt_in(visit)
    title, text = None, ""
    if not deleted and is_comment:
        text = _shown_text(about, "body")
    elif not deleted:
        title, link = clean(text_of(about, "title")), None if about.get("is_self") else web_address(about.get("url"))
        text = "\n".join(part for part in (_shown_text(about, "selftext"), link) if part)
    author, permalink = about.get("author"), about.get("permalink")
    shared = about.get("crosspost_parent")
    edited = about.get("edited")
    return row(
        visit,
        post_id=post_id(name),
        kind="comment" if is_comment else "post",
        url=f"{SITE}{permalink}" if isinstance(permalink, str) and permalink.startswith("/") else None,
        title=title,
        text=text,
        account=author if isinstance(author, str) and author != "[deleted]" and not deleted else None,
        published_at=moment(about.get("created_utc")),
        edited_at=moment(edited),
        deleted=deleted,
        parent_id=_other(about.get("parent_id")) if is_comment else None,
        root_id=_other(about.get("link_id")) if is_comment else None,
        quoted_id=_other(shared),
        likes=about.get("score"),
        replies=about.get("num_comments"),
        shares=about.get("num_crossposts"),
        consent=consent,
    )


def is_gone(about: dict[str, Any], *, is_comment: bool) -> bool:
    """Return whether its author, a moderator or Reddit took an item down."""
    text = about.get("body" if is_comment else "selftext")
    return about.get("removed_by_category") is not None or bool(isinstance(text, str) and _GONE.fullmatch(text.strip()))


def post_id(name: str) -> str:
    """Return the post_id of an item; its fullname is unique on Reddit."""
    return f"reddit:{name}"


def read_cursor(cursor: str | None, feed: Options) -> tuple[dict[Listing, Progress], dict[str, Watch], int | None]:
    """Return the progress per listing, the posts to ask about, and since when the answers are doubted.

    Another address begins anew.
    """
    try:
        saved = json.loads(cursor or "{}")
        here = saved.get("url") == feed.url
        known = {
            Listing(str(kind), str(name)): Progress(
                int(read_to),
                [
                    Stretch(int(start), int(end), int(depth), [str(anchor) for anchor in anchors])
                    for start, end, depth, anchors in stretches
                ],
            )
            for kind, name, read_to, stretches in (saved["listings"] if here else [])
            if read_to is not None
        }
        watched = {
            str(name): Watch(int(published), int(seen)) for name, published, seen in (saved["watched"] if here else [])
        }
        doubt_since = int(saved["doubt_since"]) if here and saved["doubt_since"] is not None else None
    except CURSOR_FAULTS:
        known, watched, doubt_since = {}, {}, None
    wanted = [Listing("search", phrase) for phrase in feed.query]
    wanted += [Listing(kind, name) for name in feed.subreddits for kind in ("new", "comments")]
    return {listing: known.get(listing, Progress()) for listing in wanted}, watched, doubt_since


def write_cursor(
    progress: dict[Listing, Progress], watched: dict[str, Watch], doubt_since: int | None, feed: Options
) -> str:
    """Return as text what read_cursor reads."""
    listings = [
        [*listing, done.read_to, [[one.start, one.end, one.depth, one.anchors] for one in done.stretches]]
        for listing, done in progress.items()
    ]
    kept = [[name, *watch] for name, watch in watched.items()]
    return json.dumps({"url": feed.url, "listings": listings, "watched": kept, "doubt_since": doubt_since})


def _credentials(visit: Visit) -> str:
    """What the token is asked for with. Raises FeedBlocked, which names the variable that is not set."""
    feed: Options = visit.feed
    for key, variable in (("client_id_env", feed.client_id_env), ("client_secret_env", feed.client_secret_env)):
        if not visit.secrets.get(variable):
            raise FeedBlocked(feed.id, f"{key} names the environment variable {variable}, which is not set")
    pair = f"{visit.secrets[feed.client_id_env]}:{visit.secrets[feed.client_secret_env]}"
    return b64encode(pair.encode()).decode()


async def _token(reading: _Reading) -> str:
    """A token, for this visit. What is answered is not repeated in errors: it may hold the token."""
    feed: Options = reading.visit.feed
    reading.requests += 1
    reply = await reading.visit.client.post(
        feed.token_url,
        form={"grant_type": "client_credentials"},
        headers={"Authorization": f"Basic {reading.credentials}"},
        answers=frozenset({400, 401, 403}),
    )
    if reply.status != 200:
        names = f"{feed.client_id_env} and {feed.client_secret_env}"
        raise FeedBlocked(feed.id, f"{reply.url}: {reply.status}: refuses the application that {names} hold")
    try:
        answer = reply.json()
    except FeedFormatChanged:
        answer = None
    token = answer.get("access_token") if isinstance(answer, dict) else None
    if not isinstance(token, str) or not (token.isascii() and token.isprintable()) or not token:
        raise FeedFormatChanged(feed.id, f"{reply.url}: JSON without an `access_token`")
    return token


async def _ask(reading: _Reading, path: str, params: dict[str, str | int]) -> "Reply":
    """The answer, with a new token where the one we have is refused."""
    reply = await _ask_once(reading, path, params)
    if reply.status == 401:
        reading.token = None
        reply = await _ask_once(reading, path, params)
    if reply.status == 401:
        raise FeedBlocked(reading.visit.feed.id, f"{reply.url}: 401: refuses a token that was just given")
    return reply


async def _ask_once(reading: _Reading, path: str, params: dict[str, str | int]) -> "Reply":
    feed: Options = reading.visit.feed
    if reading.token is None:
        reading.token = await _token(reading)
    reading.requests += 1
    return await reading.visit.client.get(
        f"{feed.url.rstrip('/')}{path}",
        {**params, "raw_json": 1},
        headers={"Authorization": f"Bearer {reading.token}"},
        answers=frozenset({401, 403, 404}),
    )


async def _shown(reading: _Reading, listing: Listing, after: str | None) -> Shown | None:
    """One page of a listing; None where it is not shown to us, which is said at the end of the visit."""
    if listing in reading.refused:
        return None
    params: dict[str, str | int] = {"limit": ITEMS_A_PAGE} | ({"after": after} if after else {})
    path = f"/r/{listing.name}/{listing.kind}"
    if listing.kind == "search":
        path, params = "/search", {"q": listing.name, "sort": "new", "type": "link", "t": "all", **params}
    reply = await _ask(reading, path, params)
    if reply.status != 200:
        reading.refused[listing] = f"{listing}: {_refusal(reply)}"
        return None
    if not urlsplit(reply.url).path.lower().endswith(path.lower()):  # it leads to a search for subreddits of that name
        reading.refused[listing] = f"{listing}: there is none"
        return None
    return _listing(reading.visit.feed.id, reply)


def _listing(feed_id: str, reply: "Reply") -> Shown:
    answer = reply.json()
    data = answer.get("data") if isinstance(answer, dict) else None
    items = data.get("children") if isinstance(data, dict) else None
    if not isinstance(items, list):
        raise FeedFormatChanged(feed_id, f"{reply.url}: JSON without a list `data.children`")
    after = data.get("after") if isinstance(data, dict) else None
    return Shown(items, after if isinstance(after, str) and after else None)


def _refusal(reply: "Reply") -> str:
    """What a refusal says: private, banned, quarantined, or only its status."""
    try:
        answer = reply.json()
    except FeedFormatChanged:
        answer = None
    reason = answer.get("reason") or answer.get("message") if isinstance(answer, dict) else None
    return f"{reply.status}" + (f" {clean(reason)[:100]}" if isinstance(reason, str) else "")


def _shown_text(about: dict[str, Any], key: str) -> str:
    """A text as a reader sees it: of its HTML where that is given, as Reddit has a Markdown of its own."""
    source, rendered = text_of(about, key), about.get(f"{key}_html")
    return from_html(rendered) if isinstance(rendered, str) and rendered else from_markdown(source)


def _refuses(about: dict[str, Any]) -> bool:
    return about.get("is_robot_indexable") is False


def _name(item: Any) -> str | None:
    about = item.get("data") if isinstance(item, dict) else None
    name = about.get("name") if isinstance(about, dict) else None
    return name if isinstance(name, str) else None


def _names(items: list[Any]) -> list[str]:
    return [name for item in items if (name := _name(item)) is not None]


def _times(items: list[Any]) -> list[int]:
    """When the items were published, those that may stand on top left out."""
    times = []
    for item in items:
        about = item.get("data") if isinstance(item, dict) else None
        if not isinstance(about, dict) or about.get("stickied"):
            continue
        if (at := moment(about.get("created_utc"))) is not None:
            times.append(int(at.timestamp()))
    return times


def _other(name: object) -> str | None:
    return post_id(name) if isinstance(name, str) and name else None
