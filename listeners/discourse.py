"""Posts of one Discourse forum: all that the public may read, or the topics that a search finds.

Source: GET {url}/posts.json?before=ID, docs.discourse.org (2026-11) and app/controllers/posts_controller.rb: the newest
50 posts with an id below that number; in versions before 2026 that number included, and only those of the fifty that
strangers may see, which may be none. With `query`, discourse_search.py. No authentication on public forums.
Limits: 200 requests a minute and 50 in 10 seconds by address as delivered; 429 with Retry-After. Each forum has terms
of its own. Ids are whole numbers that grow, and hold on one forum only; `cooked` is HTML, quotes of others included.
Accounts are user names, with the forum.

A reply names what it answers by topic and number there. That becomes a post_id where both came in the same visit;
otherwise "discourse:FORUM:topic/TOPIC/NUMBER", which says that it is a reply and joins nothing. So with root_id.

What is no person's post (notices of the software and of moderators) is left out. So is what was hidden, by flags, and
what its author deleted, which stands in the list for another day: both are taken down. A forum has no place to opt in
or out.

The cursor holds the stretches of ids still to be read; it moves with every page. The newest come first, then what was
left, then the last 100 ids again, for edits and counts; what changes later than that is not seen. A first answer
without posts moves nothing (FAULTS 7); a later one says that strangers see none of the next fifty, no more. Kept posts
are asked for again at {url}/posts/ID.json.
"""

import json
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Self

from pydantic import Field, model_validator

from listeners.budget import Budget
from listeners.consent import without_opt_in
from listeners.feed import CURSOR_FAULTS, FeedFormatChanged, FeedOptions, Page, Phrases, TakenDown, Visit, WebAddress
from listeners.intervals import Interval, Progress
from listeners.plain_text import clean, from_html
from listeners.post import LeftOut, empty_page, moment, number_in, number_of, row, site_name, text_of, to_page
from listeners.standing import Kept, asked_singly

FAR = 1_000_000  # ids further from most of a page than this are a mistake of the forum's; fewer lie between two posts
CHANGEABLE = 100  # ids below the newest stretch that are read again, two pages
A_PAGE_SPANS = 49  # ids at least, besides the one above that some versions include

_REGULAR = 1  # post_type; others are notices of moderators and software, and whispers
_LIKE = 2  # id of the action in actions_summary


class Options(FeedOptions):
    """The keys of a discourse feed in listening.toml."""

    url: WebAddress = Field(description="the forum, as in https://meta.discourse.org")
    query: Phrases = Field(default=(), description="phrases to search for, each by itself; none means every new post")
    max_requests: int = Field(
        default=60, ge=3, le=10_000, description="requests per visit; the next visit goes on from there"
    )

    @model_validator(mode="after")
    def _enough_to_get_on(self) -> Self:
        if self.max_requests < 12 * len(self.query):  # ten pages of a day's finds, a topic, and one of what is left
            raise ValueError(f"max_requests must be at least {12 * len(self.query)} for {len(self.query)} phrases")
        return self


@dataclass
class Forum:
    """What one visit knows of a forum: its name, the posts it has seen, and its requests."""

    visit: Visit
    name: str
    budget: Budget
    numbers: dict[tuple[int, int], int] = field(default_factory=dict)  # topic and number there -> id

    async def get(self, path: str, params: dict[str, str | int]) -> dict[str, Any]:
        """Return the object at a path. Raises as FeedClient.get does; FeedFormatChanged where it is none."""
        self.budget.spent += 1
        feed = self.visit.feed
        reply = await self.visit.client.get(f"{feed.url.rstrip('/')}{path}", params)
        answer = reply.json()
        if not isinstance(answer, dict):
            raise FeedFormatChanged(feed.id, f"{reply.url}: {type(answer).__name__} where an object is due")
        return answer

    def page(self, found: list[Any], cursor: str) -> Page:
        """Return the page of the posts found that did not come before in this visit."""
        new, gone, known = [], set(), set(self.numbers.values())
        for post in found:
            number = number_in(post, "id")
            if number is None or number not in known:
                new.append(post)
            if number is not None and why_gone(post):
                gone.add(self.post_id(number))
            topic, place = number_in(post, "topic_id"), number_in(post, "post_number")
            if number is not None and topic is not None and place is not None:
                self.numbers[topic, place] = number
        taken_down = TakenDown(frozenset(gone)) if gone else None
        return to_page(self.visit, new, lambda post: to_post(post, self), cursor=cursor, taken_down=taken_down)

    def post_id(self, number: int) -> str:
        """Return a post's post_id."""
        return f"discourse:{self.name}:{number}"

    def post_at(self, topic: int, place: int) -> str:
        """Return the post_id of what stands at a place in a topic, or a name for the place where that is not known."""
        number = self.numbers.get((topic, place))
        return self.post_id(number) if number is not None else f"discourse:{self.name}:topic/{topic}/{place}"


async def pages(visit: Visit) -> AsyncIterator[Page]:
    """Yield posts, the newest first within each stretch still to be read; with `query`, those of topics found.

    Raises as FeedClient.get does; FeedFormatChanged where an answer is no list of posts.
    """
    forum = Forum(visit, site_name(visit.feed.url), Budget(visit))
    if visit.feed.query:
        from listeners import discourse_search

        async for page in discourse_search.pages(forum):
            yield page
        return
    done = read_cursor(visit.cursor, visit.feed)
    async for page in _posts(forum, done):
        yield page
    if forum.budget.cut_short and done.to_read:
        yield empty_page(write_cursor(done, visit.feed), capped=forum.budget.said())


async def standing(visit: Visit, kept: Sequence[Kept]) -> AsyncIterator[Page]:
    """Yield which of the kept posts are gone. Raises as FeedClient.get does."""
    base, forum = visit.feed.url.rstrip("/"), f"discourse:{site_name(visit.feed.url)}:"
    own = [one.post_id for one in kept if one.post_id.startswith(forum)]  # the address may have been another's before
    addresses = {post_id: f"{base}/posts/{post_id.removeprefix(forum)}.json" for post_id in own}
    if addresses:
        async for page in asked_singly(visit, addresses, is_gone=_is_gone):
            yield page


async def _posts(forum: Forum, done: Progress) -> AsyncIterator[Page]:
    """The pages of all that is to be read; the first answer says how far up that reaches."""
    feed: Options = forum.visit.feed
    found = await _latest(forum, None)
    newest = newest_of([number for post in found if (number := number_in(post, "id")) is not None])
    if newest is None:
        suspect = "a list without posts, where posts were read before" if done.read_to and not found else None
        yield replace(forum.page(found, write_cursor(done, feed)), suspect=suspect)
        return
    if done.read_to is not None and done.read_to > newest + FAR:  # told by a mistake: what was read is not known
        done.read_to, done.to_read = None, []
    done.begin(newest)
    at_hand: list[Any] | None = found
    for asked in done.plan(again=CHANGEABLE):
        rest: Interval | None = asked
        while rest is not None:
            if at_hand is None and not forum.budget.may_ask():
                return
            found = at_hand if at_hand is not None else await _latest(forum, rest.end)
            at_hand = None
            further = next_stretch(feed.id, rest, [number_in(post, "id") for post in found])
            done.have_read(rest, further)
            yield forum.page(found, write_cursor(done, feed))
            rest = further


def newest_of(ids: list[int]) -> int | None:
    """Return the highest id of a page that is near to most of the others; None where there is none.

    One absurd id, taken for the newest, would let all later visits believe that they had read up to it.
    """
    middle = sorted(ids)[len(ids) // 2] if ids else 0
    return max((number for number in ids if number - middle <= FAR), default=None)


def next_stretch(feed_id: str, asked: Interval, ids: list[int | None]) -> Interval | None:
    """Return what is left of a stretch after a page of ids from its end on down; None where nothing is.

    A page without any leaves what is below the ids that a page spans at least. The id above the end may stand alone, as
    it was asked for. Raises FeedFormatChanged where others do, since then nothing would ever end.
    """
    known = [number for number in ids if number is not None]
    below = [number for number in known if number <= asked.end]
    if ids and not below and set(known) != {asked.end + 1}:
        raise FeedFormatChanged(feed_id, f"{len(ids)} posts, and none with an id up to {asked.end}")
    lowest = min(below, default=asked.end - A_PAGE_SPANS + 1)
    return Interval(asked.start, lowest - 1) if lowest > asked.start else None


def to_post(post: dict[str, Any], forum: Forum) -> dict[str, Any]:
    """Return a post of the forum as a row of posts; the first of a topic has its title.

    Raises LeftOut where it may not be stored or is no person's; KeyError, TypeError or ValueError where it lacks what
    it must have.
    """
    number, topic, place = (number_of(post, key) for key in ("id", "topic_id", "post_number"))
    if post.get("post_type", _REGULAR) != _REGULAR:
        raise LeftOut("notice")
    if reason := why_gone(post):
        raise LeftOut(reason)
    consent = without_opt_in(forum.visit)
    is_first = place == 1
    answers = number_in(post, "reply_to_post_number") or 1
    name, title = post.get("username"), post.get("topic_title")
    edited = (number_in(post, "version") or 1) > 1
    return row(
        forum.visit,
        post_id=forum.post_id(number),
        kind="post" if is_first else "comment",
        url=f"{forum.visit.feed.url.rstrip('/')}/t/{post.get('topic_slug') or '-'}/{topic}/{place}",
        title=clean(title) if isinstance(title, str) and is_first else None,
        text=from_html(text_of(post, "cooked")),
        account=f"{name.lower()}@{forum.name}" if isinstance(name, str) and name else None,
        published_at=post.get("created_at"),
        edited_at=moment(post.get("updated_at")) if edited else None,
        parent_id=None if is_first else forum.post_at(topic, answers),
        root_id=None if is_first else forum.post_at(topic, 1),
        likes=_likes(post),
        replies=post.get("reply_count"),
        views=post.get("reads"),
        consent=consent,
    )


def why_gone(post: dict[str, Any]) -> str | None:
    """Return why a post's words are no longer shown, or None if they are."""
    if post.get("hidden") is True:
        return "hidden"
    return "deleted" if post.get("user_deleted") is True or post.get("deleted_at") is not None else None


def _is_gone(post: Any) -> bool:
    return isinstance(post, dict) and why_gone(post) is not None


def read_cursor(cursor: str | None, feed: Options) -> Progress:
    """Return the progress; ids hold on one forum, so another address begins at the beginning."""
    try:
        saved = json.loads(cursor or "{}")
        if saved.get("url") == feed.url:
            return Progress(int(saved["read_to"]), [Interval(int(a), int(b)) for a, b in saved["to_read"]])
    except CURSOR_FAULTS:
        pass
    return Progress()


def write_cursor(done: Progress, feed: Options) -> str:
    """Return the progress as text."""
    return json.dumps({"url": feed.url, "read_to": done.read_to, "to_read": done.to_read})


async def _latest(forum: Forum, up_to: int | None) -> list[Any]:
    """The newest posts, or the newest up to an id, that one included (some versions take `before` at its word)."""
    answer = await forum.get("/posts.json", {} if up_to is None else {"before": up_to + 1})
    found = answer.get("latest_posts")
    if not isinstance(found, list):
        raise FeedFormatChanged(forum.visit.feed.id, f"{forum.visit.feed.url}: JSON without a list `latest_posts`")
    return found


def _likes(post: dict[str, Any]) -> object:
    actions = post.get("actions_summary")
    if not isinstance(actions, list):
        return post.get("like_count")
    return next((action.get("count") for action in actions if number_in(action, "id") == _LIKE), 0)
