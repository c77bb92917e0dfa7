"""Reddit's API: the part of reddit.py that asks it, with a token for each visit.

Source: a token by POST {token_url}, grant_type=client_credentials, Basic authentication,
github.com/reddit-archive/reddit/wiki/OAuth2 (2026-11). It is kept in memory only.
"""

from base64 import b64encode
from dataclasses import dataclass, field
from typing import Any

from listeners.budget import Budget
from listeners.feed import FeedBlocked, FeedFormatChanged, Visit
from listeners.plain_text import clean
from listeners.reply import Reply

ITEMS_A_PAGE = 100  # the API's largest page, and all that /api/info takes


@dataclass(frozen=True)
class Shown:
    """One page of a listing: its items, and the fullname it goes on from; None at its end."""

    items: list[Any]
    after: str | None


@dataclass
class Api:
    """What asks for one visit. credentials: what the token is asked for with."""

    visit: Visit
    budget: Budget
    credentials: str = field(repr=False)
    token: str | None = field(default=None, repr=False)

    @classmethod
    def of(cls, visit: Visit) -> "Api":
        """Return it for a visit. Raises FeedBlocked, which names the variable of the credentials that is not set."""
        pair = f"{visit.secret('client_id_env')}:{visit.secret('client_secret_env')}"
        return cls(visit, Budget(visit), b64encode(pair.encode()).decode())

    async def ask(self, path: str, params: dict[str, str | int]) -> Reply:
        """Return the answer, refusals among them, with a new token where the one we have is not taken.

        Raises as FeedClient.get does; FeedBlocked where no token is given or taken.
        """
        reply = await self._ask(path, params)
        if reply.status == 401:
            self.token = None
            reply = await self._ask(path, params)
        if reply.status == 401:
            raise FeedBlocked(self.visit.feed.id, f"{reply.url}: 401: refuses a token that was just given")
        return reply

    async def _ask(self, path: str, params: dict[str, str | int]) -> Reply:
        if self.token is None:
            self.token = await _token(self)
        self.budget.spent += 1
        return await self.visit.client.get(
            f"{self.visit.feed.url.rstrip('/')}{path}",
            {**params, "raw_json": 1},
            headers={"Authorization": f"Bearer {self.token}"},
            answers=frozenset({401, 403, 404}),
        )


def shown_in(reply: Reply) -> Shown:
    """Return the page of a listing that an answer holds. Raises FeedFormatChanged where it holds none."""
    answer = reply.json()
    data = answer.get("data") if isinstance(answer, dict) else None
    items = data.get("children") if isinstance(data, dict) else None
    if not isinstance(items, list):
        raise FeedFormatChanged(reply.feed, f"{reply.url}: JSON without a list `data.children`")
    after = data.get("after") if isinstance(data, dict) else None
    return Shown(items, after if isinstance(after, str) and after else None)


def refusal(reply: Reply) -> str:
    """Return what a refusal says: private, banned, quarantined, or only its status."""
    try:
        answer = reply.json()
    except FeedFormatChanged:
        answer = None
    reason = answer.get("reason") or answer.get("message") if isinstance(answer, dict) else None
    return f"{reply.status}" + (f" {clean(reason)[:100]}" if isinstance(reason, str) else "")


async def _token(api: Api) -> str:
    """A token, for this visit. What is answered is not repeated in errors: it may hold the token."""
    feed = api.visit.feed
    api.budget.spent += 1
    reply = await api.visit.client.post(
        feed.token_url,
        form={"grant_type": "client_credentials"},
        headers={"Authorization": f"Basic {api.credentials}"},
        answers=frozenset({400, 401, 403}),
    )
    if reply.status != 200:
        names = f"{feed.client_id_env} and {feed.client_secret_env}"
        raise FeedBlocked(feed.id, f"{reply.url}: {reply.status}: refuses the application that {names} hold")
    try:
        answer = reply.json()
    except FeedFormatChanged:
        answer = None
    token = answer.get("access_token") if isinstance(answer, dict) else None
    if not isinstance(token, str) or not (token.isascii() and token.isprintable()) or not token:
        raise FeedFormatChanged(feed.id, f"{reply.url}: JSON without an `access_token`")
    return token
