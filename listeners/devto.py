"""Articles of dev.to or another Forem community, with their comments.

Source: GET {url}/api/articles/latest and /api/articles/ID, developers.forem.com/api and the controllers and views of
forem/forem (2026-11). No authentication. Comments: devto_comments.py.
Limits: 3 requests a second and, since August 2026, 30 a minute by address (forem/forem#23756); 429 with Retry-After.
Hence two seconds between requests. 1,000 articles a page; pages beyond 1,000 need a key.

There is no search by text, and the list of a tag is in the order of "hotness", which has no end to stop at: so the list
of all articles is read, the newest first, and tags are compared here. It holds no text but a description. An article's
text costs a request, which each new article gets: many name a brand only there. Of those that are older than three days
by the time they are read, as on a first visit, only those get it whose title, description or tags name a brand; what
the others say in their text alone is not found. Comments are read where the article is kept, and nowhere else.

Each visit looks over the list of the last three days again and reads what was edited, commented or liked since.
What was kept and is not listed any more is asked for, and 404 taken for taken down; what goes later: devto_kept.py.
Nobody can opt in or out here.
What is read and what is not: followed_list.py.
"""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

from pydantic import Field

from listeners import devto_comments, devto_kept
from listeners.consent import without_opt_in
from listeners.feed import (
    NAMES_NO_BRAND,
    FeedFormatChanged,
    FeedOptions,
    FeedUnavailable,
    Page,
    Phrases,
    Visit,
    WebAddress,
)
from listeners.followed_list import WATCHED, FollowedList
from listeners.numbered_pages import Stretch, walk
from listeners.plain_text import clean, from_html
from listeners.post import (
    LeftOut,
    empty_page,
    moment,
    number_in,
    number_of,
    row,
    second_in,
    site_name,
    text_of,
    to_page,
)
from listeners.reply import Reply

ARTICLES_A_PAGE = 1000  # the API's largest page, as delivered
LAST_PAGE = 1000  # without a key
APART = 2.0  # seconds between requests: 30 a minute

standing = devto_kept.standing


class Options(FeedOptions):
    """The keys of a devto feed in listening.toml."""

    url: WebAddress = Field(default="https://dev.to", description="the community")
    tags: Phrases = Field(default=(), description="articles with one of these tags only; none means all")
    max_requests: int = Field(
        default=100, ge=6, le=10_000, description="requests per visit; the next visit goes on from there"
    )


@dataclass
class _Reading(FollowedList):
    """What one visit knows of a community.

    known: of an article, its number -> when it was published, edited and, if kept, its comments and likes as the list
    had them. beyond: whether there were more articles than can be had.
    """

    beyond: bool = False

    async def get(self, path: str, params: dict[str, str | int]) -> Reply:
        """The answer at a path of the API, 404 among them."""
        self.budget.spent += 1
        url = f"{self.visit.feed.url.rstrip('/')}/api/{path}"
        reply = await self.visit.client.get(url, params, answers=frozenset({404}))
        self.visit.client.hold(url, APART)
        return reply


async def pages(visit: Visit) -> AsyncIterator[Page]:
    """Yield articles, each followed by its comments, the newest first within each stretch still to be read.

    Raises as FeedClient.get does; FeedFormatChanged where an answer is not what the API documents.
    """
    reading = _Reading.of(visit)
    async for page in reading.pages(
        lambda stretch, again: _articles(reading, stretch, again=again), lambda number: _missing(reading, number)
    ):
        yield page
    if reading.beyond:
        said = f"articles beyond page {LAST_PAGE} of the list cannot be had"
        yield empty_page(reading.cursor(), capped=said)
    elif reading.budget.cut_short and reading.done.stretches:
        yield empty_page(reading.cursor(), capped=reading.budget.said())


async def _articles(reading: _Reading, stretch: Stretch, *, again: bool) -> AsyncIterator[Page]:
    """The pages of the articles of a stretch. again: it was read before, and only what changed is read."""
    visit, done, tags = reading.visit, reading.done, {tag.lower().lstrip("#") for tag in reading.visit.feed.tags}

    async def fetch(number: int) -> list[Any] | None:
        if number > LAST_PAGE:
            reading.beyond = True
            return []
        return await _listed(reading, number) if reading.budget.may_ask() else None

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
                if not reading.budget.may_ask():
                    break
                async for page in _opened(reading, number, article):
                    yield page
            reading.seen.add(number or "")
            if not again and at is not None:
                stretch.end = min(stretch.end, at)
        yield to_page(visit, [] if again else passed, _pass, cursor=reading.cursor())
        if reading.budget.cut_short:
            return
    done.drop_read()
    strange = is_empty and not reading.budget.cut_short and not stretch.all_read
    yield empty_page(reading.cursor(), suspect="the list of articles is empty" if strange else None)


async def _opened(reading: _Reading, number: str, listed: dict[str, Any]) -> AsyncIterator[Page]:
    """An article with its text, and its comments if it is kept. listed: it as the list has it."""
    visit = reading.visit
    reply = await reading.get(f"articles/{number}", {})
    if reply.status == 404:
        yield reading.tombstone(number, post_id(site_name(visit.feed.url), number))
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
    comments: list[devto_comments.Answer] = []
    if is_kept and isinstance(count, int) and (count > 0 or before[2:3] not in ([], [0])):  # or all went
        comments = await devto_comments.comments(reading.get, number, count)
    reading.known[number] = [_published(listed) or reading.looked_over, *(state if is_kept else state[:1])]
    if comments:
        under = post_id(site_name(visit.feed.url), number)
        yield to_page(visit, comments, lambda one: devto_comments.to_post(one, under, visit), cursor=reading.cursor())


async def _missing(reading: _Reading, number: str) -> Page | None:
    """The tombstone of an article that is not listed any more, if it was kept and is not there either."""
    if len(reading.known[number]) <= 2 or not reading.budget.may_ask():
        return None
    if (await reading.get(f"articles/{number}", {})).status != 404:
        return None
    return reading.tombstone(number, post_id(site_name(reading.visit.feed.url), number))


async def _listed(reading: _Reading, page: int) -> list[Any]:
    """One page of the list of all articles, the newest first."""
    reply = await reading.get("articles/latest", {"page": page, "per_page": ARTICLES_A_PAGE})
    if reply.status == 404:  # as everywhere: it comes in waves
        raise FeedUnavailable(reading.visit.feed.id, f"{reply.url}: 404 Not Found")
    articles = reply.json()
    if not isinstance(articles, list):
        raise FeedFormatChanged(reading.visit.feed.id, f"{reply.url}: {type(articles).__name__}, no list of articles")
    return articles


def to_post(article: dict[str, Any], visit: Visit, was_kept: bool = False) -> dict[str, Any]:
    """Return an article, as it is by itself, as a row of posts; was_kept: whether an earlier reading of it was stored.

    Raises LeftOut where it names no brand or consent is lacking; KeyError, TypeError or ValueError where it lacks what
    it must have.
    """
    number = str(number_of(article, "id"))
    consent = without_opt_in(visit)
    title, text = clean(text_of(article, "title")), from_html(text_of(article, "body_html"))
    if not was_kept and not visit.wanted(title, text):
        raise LeftOut(NAMES_NO_BRAND)
    name = site_name(visit.feed.url)
    return row(
        visit,
        post_id=post_id(name, number),
        kind="article",
        url=article.get("url"),
        title=title,
        text=text,
        language=article.get("language"),
        account=_account(article, name),
        published_at=article.get("published_at"),
        edited_at=moment(article.get("edited_at")),
        likes=article.get("public_reactions_count"),
        replies=article.get("comments_count"),
        consent=consent,
    )


def post_id(community: str, number: str) -> str:
    """Return an article's post_id; its number is unique in its community."""
    return f"devto:{community}:{number}"


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
    number_of(listed, "id")
    raise LeftOut(NAMES_NO_BRAND)


def _number(article: Any) -> str | None:
    number = number_in(article, "id")
    return None if number is None else str(number)


def _published(article: Any) -> int | None:
    return second_in(article, "published_at")


def _tags(article: dict[str, Any]) -> set[str]:
    tags = article.get("tag_list")
    return {tag.lower() for tag in tags if isinstance(tag, str)} if isinstance(tags, list) else set()


def _account(item: dict[str, Any], name: str) -> str | None:
    user = item.get("user")
    username = user.get("username") if isinstance(user, dict) else None
    return f"{username.lower()}@{name}" if isinstance(username, str) and username else None
