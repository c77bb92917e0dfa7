"""Stories of Lobsters or another site that runs its software, with the comments on those that name a brand.

Off unless somebody writes a feed of it: the robots.txt of lobste.rs keeps out bots it does not name, and its operators
want to be asked first. Without `permitted` robots.txt is read and obeyed, its Crawl-delay too. `permitted = true` says
that the operators allowed it; who was allowed in person need not ask the file, and does not.

Source: GET {url}/newest/page/N.json, /t/TAG,TAG.json?page=N and /s/ID.json, controllers and models of
lobsters/lobsters (2026-11). No authentication. Stories with a negative score are in no tag's list.
Limits: 4 requests a second, 30 a minute, 100 in ten minutes, 400 an hour; 429 with Retry-After. Hence two seconds
between requests and no more than 100 a visit. 25 stories a page; several tags are one list, as the operators ask.

Stories come whole with the list; comments cost a request a story, made where the story is kept. Each visit goes over
the last three days again, for scores and titles, and reads comments again where their number changed; an edited comment
shows when another follows. Deleted comments stay, and are tombstones; of deleted stories /s/ID.json is 404, which is
asked for where one that was kept is not listed any more. Accounts are user names. Nobody can opt in or out here.
The cursor works as in devto.py.
"""

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlsplit

from pydantic import Field

from listeners.consent import without_opt_in
from listeners.feed import (
    CURSOR_FAULTS,
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
from listeners.post import empty_page, moment, row, text_of, to_page, web_address
from listeners.robots import refuse_unless_allowed

if TYPE_CHECKING:
    from listeners.http import Reply

WATCHED = 72 * 3600  # seconds in which a story's comments and counts are followed
APART = 2.0  # seconds between requests: 30 a minute
EDITED = timedelta(minutes=1)  # a comment changed later than this after it was written is edited (models/comment.rb)


class Options(FeedOptions):
    """The keys of a lobsters feed in listening.toml."""

    url: WebAddress = Field(default="https://lobste.rs", description="the site")
    tags: Phrases = Field(default=(), description="stories with one of these tags only; none means all")
    permitted: bool = Field(
        default=False, description="you asked the site's operators, and they allow it: robots.txt is then not asked"
    )
    max_requests: int = Field(
        default=60, ge=6, le=100, description="requests per visit; the next visit goes on from there"
    )


@dataclass
class _Reading:
    """What one visit knows of a site.

    known: of the last three days, by short id: when a story was posted and, if its comments were read, how many it had.
    seen: the short ids that this visit's lists showed. looked_over: when that was last done from the newest down to
    three days before.
    """

    visit: Visit
    site: str
    done: Progress
    known: dict[str, list[int]]
    looked_over: int
    requests: int = 0
    cut_short: bool = False
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

    async def get(self, path: str, params: dict[str, str | int] | None = None) -> "Reply":
        """The answer at a path, 404 among them. Raises FeedBlocked where robots.txt keeps us out."""
        feed, client = self.visit.feed, self.visit.client
        url = f"{feed.url.rstrip('/')}/{path}"
        if not feed.permitted:
            await refuse_unless_allowed(client, url)
        self.requests += 1
        reply = await client.get(url, params, answers=frozenset({404}))
        client.hold(url, APART)
        return reply

    def cursor(self) -> str:
        return write_cursor(self.done, self.known, self.visit.feed, self.looked_over)


async def pages(visit: Visit) -> AsyncIterator[Page]:
    """Yield stories a list page at a time, each page followed by the comments on its stories, the newest first.

    Raises as FeedClient.get does; FeedBlocked where robots.txt keeps us out; FeedFormatChanged where an answer is not
    what the site's software gives.
    """
    done, known, looked_over = read_cursor(visit.cursor, visit.feed)
    reading = _Reading(visit, site_name(visit.feed.url), done, known, looked_over or int(visit.started_at.timestamp()))
    left = list(done.stretches)
    now = int(visit.started_at.timestamp())
    new = done.begin(now)
    async for page in _stories(reading, new):
        yield page
    for stretch in left:
        async for page in _stories(reading, stretch):
            yield page
    watched = Stretch(reading.since, new.start, new.page, all_read=reading.since >= new.start)
    if new.all_read and not watched.all_read:
        async for page in _stories(reading, watched, again=True):
            yield page
        async for page in _missing(reading, watched):
            yield page
    if new.all_read and watched.all_read and not reading.cut_short:
        reading.looked_over = now
        yield empty_page(reading.cursor())
    if reading.cut_short and done.stretches:
        said = f"{reading.requests} requests used up; the rest is read from the next visit on"
        yield empty_page(reading.cursor(), capped=said)


async def _stories(reading: _Reading, stretch: Stretch, *, again: bool = False) -> AsyncIterator[Page]:
    """The pages of a stretch. again: it was read before, and only comments whose number changed are read."""
    visit, done = reading.visit, reading.done

    async def fetch(number: int) -> list[Any] | None:
        return await _listed(reading, number) if reading.may_ask() else None

    is_empty = True
    async for stories in walk(stretch, fetch, _posted):
        is_empty = False
        if not again and stretch not in done.stretches:
            done.note(stretch, max(filter(None, map(_posted, stories)), default=None))
        stories = [story for story in stories if _short_id(story) not in reading.seen]
        yield to_page(visit, stories, lambda story: to_post(story, visit), cursor=reading.cursor())
        for story in stories:
            name, at = _short_id(story), _posted(story)
            if name is not None and _is_wanted(story, visit):
                count = story.get("comment_count")
                if count and reading.known.get(name, [])[1:] != [count]:
                    if not reading.may_ask():
                        return
                    async for page in _comments(reading, name):
                        yield page
                reading.known[name] = [at or reading.looked_over, count if isinstance(count, int) else 0]
            reading.seen |= {name} if name is not None else set()
            if not again and at is not None:
                stretch.end = min(stretch.end, at)
    done.drop_read()
    strange = is_empty and not reading.cut_short and not stretch.all_read
    yield empty_page(reading.cursor(), suspect="the list of stories is empty" if strange else None)


async def _comments(reading: _Reading, name: str) -> AsyncIterator[Page]:
    """The comments on a story."""
    visit = reading.visit
    reply = await reading.get(f"s/{quote(name, safe='')}.json")
    if reply.status == 404:
        yield _tombstone(reading, name)
        return
    story = reply.json()
    comments = story.get("comments") if isinstance(story, dict) else None
    if not isinstance(comments, list):
        raise FeedFormatChanged(visit.feed.id, f"{reply.url}: JSON without a list `comments`")
    yield to_page(visit, comments, lambda comment: comment_to_post(comment, name, visit), cursor=reading.cursor())


async def _missing(reading: _Reading, watched: Stretch) -> AsyncIterator[Page]:
    """Tombstones for stories that were kept and are neither listed any more nor there."""
    for name in [name for name, known in reading.known.items() if known[0] >= watched.start]:
        if name in reading.seen or not watched.all_read:
            continue
        if not reading.may_ask():
            return
        if (await reading.get(f"s/{quote(name, safe='')}.json")).status == 404:
            yield _tombstone(reading, name)


def _tombstone(reading: _Reading, name: str) -> Page:
    """The page that says a story is gone."""
    reading.known.pop(name, None)
    return empty_page(reading.cursor(), taken_down=TakenDown(posts=frozenset({story_id(reading.site, name)})))


async def _listed(reading: _Reading, page: int) -> list[Any]:
    """One page of the list, the newest first."""
    tags = ",".join(quote(tag.lower(), safe="") for tag in reading.visit.feed.tags)
    reply = await (reading.get(f"t/{tags}.json", {"page": page}) if tags else reading.get(f"newest/page/{page}.json"))
    if reply.status == 404:  # as everywhere: it comes in waves
        why = " (is there such a tag?)" if tags else ""
        raise FeedUnavailable(reading.visit.feed.id, f"{reply.url}: 404 Not Found{why}")
    stories = reply.json()
    if not isinstance(stories, list):
        raise FeedFormatChanged(reading.visit.feed.id, f"{reply.url}: {type(stories).__name__}, no list of stories")
    return stories


def to_post(story: dict[str, Any], visit: Visit) -> dict[str, Any]:
    """Return a story as a row of posts; its link stands in its text, as a reader sees the site beside the title.

    Raises LeftOut where consent is lacking; KeyError, TypeError or ValueError where it lacks what it must have.
    """
    site, title, text = site_name(visit.feed.url), *_said(story)
    tags = story.get("tags")
    return row(
        visit,
        post_id=story_id(site, _needed(story)),
        kind="question" if isinstance(tags, list) and "ask" in tags else "post",
        url=story.get("short_id_url"),
        title=title,
        text=text,
        account=_account(story.get("submitter_user"), site),
        published_at=moment(story.get("created_at")),
        likes=story.get("score"),
        replies=story.get("comment_count"),
        consent=without_opt_in(visit),
    )


def comment_to_post(comment: dict[str, Any], story: str, visit: Visit) -> dict[str, Any]:
    """Return a comment as a row of posts; story: the short id of the one it is on. Raises as to_post does."""
    site = site_name(visit.feed.url)
    deleted = comment.get("is_deleted") is True or comment.get("is_moderated") is True
    written, changed = moment(comment.get("created_at")), moment(comment.get("last_edited_at"))
    edited = written is not None and changed is not None and changed - written > EDITED
    answered, root = comment.get("parent_comment"), story_id(site, story)
    return row(
        visit,
        post_id=comment_id(site, _needed(comment)),
        kind="comment",
        url=comment.get("short_id_url"),
        text="" if deleted else from_html(text_of(comment, "comment")),
        account=None if deleted else _account(comment.get("commenting_user"), site),
        published_at=written,
        edited_at=changed if edited and not deleted else None,
        deleted=deleted,
        parent_id=comment_id(site, answered) if isinstance(answered, str) and answered else root,
        root_id=root,
        likes=comment.get("score"),
        consent=without_opt_in(visit),
    )


def story_id(site: str, name: str) -> str:
    """Return a story's post_id; its short id is unique among the stories of its site."""
    return f"lobsters:{site}:{name}"


def comment_id(site: str, name: str) -> str:
    """Return a comment's post_id; its short id is unique among the comments of its site."""
    return f"lobsters:{site}:comment/{name}"


def site_name(url: str) -> str:
    """Return what tells a site from others: host, port if any, and folder if it lives in one."""
    parts = urlsplit(url.lower())
    return parts.netloc.rpartition("@")[2] + parts.path.rstrip("/")


def read_cursor(cursor: str | None, feed: Options) -> tuple[Progress, dict[str, list[int]], int | None]:
    """Return the progress, what is known of recent stories, and when they were last looked over.

    With other tags or another URL all begins anew.
    """
    try:
        saved = json.loads(cursor or "{}")
        if saved.get("url") == feed.url and saved.get("tags") == list(feed.tags):
            known = {str(name): [int(at), int(comments)] for name, (at, comments) in saved["known"].items()}
            return Progress.read(saved["done"]), known, int(saved["looked_over"])
    except CURSOR_FAULTS:
        pass
    return Progress(), {}, None


def write_cursor(done: Progress, known: dict[str, list[int]], feed: Options, looked_over: int) -> str:
    """Return all of it as text; what is too old to be looked over is forgotten, but for the second to go on from."""
    ends = {stretch.end for stretch in done.stretches}
    kept = {name: what for name, what in known.items() if what[0] >= looked_over - WATCHED or what[0] in ends}
    saved = {
        "url": feed.url,
        "tags": list(feed.tags),
        "done": done.written(),
        "looked_over": looked_over,
        "known": kept,
    }
    return json.dumps(saved)


def _said(story: dict[str, Any]) -> tuple[str, str]:
    """A story's title, and its text with its link."""
    told, link = story.get("description"), web_address(story.get("url"))
    text = "\n".join(part for part in (from_html(told) if isinstance(told, str) else "", link) if part)
    return clean(text_of(story, "title")), text


def _is_wanted(story: dict[str, Any], visit: Visit) -> bool:
    try:
        return visit.wanted(*_said(story))
    except (KeyError, TypeError):
        return False


def _needed(item: Any) -> str:
    name = text_of(item, "short_id").strip()
    if not name:
        raise ValueError("'short_id' is empty")
    return name


def _short_id(item: Any) -> str | None:
    try:
        return _needed(item)
    except (KeyError, TypeError, ValueError, IndexError):
        return None


def _posted(story: Any) -> int | None:
    at = moment(story.get("created_at")) if isinstance(story, dict) else None
    return int(at.timestamp()) if at is not None else None


def _account(user: Any, site: str) -> str | None:
    """A user's name with the site; older versions give the user's whole profile."""
    name = user.get("username") if isinstance(user, dict) else user
    return f"{name.lower()}@{site}" if isinstance(name, str) and name else None
