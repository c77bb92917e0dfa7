"""A source that says what a test tells it to: for what visits make of pages, without any wire."""

import asyncio
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime
from typing import Any

from listeners.feed import FeedOptions, Page, Visit

script: list[Callable[[Visit], Page]] = []  # the pages of the next visit


class Options(FeedOptions):
    """No keys of its own."""


async def pages(visit: Visit) -> AsyncIterator[Page]:
    """Yield what the script says."""
    for page in script:
        yield page(visit)
        await asyncio.sleep(0)


def item(visit: Visit, number: int, text: str, **more: Any) -> dict[str, Any]:
    """A row of posts."""
    from listeners.post import row

    told = {"kind": "post", "account": "ann", "published_at": visit.started_at, **more}
    return row(visit, post_id=f"scripted:{number}", text=text, **told)


def row_of(feed: FeedOptions, post_id: str, text: str) -> dict[str, Any]:
    """A row of posts that another feed brought."""
    from listeners.post import row

    visit = Visit(feed, None, None, datetime.now(UTC), pseudonym=str.upper)  # type: ignore[arg-type] nothing is asked
    return row(visit, post_id=post_id, kind="post", text=text, account="ann", published_at=visit.started_at)
