"""Several places read as one feed: channels, the shops of several countries."""

from collections.abc import AsyncIterator, Callable, Iterable

from listeners.feed import FeedBlocked, FeedError, FeedUnavailable, Page
from listeners.post import empty_page


async def one_by_one(places: Iterable[AsyncIterator[Page]], cursor: Callable[[], str]) -> AsyncIterator[Page]:
    """Yield the pages of each place; one that fails does not stop the others.

    cursor: gives the feed's. A last page that is `suspect` says which places failed. Raises the first error where all
    of them did, and at once where it is us whom the server refuses, or says until when it will.
    """
    failures: list[FeedError] = []
    read = 0
    for place in places:
        try:
            async for page in place:
                yield page
            read += 1
        except FeedError as error:
            if isinstance(error, FeedBlocked) or (isinstance(error, FeedUnavailable) and error.retry_at):
                raise
            failures.append(error)
    if failures and not read:
        raise failures[0]
    if failures:
        yield empty_page(cursor(), suspect="; ".join(map(str, failures)))
