"""GitHub issues that a search finds, everywhere or within repositories and organisations.

Source: GET {url}/search/issues, docs.github.com/rest/search and "Searching issues and pull requests" (2026-11).
Authentication: none, or a token (`token_env`; one without any scope will do), sent as a header.
Limits: 10 searches a minute without a token, 30 with one, told as x-ratelimit-remaining and -reset; a secondary limit
answers 403 or 429, at times without a word of when to come back: then after a minute. 100 issues a page, 1,000 a query.
A search that takes too long says `incomplete_results`: it counts as not read and is asked again for less time.

Issues are searched by `updated`, which an edit, a comment, a label and closing move as the issue itself does: so a
visit finds what is new and what has changed since the last one, and counts stay fresh. `updated` is thus no time of an
edit, and nothing else is: edited_at stays empty. A backfill searches by `created`. Each query is a stretch of
time, the newest first, and only its first page is asked for; the next goes down to and including the second of its
oldest issue. (On further pages, an issue that changes meanwhile leaves the stretch and pulls an unread one up into a
page already read.) Only a second with more than a page, as when a script labels hundreds, is paged through, and beyond
1,000 said to be capped. The index lags, so each visit reads the last quarter of an hour again.

An issue is known by its `id`, which stays when its repository is renamed. Deleted and transferred issues just vanish.
Bodies are Markdown. Whether an issue is closed, and why, has no column. Left out: what bots wrote ("bot"), and pull
requests. Nobody can opt in or out here.
What is read and what is not: searches.py.

Kept issues are asked for again at {url}/repos/OWNER/NAME/issues/NUMBER, docs.github.com/rest/issues, 60 an hour
without a token, 5,000 with one: 404 and 410 are gone. A transferred issue is found where it is now.
"""

import re
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple, Self

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
from listeners.markdown import from_markdown
from listeners.plain_text import clean
from listeners.post import (
    LeftOut,
    empty_page,
    first_seen,
    number_in,
    number_of,
    row,
    second_in,
    text_of,
    to_page,
)
from listeners.reply import Reply
from listeners.searches import Searches
from listeners.standing import Kept, asked_singly

HAS_HISTORY = True  # any stretch of time can be asked for
ISSUES_A_PAGE = 100  # the API's largest page
LAST_PAGE = 10  # of one query: 1,000 issues
LAG = 15 * 60  # seconds that the search index is granted to learn of a change
OPENED = 1_191_000_000  # epoch seconds, October 2007: no issue is older
SMALLER, LARGER = 16, 4  # by how much less time is asked for after a search was cut off, and more after one was not
_ISSUE = re.compile(r"/([\w.-]+/[\w.-]+)/issues/(\d+)$")
SECONDARY_LIMIT = timedelta(minutes=1)  # to wait where the answer does not say (docs.github.com, "Rate limits")


class Options(FeedOptions):
    """The keys of a github feed in listening.toml."""

    url: WebAddress = Field(default="https://api.github.com", description="address of the API")
    query: Phrases = Field(default=(), description="phrases to search for, each by itself; none means every issue")
    repositories: Phrases = Field(default=(), description="search in these only, each by itself, as in owner/name")
    organisations: Phrases = Field(default=(), description="search in these only, each by itself")
    token_env: str | None = Field(
        default=None, min_length=1, description="the environment variable that holds a token; without one 10 a minute"
    )
    max_requests: int = Field(
        default=60, ge=12, le=10_000, description="searches per visit; the next visit goes on from there"
    )

    @model_validator(mode="after")
    def _enough_to_get_on(self) -> Self:
        if not self.query and not self.repositories and not self.organisations:
            raise ValueError("name phrases (query), repositories or organisations: all of GitHub is too much")
        searches = max(1, len(self.query)) * max(1, len(self.repositories) + len(self.organisations))
        if self.max_requests < 12 * searches:  # what is new of each, and all ten pages of a second in what is left
            raise ValueError(f"max_requests must be at least {12 * searches} for {searches} searches")
        return self


class Search(NamedTuple):
    """One search. within: a qualifier, as in repo:owner/name, or empty; phrase: what to find, or empty."""

    within: str
    phrase: str


@dataclass(frozen=True)
class Step:
    """What one answer tells: the part of its interval to ask for next (None: all read), and what cannot be had.

    page, read: where a single second takes several pages, the next of them, and how many of its issues came before.
    """

    rest: Interval | None
    page: int = 1
    read: int = 0
    lost: str | None = None


@dataclass(frozen=True)
class Found:
    """One answer: the issues, the last updated first, how many there are in all, and whether the search was cut off."""

    issues: list[Any]
    total: int
    incomplete: bool


@dataclass
class _Reading:
    """What one visit knows: its searches, and the headers they are made with."""

    searches: Searches[Search]
    headers: dict[str, str]


async def pages(visit: Visit) -> AsyncIterator[Page]:
    """Yield issues, the last updated first within each stretch of time still to be read, the searches in turn.

    With a window, the issues opened in that stretch and no others.
    Raises as FeedClient.get does; FeedUnavailable at a secondary limit; FeedBlocked where token_env names a variable
    that is not set; FeedFormatChanged where an answer is no search result.
    """
    feed: Options = visit.feed
    scopes = [f"repo:{name}" for name in feed.repositories] + [f"org:{name}" for name in feed.organisations]
    wanted = [Search(within, phrase) for within in scopes or [""] for phrase in feed.query or ("",)]
    reading = _Reading(Searches.of(visit, wanted, (feed.url,)), _headers(visit))
    async for page in reading.searches.pages(lambda search: _issues(reading, search)):
        yield page


async def _issues(reading: _Reading, search: Search) -> AsyncIterator[Page]:
    """The pages of one search, in the order of its plan."""
    searches = reading.searches
    visit, done = searches.visit, searches.progress[search]
    by = "created" if visit.window else "updated"
    for asked in searches.plan(search, again=LAG):
        left, now, span = asked, Step(asked), None
        while now.rest is not None:
            if not searches.budget.may_ask():
                return
            found = await _search(reading, search, by, now)
            if found.incomplete:  # what there is of it is kept, and all of it is asked for again, in smaller parts
                yield _page(searches, found)
                seconds = now.rest.end - max(now.rest.start, OPENED) + 1
                if seconds <= 1:
                    yield empty_page(searches.cursor(), suspect=f"{_shown(search)}: incomplete_results, however asked")
                    break
                span = max(1, seconds // SMALLER)
                now = Step(_top(left, span))
                continue
            if not found.issues and now.rest == left and now.page == 1:
                # Nothing there, or nothing for us: either way this part is asked for again
                strange = f"{_shown(search)}: no issues, of {found.total}" if found.total else None
                yield empty_page(searches.cursor(), suspect=strange)
                break
            step = next_step(visit.feed.id, now, found, by)
            below = step.rest.end if step.rest else now.rest.start - 1
            rest = Interval(left.start, below) if below >= left.start else None
            done.have_read(left, rest)
            yield _page(searches, found, capped=step.lost)
            if rest is None:
                break
            left = rest
            span = span and span * LARGER
            now = step if step.rest else Step(_top(left, span))


async def standing(visit: Visit, kept: Sequence[Kept]) -> AsyncIterator[Page]:
    """Yield which of the kept issues are gone. Raises as FeedClient.get does; FeedBlocked as `pages` does."""
    base, found = visit.feed.url.rstrip("/"), ((one.post_id, _ISSUE.search(one.url or "")) for one in kept)
    addresses = {post_id: f"{base}/repos/{match[1]}/issues/{match[2]}" for post_id, match in found if match}
    if addresses:
        async for page in asked_singly(visit, addresses, headers=_headers(visit)):
            yield page


def _top(interval: Interval, seconds: int | None) -> Interval:
    """The last so many seconds of an interval, or all of it."""
    return interval if seconds is None else Interval(max(interval.start, interval.end - seconds + 1), interval.end)


def next_step(feed_id: str, asked: Step, found: Found, by: str) -> Step:
    """Return what of an interval to ask for after an answer; by: what the issues are sorted by, the newest first.

    Raises FeedFormatChanged where none lies within the interval, since then nothing would ever end.
    """
    interval, read = asked.rest, asked.read + len(found.issues)
    assert interval is not None
    if not found.issues:
        return Step(None)
    times = [at for issue in found.issues if (at := second_in(issue, f"{by}_at")) is not None]
    oldest = min((at for at in times if interval.start <= at <= interval.end), default=None)
    if oldest is None:
        said = f"{len(found.issues)} issues, and none {by} from {interval.start} to {interval.end}"
        raise FeedFormatChanged(feed_id, said)
    if read >= found.total:
        return Step(None)
    if oldest < interval.end:
        return Step(Interval(interval.start, oldest))  # its second again: some of its issues may be beyond the page
    if interval.start < interval.end:
        return Step(Interval(oldest, oldest))
    if asked.page < LAST_PAGE:
        return Step(interval, asked.page + 1, read)
    return Step(None, lost=f"second {oldest} holds {found.total} issues, of which {read} can be had")


def to_post(issue: dict[str, Any], visit: Visit) -> dict[str, Any]:
    """Return an issue as a row of posts; `likes` are its thumbs up.

    Raises LeftOut where it may not be stored; KeyError, TypeError or ValueError where it lacks what it must have.
    """
    number = number_of(issue, "id")
    if issue.get("pull_request") is not None:
        raise LeftOut("pull_request")
    user = issue.get("user")
    user = user if isinstance(user, dict) else {}  # null where the account is gone
    login = user.get("login")
    login = login.lower() if isinstance(login, str) else None
    if user.get("type") == "Bot" or (login or "").endswith("[bot]"):
        raise LeftOut("bot")
    body, reactions = issue.get("body"), issue.get("reactions")
    if body is not None and not isinstance(body, str):
        raise TypeError(f"'body' is {type(body).__name__}, not text")
    return row(
        visit,
        post_id=post_id(number),
        kind="post",
        url=issue.get("html_url"),
        title=clean(text_of(issue, "title")),
        text=from_markdown(body or ""),
        account=login,
        published_at=issue.get("created_at"),
        likes=reactions.get("+1") if isinstance(reactions, dict) else None,
        replies=issue.get("comments"),
        consent=without_opt_in(visit),
    )


def post_id(number: int) -> str:
    """Return an issue's post_id; its `id` is unique on GitHub."""
    return f"github:{number}"


def question(search: Search, by: str, within: Interval) -> str:
    """Return what to ask for, in the words of GitHub's search."""
    start, end = (datetime.fromtimestamp(max(at, OPENED), UTC).strftime("%Y-%m-%dT%H:%M:%SZ") for at in within)
    phrase = f'"{search.phrase.replace(chr(34), " ")}"' if search.phrase else ""
    return " ".join(part for part in (phrase, "is:issue", search.within, f"{by}:{start}..{end}") if part)


def _headers(visit: Visit) -> dict[str, str]:
    token = visit.secret("token_env")
    headers = {"Accept": "application/vnd.github+json", "X-GitHub-Api-Version": "2022-11-28"}
    return headers | ({"Authorization": f"Bearer {token}"} if token else {})


async def _search(reading: _Reading, search: Search, by: str, asked: Step) -> Found:
    """One answer to a search."""
    visit = reading.searches.visit
    feed: Options = visit.feed
    reading.searches.budget.spent += 1
    assert asked.rest is not None
    params: dict[str, str | int] = {"q": question(search, by, asked.rest), "sort": by, "order": "desc"}
    params |= {"per_page": ISSUES_A_PAGE, "page": asked.page}
    url = f"{feed.url.rstrip('/')}/search/issues"
    reply = await visit.client.get(url, params, headers=reading.headers, answers=frozenset({403}))
    if reply.status == 403:
        raise _refusal(visit, reply)
    answer = reply.json()
    issues, total = (answer.get("items"), answer.get("total_count")) if isinstance(answer, dict) else (None, None)
    if not isinstance(issues, list) or isinstance(total, bool) or not isinstance(total, int):
        raise FeedFormatChanged(feed.id, f"{reply.url}: JSON without a list `items` and a number `total_count`")
    return Found(issues, total, answer.get("incomplete_results") is True)


def _refusal(visit: Visit, reply: Reply) -> FeedError:
    """The error that a 403 stands for: a limit, as its headers or its words say, or a closed door."""
    from listeners import waiting

    try:
        answer = reply.json()
    except FeedFormatChanged:
        answer = None
    said = clean(str(answer.get("message")))[:200] if isinstance(answer, dict) else "no reason given"
    asked = waiting.hint(403, reply.headers, visit.started_at)
    if asked is None and "rate limit" not in said.lower():
        return FeedBlocked(visit.feed.id, f"{reply.url}: 403 Forbidden: {said!r}")
    wait = SECONDARY_LIMIT if asked is None else timedelta(seconds=asked)
    return FeedUnavailable(visit.feed.id, f"{reply.url}: 403 Forbidden: {said!r}", visit.started_at + wait)


def _page(searches: Searches[Search], found: Found, *, capped: str | None = None) -> Page:
    """The page of the issues that did not come before in this visit."""
    visit = searches.visit
    new = first_seen(found.issues, _name, searches.seen)
    return to_page(visit, new, lambda issue: to_post(issue, visit), cursor=searches.cursor(), capped=capped)


def _name(issue: Any) -> str | None:
    number = number_in(issue, "id")
    return None if number is None else post_id(number)


def _shown(search: Search) -> str:
    return " ".join(part for part in (search.within, search.phrase) if part) or "every issue"
