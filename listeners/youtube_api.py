"""YouTube's Data API: the part of youtube.py that asks it, with a key, and understands its refusals.

Source: developers.google.com/youtube/v3/docs and .../docs/errors (2026-11).
Limits: 10,000 units a day until midnight Pacific time, one for each request here.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from listeners.budget import Budget
from listeners.feed import FeedBlocked, FeedError, FeedFormatChanged, FeedUnavailable, Visit
from listeners.plain_text import clean

A_PAGE = 100  # threads or replies: the API's largest page

_QUOTA = frozenset({"quotaExceeded", "dailyLimitExceeded"})
_TOO_FAST = frozenset({"rateLimitExceeded", "userRateLimitExceeded", "RATE_LIMIT_EXCEEDED"})
_OF_THE_VIDEO = frozenset({"processingFailure", "forbidden"})  # it may be private; others can be read


class NoComments(Exception):
    """A video without comments to read, or a thread without replies: turned off, or gone."""


class NotThere(NoComments):
    """What was asked for is not there: 404."""


class NotForUs(FeedUnavailable):
    """What was asked for is refused, and not we: it may be private, and others can be read."""


class StaleToken(Exception):
    """The API does not know the page any more."""


@dataclass
class Api:
    """What asks for one visit to a feed with `api`."""

    visit: Visit
    budget: Budget
    key: str = field(repr=False)

    async def ask(self, what: str, asked: dict[str, str], token: str) -> tuple[list[Any], str | None]:
        """Return the items of one page, and the token of the next, None after the last; token: empty for the first.

        Raises as FeedClient.get does; NoComments or StaleToken besides what refusal() tells.
        """
        params: dict[str, str | int] = {**asked, "maxResults": A_PAGE, "textFormat": "plainText"}
        return await self._items(what, params | ({"pageToken": token} if token else {}))

    async def ask_for(self, what: str, asked: dict[str, str], ids: Sequence[str]) -> list[Any]:
        """Return the items of these ids: at most as many as the API gives where it is not told how many, 20 comments.

        Raises as FeedClient.get does; NotThere or NotForUs where one of them is not there or not for us, so all are
        refused; what refusal() tells.
        """
        items, following = await self._items(what, {**asked, "id": ",".join(ids)})
        if following is not None:
            raise FeedFormatChanged(self.visit.feed.id, f"{what}: a part of what was asked for by {len(ids)} ids")
        return items

    async def _items(self, what: str, asked: dict[str, str | int]) -> tuple[list[Any], str | None]:
        """The items of an answer, and the token of the next page."""
        self.budget.spent += 1
        feed = self.visit.feed
        url = f"{feed.api.rstrip('/')}/{what}"
        params = {**asked, "key": self.key}
        reply = await self.visit.client.get(url, params, answers=frozenset({400, 401, 403, 404}))
        answer = reply.json()
        if not isinstance(answer, dict):
            raise FeedFormatChanged(feed.id, f"{reply.url}: {type(answer).__name__} where an object is due")
        if reply.status != 200 or "error" in answer:
            raise refusal(self.visit, reply.url, reply.status, answer, has_token="pageToken" in asked)
        items, following = answer.get("items"), answer.get("nextPageToken")
        if not isinstance(items, list):
            raise FeedFormatChanged(feed.id, f"{reply.url}: JSON without a list `items`")
        return items, following if isinstance(following, str) and following else None


def refusal(
    visit: Visit, url: str, status: int, answer: dict[str, Any], *, has_token: bool
) -> FeedError | NoComments | StaleToken:
    """Return the error that an error object stands for."""
    found = answer.get("error")
    error: dict[str, Any] = found if isinstance(found, dict) else {}
    lists = [listed for key in ("errors", "details") if isinstance(listed := error.get(key), list)]
    listed = [one for some in lists for one in some if isinstance(one, dict)]
    reasons = {reason for one in listed if isinstance(reason := one.get("reason"), str)}
    message = clean(str(error.get("message")))[:200]
    said = f"{url}: {status} {', '.join(sorted(reasons)) or 'without a reason'}: {message}"
    if reasons & _QUOTA:
        return FeedUnavailable(visit.feed.id, said, next_pacific_midnight(visit.started_at))
    if reasons & _TOO_FAST:
        return FeedUnavailable(visit.feed.id, said, visit.started_at + timedelta(minutes=2))
    if has_token and "invalidPageToken" in reasons:
        return StaleToken()
    if status == 404:
        return NotThere()
    if "commentsDisabled" in reasons:
        return NoComments()
    if reasons & _OF_THE_VIDEO:
        return NotForUs(visit.feed.id, said)
    if status in (401, 403) or "API_KEY_INVALID" in reasons or "keyInvalid" in reasons:
        return FeedBlocked(visit.feed.id, said)
    return FeedFormatChanged(visit.feed.id, said)


def is_of_the_video(error: FeedError) -> bool:
    """Return whether an error tells of what was asked for, not of us or the whole API."""
    return isinstance(error, FeedFormatChanged) or (isinstance(error, FeedUnavailable) and error.retry_at is None)


def next_pacific_midnight(now: datetime) -> datetime:
    """Return when the API's next day begins, in UTC."""
    pacific = ZoneInfo("America/Los_Angeles")
    tomorrow = now.astimezone(pacific).date() + timedelta(days=1)
    return datetime.combine(tomorrow, time(), pacific).astimezone(UTC)
