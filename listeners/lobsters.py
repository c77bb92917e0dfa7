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
What is read and what is not: followed_list.py.
"""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from urllib.parse import quote

from pydantic import Field

from listeners.consent import without_opt_in
from listeners.feed import FeedFormatChanged, FeedOptions, FeedUnavailable, Page, Phrases, Visit, WebAddress
from listeners.followed_list import FollowedList
from listeners.numbered_pages import Stretch, walk
from listeners.plain_text import clean, from_html
from listeners.post import empty_page, moment, row, second_in, site_name, text_of, to_page, web_address
from listeners.reply import Reply
from listeners.robots import refuse_unless_allowed

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
class _Reading(FollowedList):
    """What one visit knows of a site. known: of a story, its short id -> when it was posted, and its comments read."""

    async def get(self, path: str, params: dict[str, str | int] | None = None) -> Reply:
        """The answer at a path, 404 among them. Raises FeedBlocked where robots.txt keeps us out."""
        feed, client = self.visit.feed, self.visit.client
        url = f"{feed.url.rstrip('/')}/{path}"
        if not feed.permitted:
            await refuse_unless_allowed(client, url)
        self.budget.spent += 1
        reply = await client.get(url, params, answers=frozenset({404}))
        client.hold(url, APART)
        return reply


async def pages(visit: Visit) -> AsyncIterator[Page]:
    """Yield stories a list page at a time, each page followed by the comments on its stories, the newest first.

    Raises as FeedClient.get does; FeedBlocked where robots.txt keeps us out; FeedFormatChanged where an answer is not
    what the site's software gives.
    """
    reading = _Reading.of(visit)
    async for page in reading.pages(
        lambda stretch, again: _stories(reading, stretch, again=again), lambda name: _missing(reading, name)
    ):
        yield page
    if reading.budget.cut_short and reading.done.stretches:
        yield empty_page(reading.cursor(), capped=reading.budget.said())


async def _stories(reading: _Reading, stretch: Stretch, *, again: bool) -> AsyncIterator[Page]:
    """The pages of a stretch. again: it was read before, and only comments whose number changed are read."""
    visit, done = reading.visit, reading.done

    async def fetch(number: int) -> list[Any] | None:
        return await _listed(reading, number) if reading.budget.may_ask() else None

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
                    if not reading.budget.may_ask():
                        return
                    async for page in _comments(reading, name):
                        yield page
                reading.known[name] = [at or reading.looked_over, count if isinstance(count, int) else 0]
            reading.seen |= {name} if name is not None else set()
            if not again and at is not None:
                stretch.end = min(stretch.end, at)
    done.drop_read()
    strange = is_empty and not reading.budget.cut_short and not stretch.all_read
    yield empty_page(reading.cursor(), suspect="the list of stories is empty" if strange else None)


async def _comments(reading: _Reading, name: str) -> AsyncIterator[Page]:
    """The comments on a story."""
    visit = reading.visit
    reply = await reading.get(f"s/{quote(name, safe='')}.json")
    if reply.status == 404:
        yield reading.tombstone(name, story_id(site_name(visit.feed.url), name))
        return
    story = reply.json()
    comments = story.get("comments") if isinstance(story, dict) else None
    if not isinstance(comments, list):
        raise FeedFormatChanged(visit.feed.id, f"{reply.url}: JSON without a list `comments`")
    yield to_page(visit, comments, lambda comment: comment_to_post(comment, name, visit), cursor=reading.cursor())


async def _missing(reading: _Reading, name: str) -> Page | None:
    """The tombstone of a story that is not listed any more, if it is not there either."""
    if not reading.budget.may_ask() or (await reading.get(f"s/{quote(name, safe='')}.json")).status != 404:
        return None
    return reading.tombstone(name, story_id(site_name(reading.visit.feed.url), name))


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
        published_at=story.get("created_at"),
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
    return second_in(story, "created_at")


def _account(user: Any, site: str) -> str | None:
    """A user's name with the site; older versions give the user's whole profile."""
    name = user.get("username") if isinstance(user, dict) else user
    return f"{name.lower()}@{site}" if isinstance(name, str) and name else None
