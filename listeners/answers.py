"""What an answer's status and looks say: a reply for the listener, another attempt, or the end of the visit."""

from collections.abc import Container
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

import httpx

from listeners import waiting
from listeners.body import feeds_named, html_title, looks_like_html
from listeners.feed import FeedBlocked, FeedError, FeedFormatChanged, FeedGone, FeedUnavailable
from listeners.reply import Reply, Validators
from listeners.shown import shown

Expected = Literal["json", "feed", "file"]

REDIRECTS = frozenset({301, 302, 303, 307, 308})
AGAIN = frozenset({429, 500, 502, 503, 504})  # worth another try within the visit
REFUSED = frozenset({401, 402, 403, 407, 451})


class TryAgain(Exception):
    """An attempt failed in a way that another may not. asked: seconds the server wants us to wait.

    sheds: the server has too much to do, and does not say for how long.
    """

    def __init__(self, message: str, asked: float | None = None, *, sheds: bool = False) -> None:
        self.asked = asked
        self.sheds = sheds
        super().__init__(message)


@dataclass(frozen=True)
class Answer:
    """An answer as it came, after redirects."""

    status: int
    headers: httpx.Headers
    body: bytes


def judged(
    feed: str,
    url: httpx.URL,
    answer: Answer,
    expect: Expected,
    answers: Container[int],
    *,
    conditional: bool,
    now: datetime,
) -> Reply:
    """Return the reply that an answer from a URL is. answers: statuses besides 2xx that are none of our business.

    conditional: whether a 304 is due. Raises TryAgain, or the FeedError that its status or its looks stand for.
    """
    status, page = answer.status, looks_like_html(answer.body)
    validators = Validators(answer.headers.get("etag"), answer.headers.get("last-modified"))
    reply = Reply(feed, status, answer.headers, answer.body, shown(url), validators)
    if status == 304:
        if not conditional:
            raise FeedUnavailable(feed, f"{shown(url)}: 304 to a request that set no condition")
        return reply
    if status in answers and not 200 <= status < 300:
        return reply
    if 200 <= status < 300:
        if page:
            title = html_title(answer.body)
            named = feeds_instead(answer.body, str(url)) if expect == "feed" else ""
            found = f"{shown(url)}: a web page where {_due(expect)} is due, titled {title!r}{named}"
            raise FeedBlocked(feed, found)
        return reply
    raise refusal(feed, url, answer, now)


def refusal(feed: str, url: httpx.URL, answer: Answer, now: datetime) -> TryAgain | FeedError:
    """Return what an answer that is no success is raised as."""
    status = answer.status
    asked = waiting.hint(status, answer.headers, now)
    found = f"{shown(url)}: {status} {httpx.codes.get_reason_phrase(status)}".rstrip()
    if status in AGAIN or (status == 403 and asked is not None):  # GitHub's limit answers 403
        said = f"{status} {httpx.codes.get_reason_phrase(status)}"
        return TryAgain(said, asked, sheds=status == 429 and asked is None)
    if status == 410:
        return FeedGone(feed, found)
    if status in REFUSED:
        return FeedBlocked(feed, f"{found}{_said(answer.body)}")
    if status == 404 or status >= 500:  # 404 comes in waves on live channels (ocaml.org#3512)
        return FeedUnavailable(feed, found, retry_at(asked, now))
    return FeedFormatChanged(feed, f"{found}{_said(answer.body)}")


def retry_at(asked: float | None, now: datetime) -> datetime | None:
    """Return when to come back after a wait in seconds that a server asked for, or None if it asked for none."""
    return None if asked is None else now + timedelta(seconds=asked)


def feeds_instead(page: bytes, url: str) -> str:
    """Return the end of a message about a web page: the feeds it names, to be put into listening.toml in its stead."""
    named = [shown(address) for address in feeds_named(page, url)[:5]]
    return f"; it names {'these feeds' if named[1:] else 'this feed'}: {', '.join(named)}" if named else ""


def _due(expect: Expected) -> str:
    return {"json": "JSON", "feed": "a feed", "file": "a file"}[expect]


def _said(body: bytes) -> str:
    """What a refusal says, for a person, shortened; a web page by its title."""
    text = html_title(body) if looks_like_html(body) else " ".join(body[:400].decode("utf-8", "replace").split())[:200]
    return f": {text!r}" if text else ""
