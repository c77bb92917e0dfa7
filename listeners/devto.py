"""Articles of dev.to or another Forem community, with their comments.

Source: GET {url}/api/articles/latest, /api/articles/ID and /api/comments?a_id=ID, developers.forem.com/api and the
controllers and views of forem/forem (2026-11). No authentication.
Limits: 3 requests a second and, since August 2026, 30 a minute by address (forem/forem#23756); 429 with Retry-After.
Hence two seconds between requests. 1,000 articles a page; pages beyond 1,000 need a key.

There is no search by text, and the list of a tag is in the order of "hotness", which has no end to stop at: so the list
of all articles is read, the newest first, and tags are compared here. It holds no text but a description. An article's
text costs a request, which each new article gets: many name a brand only there. Of those that are older than three days
by the time they are read, as on a first visit, only those get it whose title, description or tags name a brand; what
the others say in their text alone is not found. Comments are read where the article is kept, and nowhere else.

Each visit looks over the list of the last three days again and reads what was edited, commented or liked since.
What was kept and is not listed any more is asked for, and 404 taken for taken down. Comments have no counts and no time
of an edit, and stay in the tree as "[deleted]" while somebody answered them: a tombstone; otherwise they just vanish.
Nobody can opt in or out here.

The cursor holds the times still to be read and what was read in the last three days; it moves with every article, so a
visit that is killed, or has used up its requests, is taken up where it stopped. What is new comes first, then what was
left, then the three days. An empty first page moves nothing (FAULTS 7).
"""

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlsplit

from pydantic import Field

from listeners.consent import without_opt_in
from listeners.feed import (
    CURSOR_FAULTS,
    NAMES_NO_BRAND,
    FeedFormatChanged,
    FeedOptions,
    FeedUnavailable,
    Page,
    Phrases,
    TakenDown,
    Visit,
    WebAddress,
)
from listeners.numbered_pages import Progress, Stretch, walk
from listeners.plain_text import clean, from_html
from listeners.post import LeftOut, empty_page, moment, row, text_of, to_page

if TYPE_CHECKING:
    from listeners.http import Reply

ARTICLES_A_PAGE = 1000  # the API's largest page, as delivered
LAST_PAGE = 1000  # without a key
COMMENTS_A_PAGE = 100  # threads
MOST_COMMENT_PAGES = 20  # of one article
WATCHED = 72 * 3600  # seconds in which an article's edits, comments and counts are followed
APART = 2.0  # seconds between requests: 30 a minute

_GONE = frozenset({404})


class Options(FeedOptions):
    """The keys of a devto feed in listening.toml."""

    url: WebAddress = Field(default="https://dev.to", description="the community")
    tags: Phrases = Field(default=(), description="articles with one of these tags only; none means all")
    max_requests: int = Field(
        default=100, ge=6, le=10_000, description="requests per visit; the next visit goes on from there"
    )


@dataclass
class _Reading:
    """What one visit knows of a community.

    known: of the last three days, by article number: when it was published, edited and, if kept, its comments and
    likes as the list had them. seen: the numbers that this visit's lists showed. looked_over: when that was last done
    from the newest down to three days before.
    """

    visit: Visit
    name: str
    done: Progress
    known: dict[str, list[Any]]
    looked_over: int
    requests: int = 0
    cut_short: bool = False
    beyond: bool = False
    seen: set[str] = field(default_factory=set)

    @property
    def since(self) -> int:
        """From when on what was read is looked over again: however rare visits are, each of it for three days."""
        return self.looked_over - WATCHED

    def may_ask(self) -> bool:
        """Whether a request is left; if not, the visit is cut short."""
        left = self.requests < self.visit.feed.max_requests
        self.cut_short |= not left
        return left

    async def get(self, path: str, params: dict[str, str | int]) -> "Reply":
        """The answer at a path of the API, 404 among them."""
        self.requests += 1
        url = f"{self.visit.feed.url.rstrip('/')}/api/{path}"
        reply = await self.visit.client.get(url, params, answers=_GONE)
        self.visit.client.hold(url, APART)
        return reply

    def cursor(self) -> str:
        return write_cursor(self.done, self.known, self.visit.feed, self.looked_over)


async def pages(visit: Visit) -> AsyncIterator[Page]:
    """Yield articles, each followed by its comments, the newest first within each stretch still to be read.

    Raises as FeedClient.get does; FeedFormatChanged where an answer is not what the API documents.
    """
    done, known, looked_over = read_cursor(visit.cursor, visit.feed)
    reading = _Reading(
        visit, community_name(visit.feed.url), done, known, looked_over or int(visit.started_at.timestamp())
    )
    left = list(done.stretches)
    now = int(visit.started_at.timestamp())
    new = done.begin(now)
    async for page in _articles(reading, new):
        yield page
    for stretch in left:
        async for page in _articles(reading, stretch):
            yield page
    watched = Stretch(reading.since, new.start, new.page, all_read=reading.since >= new.start)
    if new.all_read and not watched.all_read:
        async for page in _articles(reading, watched, again=True):
            yield page
        async for page in _missing(reading, watched):
            yield page
    if new.all_read and watched.all_read and not reading.cut_short:
        reading.looked_over = now
        yield empty_page(reading.cursor())
    if reading.beyond:
        said = f"articles beyond page {LAST_PAGE} of the list cannot be had"
        yield empty_page(reading.cursor(), capped=said)
    elif reading.cut_short and done.stretches:
        said = f"{reading.requests} requests used up; the rest is read from the next visit on"
        yield empty_page(reading.cursor(), capped=said)


async def _articles(reading: _Reading, stretch: Stretch, *, again: bool = False) -> AsyncIterator[Page]:
    """The pages of the articles of a stretch. again: it was read before, and only what changed is read."""
    visit, done, tags = reading.visit, reading.done, {tag.lower().lstrip("#") for tag in reading.visit.feed.tags}

    async def fetch(number: int) -> list[Any] | None:
        if number > LAST_PAGE:
            reading.beyond = True
            return []
        return await _listed(reading, number) if reading.may_ask() else None

    def is_old(at: int | None) -> bool:
        return not again and at is not None and at < int(visit.started_at.timestamp()) - WATCHED

    is_empty = True
    async for articles in walk(stretch, fetch, _published):
        is_empty = False
        if not again and stretch not in done.stretches:
            done.note(stretch, max(filter(None, map(_published, articles)), default=None))
        passed: list[Any] = []  # not opened
        for article in articles:
            number, at = _number(article), _published(article)
            if number is None or (is_old(at) and not _names_a_brand(article, visit)):
                passed.append(article)
            elif number not in reading.seen and not _is_read(reading, number, article) and _is_tagged(article, tags):
                if not reading.may_ask():
                    break
                async for page in _opened(reading, number, article):
                    yield page
            reading.seen.add(number or "")
            if not again and at is not None:
                stretch.end = min(stretch.end, at)
        yield to_page(visit, [] if again else passed, _pass, cursor=reading.cursor())
        if reading.cut_short:
            return
    done.drop_read()
    strange = is_empty and not reading.cut_short and not stretch.all_read
    yield empty_page(reading.cursor(), suspect="the list of articles is empty" if strange else None)


async def _opened(reading: _Reading, number: str, listed: dict[str, Any]) -> AsyncIterator[Page]:
    """An article with its text, and its comments if it is kept. listed: it as the list has it."""
    visit = reading.visit
    reply = await reading.get(f"articles/{number}", {})
    if reply.status == 404:
        yield _tombstone(reading, number)
        return
    article = reply.json()
    if not isinstance(article, dict):
        raise FeedFormatChanged(visit.feed.id, f"{reply.url}: {type(article).__name__} where an article is due")
    state, before = _state(listed), reading.known.get(number, [])
    was_kept = len(before) > 2  # then it is read on even if an edit took the brand's name out
    page = to_page(visit, [article], lambda article: to_post(article, visit, was_kept), cursor=reading.cursor())
    yield page
    is_kept = page.posts.num_rows > 0
    count = listed.get("comments_count")
    comments = []
    if is_kept and isinstance(count, int) and (count > 0 or before[2:3] not in ([], [0])):  # or all went
        comments = await _comments(reading, number, count)
    reading.known[number] = [_published(listed) or reading.looked_over, *(state if is_kept else state[:1])]
    if comments:
        yield to_page(visit, comments, lambda one: comment_to_post(one, number, visit), cursor=reading.cursor())


def _tombstone(reading: _Reading, number: str) -> Page:
    """The page that says an article is gone."""
    reading.known.pop(number, None)
    return empty_page(reading.cursor(), taken_down=TakenDown(posts=frozenset({post_id(reading.name, number)})))


async def _missing(reading: _Reading, watched: Stretch) -> AsyncIterator[Page]:
    """Tombstones for what was kept and is neither listed any more nor there."""
    kept = [number for number, known in reading.known.items() if len(known) > 2 and known[0] >= watched.start]
    for number in kept:
        if number in reading.seen or not watched.all_read:
            continue
        if not reading.may_ask():
            return
        if (await reading.get(f"articles/{number}", {})).status == 404:
            yield _tombstone(reading, number)


async def _listed(reading: _Reading, page: int) -> list[Any]:
    """One page of the list of all articles, the newest first."""
    reply = await reading.get("articles/latest", {"page": page, "per_page": ARTICLES_A_PAGE})
    if reply.status == 404:  # as everywhere: it comes in waves
        raise FeedUnavailable(reading.visit.feed.id, f"{reply.url}: 404 Not Found")
    articles = reply.json()
    if not isinstance(articles, list):
        raise FeedFormatChanged(reading.visit.feed.id, f"{reply.url}: {type(articles).__name__}, no list of articles")
    return articles


async def _comments(reading: _Reading, number: str, count: int) -> list[tuple[Any, str | None]]:
    """The comments of an article, each with the code of the one it answers; count: how many there are at least."""
    found: dict[object, tuple[Any, str | None]] = {}
    for page in range(1, MOST_COMMENT_PAGES + 1):
        asked: dict[str, str | int] = {"a_id": number, "page": page, "per_page": COMMENTS_A_PAGE}
        reply = await reading.get("comments", asked)
        threads = reply.json() if reply.status != 404 else []  # the article went meanwhile
        if not isinstance(threads, list):
            raise FeedFormatChanged(
                reading.visit.feed.id, f"{reply.url}: {type(threads).__name__}, no list of comments"
            )
        before = len(found)
        for comment, answers in flattened(threads):
            code = comment.get("id_code") if isinstance(comment, dict) else None
            found.setdefault(code if isinstance(code, str) else f"{page}/{len(found)}", (comment, answers))
        standing = sum(isinstance(comment, dict) and bool(comment.get("user")) for comment, _ in found.values())
        if len(found) == before or standing >= count:  # older versions answer every page with all there is
            break
    return list(found.values())


def flattened(threads: list[Any]) -> list[tuple[Any, str | None]]:
    """Return the comments of trees, without what is below them, each with the code of the one it answers."""
    comments: list[tuple[Any, str | None]] = []
    waiting: list[tuple[Any, str | None]] = [(comment, None) for comment in reversed(threads)]
    while waiting:
        comment, answers = waiting.pop()
        if isinstance(comment, dict):
            below, code = comment.get("children"), comment.get("id_code")
            comment = {name: value for name, value in comment.items() if name != "children"}
            if isinstance(below, list):
                parent = code if isinstance(code, str) else answers
                waiting += [(child, parent) for child in reversed(below)]
        comments.append((comment, answers))
    return comments


def to_post(article: dict[str, Any], visit: Visit, was_kept: bool = False) -> dict[str, Any]:
    """Return an article, as it is by itself, as a row of posts; was_kept: whether an earlier reading of it was stored.

    Raises LeftOut where it names no brand or consent is lacking; KeyError, TypeError or ValueError where it lacks what
    it must have.
    """
    number = _needed(article)
    consent = without_opt_in(visit)
    title, text = clean(text_of(article, "title")), from_html(text_of(article, "body_html"))
    if not was_kept and not visit.wanted(title, text):
        raise LeftOut(NAMES_NO_BRAND)
    name = community_name(visit.feed.url)
    return row(
        visit,
        post_id=post_id(name, number),
        kind="article",
        url=article.get("url"),
        title=title,
        text=text,
        language=article.get("language"),
        account=_account(article, name),
        published_at=moment(article.get("published_at")),
        edited_at=moment(article.get("edited_at")),
        likes=article.get("public_reactions_count"),
        replies=article.get("comments_count"),
        consent=consent,
    )


def comment_to_post(comment: tuple[Any, str | None], article: str, visit: Visit) -> dict[str, Any]:
    """Return a comment as a row of posts; one whose author the API does not name any more is a tombstone.

    comment: with the code of the one it answers. article: the number of the one it is under. Raises as to_post does.
    """
    about, answers = comment
    code = text_of(about, "id_code")
    if not code.strip():
        raise ValueError("'id_code' is empty")
    consent = without_opt_in(visit)
    name, site = community_name(visit.feed.url), visit.feed.url.rstrip("/")
    user = about["user"]
    deleted = user == {}  # deleted by its author or hidden by the article's, which reads "[deleted]" and the like
    username = None if deleted else text_of(user, "username")
    root = post_id(name, article)
    return row(
        visit,
        post_id=comment_id(name, code),
        kind="comment",
        url=f"{site}/{quote(username)}/comment/{quote(code)}" if username else None,
        text="" if deleted else from_html(text_of(about, "body_html")),
        account=f"{username.lower()}@{name}" if username else None,
        published_at=moment(about.get("created_at")),
        deleted=deleted,
        parent_id=comment_id(name, answers) if answers else root,
        root_id=root,
        consent=consent,
    )


def post_id(community: str, number: str) -> str:
    """Return an article's post_id; its number is unique in its community."""
    return f"devto:{community}:{number}"


def comment_id(community: str, code: str) -> str:
    """Return a comment's post_id."""
    return f"devto:{community}:comment/{code}"


def community_name(url: str) -> str:
    """Return what tells a community from others: host, port if any, and folder if it lives in one."""
    parts = urlsplit(url.lower())
    return parts.netloc.rpartition("@")[2] + parts.path.rstrip("/")


def read_cursor(cursor: str | None, feed: Options) -> tuple[Progress, dict[str, list[Any]], int | None]:
    """Return the progress, what is known of recent articles, and when they were last looked over.

    With other tags or another URL all begins anew.
    """
    try:
        saved = json.loads(cursor or "{}")
        if saved.get("url") == feed.url and saved.get("tags") == list(feed.tags):
            known = {str(number): [int(known[0]), *known[1:]] for number, known in saved["known"].items()}
            return Progress.read(saved["done"]), known, int(saved["looked_over"])
    except CURSOR_FAULTS:
        pass
    return Progress(), {}, None


def write_cursor(done: Progress, known: dict[str, list[Any]], feed: Options, looked_over: int) -> str:
    """Return all of it as text; what is too old to be looked over is forgotten, but for the second to go on from."""
    ends = {stretch.end for stretch in done.stretches}
    kept = {number: what for number, what in known.items() if what[0] >= looked_over - WATCHED or what[0] in ends}
    saved = {
        "url": feed.url,
        "tags": list(feed.tags),
        "done": done.written(),
        "looked_over": looked_over,
        "known": kept,
    }
    return json.dumps(saved)


def _state(listed: dict[str, Any]) -> list[Any]:
    """What of an article in a list tells that it changed: when it was edited, its comments and its likes."""
    return [listed.get("edited_at"), listed.get("comments_count"), listed.get("public_reactions_count")]


def _is_read(reading: _Reading, number: str, listed: dict[str, Any]) -> bool:
    """Whether an article was read as it is now; of one that was not kept only an edit matters."""
    known = reading.known.get(number)
    return known is not None and known[1:] == _state(listed)[: len(known) - 1]


def _is_tagged(listed: dict[str, Any], tags: set[str]) -> bool:
    return not tags or bool(tags & _tags(listed))


def _names_a_brand(listed: dict[str, Any], visit: Visit) -> bool:
    title, told = listed.get("title"), listed.get("description")
    text = f"{told if isinstance(told, str) else ''} {' '.join(sorted(_tags(listed)))}"
    return visit.wanted(title if isinstance(title, str) else None, text)


def _pass(listed: Any) -> dict[str, Any]:
    """Count an article that is not worth asking for. Raises LeftOut, or what rejects it."""
    _needed(listed)
    raise LeftOut(NAMES_NO_BRAND)


def _needed(article: Any) -> str:
    number = article["id"]
    if isinstance(number, bool) or not isinstance(number, int):
        raise TypeError(f"'id' is {number!r}")
    return str(number)


def _number(article: Any) -> str | None:
    try:
        return _needed(article)
    except (KeyError, TypeError, IndexError):
        return None


def _published(article: Any) -> int | None:
    at = moment(article.get("published_at")) if isinstance(article, dict) else None
    return int(at.timestamp()) if at is not None else None


def _tags(article: dict[str, Any]) -> set[str]:
    tags = article.get("tag_list")
    return {tag.lower() for tag in tags if isinstance(tag, str)} if isinstance(tags, list) else set()


def _account(item: dict[str, Any], name: str) -> str | None:
    user = item.get("user")
    username = user.get("username") if isinstance(user, dict) else None
    return f"{username.lower()}@{name}" if isinstance(username, str) and username else None
