"""What a visit would bring, without storing anything: each feed's first page, and which brands it names."""

import asyncio
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from dags.visits import keeps_all
from listeners.feed import NAMES_NO_BRAND, FeedError, FeedOptions, Page, Visit
from listeners.http import PoliteClient
from listeners.pseudonym import pseudonym
from listeners.registry import load
from nlp.matcher import Matcher

SIDE_BY_SIDE = 50  # feeds at a time
NO_KEY = b"nothing of a preview is kept"


async def preview(
    feeds: Sequence[FeedOptions],
    matcher: Matcher,
    *,
    allow_hosts: Sequence[str],
    contact: str | None,
    consent: Any,
    environment: Mapping[str, str],
    now: datetime,
    on_feed: Callable[[str], None],
) -> list[dict[str, Any]]:
    """Return a row per feed, in their order: outcome, posts read, how many would be stored, of whom, why not the rest.

    It asks only for the first page, as a first visit would. A feed that fails is a row with its reason.
    """
    places = asyncio.Semaphore(SIDE_BY_SIDE)

    async def look(feed: FeedOptions) -> dict[str, Any]:
        visit = Visit(
            feed=feed,
            client=client.visit(feed.id, feed.redirect_hosts),
            cursor=None,
            started_at=now,
            pseudonym=pseudonym(NO_KEY, feed.source),
            consent=consent,
            secrets=feed.secrets_in(environment),
            wanted=(lambda title, text: True) if keeps_all(feed) else matcher.names_any,
        )
        async with places:
            try:
                page = await anext(aiter(load(feed.source).pages(visit)), None)
                row = _told(feed, page, matcher)
            except FeedError as failure:
                row = _row(feed, failure.outcome, error=str(failure))
            except Exception as bug:  # a listener's mistake is told, and stops no other
                row = _row(feed, "failed", error=f"{feed.id}: {type(bug).__name__}: {bug}")
        on_feed(feed.id)
        return row

    async with PoliteClient(allow_hosts=frozenset(allow_hosts), contact=contact) as client:
        return list(await asyncio.gather(*map(look, feeds)))


def _told(feed: FeedOptions, page: Page | None, matcher: Matcher) -> dict[str, Any]:
    if page is None:
        return _row(feed, "empty")
    named: Counter[str] = Counter()
    stored = 0
    for title, text in zip(page.posts["title"].to_pylist(), page.posts["text"].to_pylist(), strict=True):
        brands = {match.brand for match in matcher.matches(f"{title}\n\n{text}" if title else text)}
        brands |= {feed.about} if feed.about else set()
        named.update(brands)
        stored += bool(brands) or feed.keep == "all"
    left_out = Counter(page.left_out) + Counter({"rejected": len(page.rejected)})
    left_out += Counter({NAMES_NO_BRAND: page.posts.num_rows - stored})
    return _row(
        feed,
        "answered" if page.posts.num_rows or left_out else "empty",
        posts=page.posts.num_rows + sum(page.left_out.values()) + len(page.rejected),
        would_store=stored,
        brands=dict(named.most_common()),
        left_out=dict(left_out.most_common()),
        error=page.rejected[0].reason if page.rejected else None,
    )


def _row(
    feed: FeedOptions,
    outcome: str,
    *,
    posts: int = 0,
    would_store: int = 0,
    brands: dict[str, int] | None = None,
    left_out: dict[str, int] | None = None,
    error: str | None = None,
) -> dict[str, Any]:
    return {
        "feed": feed.id,
        "outcome": outcome,
        "posts": posts,
        "would_store": would_store,
        "brands": brands or {},
        "left_out": left_out or {},
        "error": error,
    }
