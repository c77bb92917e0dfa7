"""Questions on Stack Exchange sites that a search finds.

Source: GET {url}/search/advanced, api.stackexchange.com/docs/advanced-search, /throttle and /error-handling (2.3;
2026-11). No authentication; a free key (stackapps.com) raises the daily quota and is sent as `key`. Answers and
comments are not read.
Limits: 300 requests a day and address without a key, 10,000 with one; the day ends at midnight UTC by third-party
accounts. The body says quota_remaining, and `backoff`: seconds in which not to ask again. Whatever is wrong is answered
with 400. 100 questions a page; pages beyond 25 need a key, hence none but the first is asked for: slices of time
instead, each down to and including the second of the oldest question of the one above.
Titles are entity-encoded, times epoch seconds, the owner may be missing. Deleted questions just vanish.
CC BY-SA: who shows a question shows its author and its address; `url` is there for that.

Questions are searched by their last activity, which an edit, an answer and a bounty move as the question itself does:
so a visit finds what is new and what has changed since the last one. A backfill searches by day of asking.
The search is fuzzy and its index lags, so each visit reads the last quarter of an hour again. What is read and what is
not: searches.py. Kept questions are asked for again by their ids: GET {url}/questions/{ids}, docs/questions-by-ids, 100
a request; those that it does not return are gone.
"""

import functools
import html
import re
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Any, Self

from pydantic import Field, model_validator

from listeners.consent import without_opt_in
from listeners.feed import (
    FeedBlocked,
    FeedError,
    FeedFormatChanged,
    FeedOptions,
    FeedUnavailable,
    Page,
    Phrases,
    Visit,
    WebAddress,
)
from listeners.intervals import Interval
from listeners.plain_text import clean, from_html
from listeners.post import empty_page, first_seen, moment, number_in, number_of, row, text_of, to_page
from listeners.searches import Searches, next_step
from listeners.standing import Kept, told

HAS_HISTORY = True  # any stretch of time can be asked for
QUESTIONS_A_PAGE = 100  # the API's largest page
KEPT_A_REQUEST = QUESTIONS_A_PAGE
LAG = 15 * 60  # seconds that the search index is granted to learn of a question

_AWAY = ("throttle_violation", "temporarily_unavailable", "internal_error")
_REFUSED = ("access_denied", "access_token_required", "invalid_access_token", "key_required")
_WAIT = re.compile(r"in (\d{1,7}) seconds")


class Options(FeedOptions):
    """The keys of a stackexchange feed in listening.toml."""

    url: WebAddress = Field(default="https://api.stackexchange.com/2.3", description="address of the API")
    sites: Phrases = Field(min_length=1, description="sites as the API calls them: stackoverflow, superuser, ...")
    query: Phrases = Field(min_length=1, description="phrases to search for, each by itself, on every site")
    key_env: str | None = Field(
        default=None, min_length=1, description="the environment variable that holds an API key; without one 300 a day"
    )
    max_requests: int = Field(
        default=60, ge=2, le=10_000, description="searches per visit; the next visit goes on from there"
    )

    @model_validator(mode="after")
    def _enough_to_get_on(self) -> Self:
        searches = len(self.sites) * len(self.query)
        if self.max_requests < 2 * searches:  # what is new of each search, and a page of what is left
            raise ValueError(f"max_requests must be at least {2 * searches} for {searches} searches")
        return self


Search = tuple[str, str]  # site, phrase


@dataclass
class _Reading:
    """What one visit knows: its searches and their key, and whether the day's quota is used up."""

    searches: Searches[Search]
    key: str | None
    quota_left: bool = True

    def may_ask(self) -> bool:
        """Whether a request is left; if not, the visit is cut short. Raises FeedUnavailable where the quota is."""
        if not self.quota_left:
            feed, now = self.searches.visit.feed, self.searches.visit.started_at
            midnight = datetime.combine(now.date() + timedelta(days=1), time(), now.tzinfo)
            raise FeedUnavailable(feed.id, f"{feed.url}: the day's quota is used up (quota_remaining 0)", midnight)
        return self.searches.budget.may_ask()


async def pages(visit: Visit) -> AsyncIterator[Page]:
    """Yield questions, the last active first within each stretch of time still to be read, the searches in turn.

    With a window, the questions asked in that stretch and no others.
    Raises as FeedClient.get does; FeedUnavailable where the quota is used up or a longer `backoff` is asked for;
    FeedBlocked where key_env names a variable that is not set, or the API wants another key; FeedFormatChanged where an
    answer is no search result.
    """
    feed: Options = visit.feed
    searches = Searches.of(visit, [(site, phrase) for site in feed.sites for phrase in feed.query], (feed.url,))
    reading = _Reading(searches, visit.secret("key_env"))
    async for page in searches.pages(lambda search: _questions(reading, search)):
        yield page


async def _questions(reading: _Reading, search: Search) -> AsyncIterator[Page]:
    """The pages of one search, in the order of its plan."""
    searches, (site, _) = reading.searches, search
    visit, done = searches.visit, searches.progress[search]
    date = "creation_date" if visit.window else "last_activity_date"
    for asked in searches.plan(search, again=LAG):
        rest: Interval | None = asked
        while rest is not None:
            if not reading.may_ask():
                return
            questions, more = await _search(reading, search, rest)
            if not questions:  # nothing there, or nothing for us: either way this part is asked for again
                yield empty_page(searches.cursor())
                break
            step = next_step(visit.feed.id, rest, [number_in(question, date) for question in questions], more=more)
            done.have_read(rest, step.rest)
            new = first_seen(questions, lambda question: _name(question, site), searches.seen)
            yield to_page(
                visit, new, lambda question: to_post(question, visit, site), cursor=searches.cursor(), capped=step.lost
            )
            rest = step.rest


def to_post(question: dict[str, Any], visit: Visit, site: str) -> dict[str, Any]:
    """Return a question as a row of posts.

    Raises LeftOut where consent is lacking; KeyError, TypeError or ValueError where it lacks what it must have.
    """
    owner = question.get("owner")
    user = owner.get("user_id") if isinstance(owner, dict) else None
    return row(
        visit,
        post_id=post_id(site, number_of(question, "question_id")),
        kind="question",
        url=question.get("link"),
        title=clean(html.unescape(text_of(question, "title"))),
        text=from_html(text_of(question, "body")),
        account=f"{site}/{user}" if isinstance(user, int) else None,  # a number holds on its site only
        published_at=question.get("creation_date"),
        edited_at=moment(question.get("last_edit_date")),
        likes=question.get("score"),
        replies=question.get("answer_count"),
        views=question.get("view_count"),
        consent=without_opt_in(visit),
    )


def post_id(site: str, number: int) -> str:
    """Return a question's post_id; its number is unique on its site."""
    return f"stackexchange:{site}:{number}"


async def standing(visit: Visit, kept: Sequence[Kept]) -> AsyncIterator[Page]:
    """Yield the kept questions as they are now, and which of them are gone. Raises as `pages` does."""
    by_site: dict[str, list[str]] = {}
    for site, number in (one.post_id.removeprefix("stackexchange:").split(":") for one in kept):
        if site in visit.feed.sites:
            by_site.setdefault(site, []).append(number)
    for site, numbers in by_site.items():
        for ids in (numbers[at : at + KEPT_A_REQUEST] for at in range(0, len(numbers), KEPT_A_REQUEST)):
            params: dict[str, str | int] = {"site": site}
            url, answer = await _answer(visit, f"questions/{';'.join(ids)}", params, visit.secret("key_env"))
            there = answer.get("items")
            if not isinstance(there, list):
                raise FeedFormatChanged(visit.feed.id, f"{url}: JSON without a list `items`")
            page = to_page(visit, there, functools.partial(to_post, visit=visit, site=site), cursor=visit.cursor)
            names = {_name(question, site) for question in there}
            yield told(visit, len(ids), {post_id(site, int(number)) for number in ids} - names, page)


async def _search(reading: _Reading, search: Search, within: Interval) -> tuple[list[Any], bool]:
    """The questions of one search, the newest first, and whether there are more of them."""
    visit, (site, phrase) = reading.searches.visit, search
    reading.searches.budget.spent += 1
    first, last, sort = ("fromdate", "todate", "creation") if visit.window else ("min", "max", "activity")
    params = {"site": site, "q": phrase, "sort": sort, "order": "desc", first: within.start, last: within.end}
    url, answer = await _answer(visit, "search/advanced", params, reading.key)
    reading.quota_left = answer.get("quota_remaining") != 0
    questions = answer.get("items")
    if not isinstance(questions, list):
        raise FeedFormatChanged(visit.feed.id, f"{url}: JSON without a list `items`")
    return questions, answer.get("has_more") is True


async def _answer(visit: Visit, path: str, params: dict[str, str | int], key: str | None) -> tuple[str, dict[str, Any]]:
    """The address asked, and the object it answers, with whole questions. Raises what an error object stands for."""
    feed: Options = visit.feed
    url = f"{feed.url.rstrip('/')}/{path}"
    params |= {"pagesize": QUESTIONS_A_PAGE, "filter": "withbody"} | ({"key": key} if key else {})
    reply = await visit.client.get(url, params, answers=frozenset({400}))
    answer = reply.json()
    if not isinstance(answer, dict):
        raise FeedFormatChanged(feed.id, f"{reply.url}: {type(answer).__name__} where an object is due")
    backoff = answer.get("backoff")
    if isinstance(backoff, int | float) and backoff > 0:
        visit.client.hold(url, backoff)
    if reply.status == 400 or "error_id" in answer:
        error = refusal(visit, reply.url, answer)
        if isinstance(error, FeedUnavailable) and error.retry_at:  # other feeds of ours share the address
            visit.client.hold(url, (error.retry_at - visit.started_at).total_seconds())
        raise error
    return reply.url, answer


def refusal(visit: Visit, url: str, answer: dict[str, Any]) -> FeedError:
    """Return the error that an error object stands for."""
    feed, key = visit.feed.id, visit.secret("key_env")
    name, message = (clean(str(answer.get(told))) for told in ("error_name", "error_message"))
    said = f"{url}: {name}: {message.replace(key, '***') if key else message}"[:400]
    if name in _REFUSED or "`key`" in message:
        return FeedBlocked(feed, said)
    if name not in _AWAY:
        return FeedFormatChanged(feed, said)
    found = _WAIT.search(message)
    retry_at = visit.started_at + timedelta(seconds=min(int(found[1]), 86_400)) if found else None
    return FeedUnavailable(feed, said, retry_at)


def _name(question: Any, site: str) -> str | None:
    number = number_in(question, "question_id")
    return None if number is None else post_id(site, number)
