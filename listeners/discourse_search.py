"""The part of discourse.py that reads what a search finds: topics, by day.

Source: GET {url}/search.json?q=PHRASE after:DAY before:DAY order:latest&page=N, docs.discourse.org (2026-11),
app/controllers/search_controller.rb and lib/search.rb; then GET {url}/t/TOPIC/NUMBER.json.
Limits: 10 pages of 50 a search; searches of strangers by a few a minute. A search shows one post a topic, the newest
that matches, and only its beginning: so the topic is read from there, some twenty posts around that one, which may
or may not say the phrase. A match further from its topic's newest of the same stretch of days is not found, and
neither is an edit.

The cursor holds, per phrase, the days still to be read and the finds of late that were read. Yesterday and today are
searched again at each visit; a find that was read costs nothing more. A day that holds more than 500 topics is said.
"""

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from listeners.discourse import Forum, Options
from listeners.feed import CURSOR_FAULTS, FeedFormatChanged, FeedUnavailable, Page
from listeners.intervals import Interval, Progress
from listeners.plain_text import clean
from listeners.post import empty_page, moment, number_in
from listeners.turns import in_turn

LAST_PAGE = 10  # the API refuses more
REMEMBERED = 1_000  # finds per phrase: what ten pages of one day and two more days may hold


@dataclass
class Search:
    """What is read of one phrase: days as their ordinals, and the ids of posts found that were read, oldest first."""

    days: Progress = field(default_factory=Progress)
    read: dict[int, None] = field(default_factory=dict)


async def pages(forum: Forum) -> AsyncIterator[Page]:
    """Yield the posts around what each phrase finds, the newest first, the phrases in turn.

    Raises as FeedClient.get does; FeedUnavailable where the forum is too busy to search.
    """
    visit = forum.visit
    searches = read_cursor(visit.cursor, visit.feed)
    for search in searches.values():
        search.days.begin(visit.started_at.date().toordinal())
    async for page in in_turn(_found(forum, searches, phrase) for phrase in searches):
        yield page
    if forum.budget.cut_short:
        yield empty_page(write_cursor(searches, visit.feed), capped=forum.budget.said())


async def _found(forum: Forum, searches: dict[str, Search], phrase: str) -> AsyncIterator[Page]:
    """The pages of one phrase, in the order of its plan; a page is a topic."""
    feed: Options = forum.visit.feed
    search = searches[phrase]
    for asked in search.days.plan(again=1):
        rest: Interval | None = asked
        number, oldest = 1, asked.end
        while rest is not None:
            if not forum.budget.may_ask():
                return
            finds, topics, more = await _search(forum, phrase, rest, number)
            for find in finds:
                if (place := _unread(find, search)) is None:
                    continue
                if not forum.budget.may_ask():
                    return
                posts = await _around(forum, *place, topics.get(place[0]))
                search.read[find["id"]] = None
                yield forum.page(posts, write_cursor(searches, feed))
            oldest = min([oldest, *(day for find in finds if (day := _day(find)) is not None)])
            if finds and more and oldest == rest.end and number < LAST_PAGE:  # the newest day is not over
                number += 1
                continue
            further, lost = next_days(rest, oldest) if finds and more else (None, None)
            if finds or number > 1:  # an answer without finds moves nothing (FAULTS 7)
                search.days.have_read(rest, further)
            yield empty_page(write_cursor(searches, feed), capped=lost)
            rest, number, oldest = further, 1, further.end if further else 0


def next_days(asked: Interval, oldest: int) -> tuple[Interval | None, str | None]:
    """Return the days still to be read after a page that is not the end, and what cannot be had.

    oldest: the day of its last find, which is searched again from its first page on; where that is the newest day
    itself, this was the last page that can be had of it.
    """
    if asked.start <= oldest < asked.end:
        return Interval(asked.start, oldest), None
    lost = f"{date.fromordinal(asked.end)} may hold more topics than the {LAST_PAGE} pages that can be had of it"
    return (Interval(asked.start, asked.end - 1) if asked.end > asked.start else None), lost


def read_cursor(cursor: str | None, feed: Options) -> dict[str, Search]:
    """Return the progress per phrase. One that is new, or whose forum changed, begins at the beginning."""
    try:
        saved = json.loads(cursor or "{}")
        phrases = saved["queries"] if saved.get("url") == feed.url else {}
        known = {
            phrase: Search(
                Progress(int(state["read_to"]), [Interval(int(a), int(b)) for a, b in state["to_read"]]),
                dict.fromkeys(int(number) for number in state["read"]),
            )
            for phrase, state in phrases.items()
        }
    except CURSOR_FAULTS:
        known = {}
    return {phrase: known.get(phrase, Search()) for phrase in feed.query}


def write_cursor(searches: dict[str, Search], feed: Options) -> str:
    """Return the progress as text."""
    queries = {
        phrase: {
            "read_to": search.days.read_to,
            "to_read": search.days.to_read,
            "read": list(search.read)[-REMEMBERED:],
        }
        for phrase, search in searches.items()
    }
    return json.dumps({"url": feed.url, "queries": queries})


async def _search(
    forum: Forum, phrase: str, days: Interval, page: int
) -> tuple[list[Any], dict[int, dict[str, Any]], bool]:
    """A page of finds, the newest first, the topics they are in by id, and whether there are more."""
    terms = [phrase, f"before:{date.fromordinal(days.end + 1)}", "order:latest"]
    if days.start > 1:  # `after` means after that day's first second
        terms.insert(1, f"after:{date.fromordinal(days.start)}")
    answer = await forum.get("/search.json", {"q": " ".join(terms), "page": page})
    about, feed = answer.get("grouped_search_result"), forum.visit.feed
    if not isinstance(about, dict):
        raise FeedFormatChanged(feed.id, f"{feed.url}: a search result without `grouped_search_result`")
    if about.get("error"):
        raise FeedUnavailable(feed.id, f"{feed.url}: cannot search: {clean(str(about['error']))[:200]}")
    finds, topics = answer.get("posts"), answer.get("topics")
    known = {number: topic for topic in _list(topics) if (number := number_in(topic, "id")) is not None}
    return _list(finds), known, bool(about.get("more_full_page_results"))


async def _around(forum: Forum, topic: int, place: int, about: dict[str, Any] | None) -> list[Any]:
    """The posts around one in its topic, in order; none where the topic went meanwhile."""
    forum.budget.spent += 1
    url = f"{forum.visit.feed.url.rstrip('/')}/t/{topic}/{place}.json"
    reply = await forum.visit.client.get(url, answers=frozenset({403, 404, 410}))
    if reply.status >= 400:
        return []
    answer = reply.json()
    stream = answer.get("post_stream") if isinstance(answer, dict) else None
    if not isinstance(stream, dict) or not isinstance(stream.get("posts"), list):
        raise FeedFormatChanged(forum.visit.feed.id, f"{reply.url}: a topic without `post_stream`")
    title = answer.get("title") or (about or {}).get("title")
    return [{"topic_title": title, **post} if isinstance(post, dict) else post for post in stream["posts"]]


def _unread(find: Any, search: Search) -> tuple[int, int] | None:
    """Topic and number there of a find that is to be read; None where it was, or where it does not say."""
    number, topic, place = (number_in(find, key) for key in ("id", "topic_id", "post_number"))
    if number is None or topic is None or place is None or number in search.read:
        return None
    return topic, place


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _day(find: Any) -> int | None:
    at = moment(find.get("created_at")) if isinstance(find, dict) else None
    return at.date().toordinal() if at else None
