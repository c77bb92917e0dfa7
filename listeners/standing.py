"""Kept posts asked for again: which of them still stand. Few sources tell of deletions by themselves.

A source that can be asked for a post by its id has, beside `pages`,

    async def standing(visit: Visit, kept: Sequence[Kept]) -> AsyncIterator[Page]

which yields what is gone as `taken_down`, and newer readings where they are as good as those of `pages`. Posts that it
has no way to ask for it passes over. KEPT_A_REQUEST says how many a request takes, if not one.

Where none of the posts asked for stands, it is us whom the server shows nothing (FAULTS 6 and 7 in every API), and
nothing is taken down: whoever asks gives a few posts besides that were there just now.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping
from dataclasses import replace
from typing import Any, NamedTuple

from listeners.feed import FeedBlocked, FeedError, FeedFormatChanged, Page, TakenDown, Visit
from listeners.post import empty_page

GONE = frozenset({404, 410})
REFUSED_IN_A_ROW = 3  # then it is us whom the server refuses, not these posts


class Kept(NamedTuple):
    """A post that is stored: its post_id, and where a person reads it."""

    post_id: str
    url: str | None


async def asked_singly(
    visit: Visit,
    addresses: Mapping[str, str],
    *,
    is_gone: Callable[[Any], bool] = lambda document: False,
    headers: Mapping[str, str] | None = None,
) -> AsyncIterator[Page]:
    """Yield one page that tells which posts are gone, of those that each have an address of their own, by post_id.

    is_gone: whether an answer says so, besides 404 and 410. Raises as FeedClient.get does, after the page of what was
    learnt until then.
    """

    async def is_there_no_more(post_id: str) -> bool:
        reply = await visit.client.get(addresses[post_id], headers=headers, answers=GONE)
        return reply.status in GONE or is_gone(reply.json())

    async for page in asked_each(visit, addresses, is_there_no_more):
        yield page


async def asked_each(
    visit: Visit, post_ids: Iterable[str], is_gone: Callable[[str], Awaitable[bool | None]]
) -> AsyncIterator[Page]:
    """Yield one page that tells which posts are gone, of those that are asked for one after the other.

    is_gone: asks for a post; None where the answer does not tell. Raises what it raises, after the page of what was
    learnt until then; FeedFormatChanged where no answer tells anything. A post that is refused (FeedBlocked) does not
    tell either, or it would keep those after it from ever being asked for; several in a row end it.
    """
    gone: set[str] = set()
    asked, unclear, refused = 0, 0, 0
    refusal = failure = None
    for post_id in post_ids:
        try:
            answer = await is_gone(post_id)
        except FeedBlocked as error:
            answer, refusal, refused = None, error, refused + 1
            if refused == REFUSED_IN_A_ROW:
                failure = refusal
                break
        except FeedError as error:
            failure = error
            break
        else:
            refused = 0
        asked, unclear = asked + (answer is not None), unclear + (answer is None)
        gone |= {post_id} if answer else set()
    yield told(visit, asked, gone, unclear=unclear)
    if failure is None and unclear and not asked:
        failure = refusal or FeedFormatChanged(
            visit.feed.id, f"none of {unclear} answers tells whether the post asked for stands"
        )
    if failure is not None:
        raise failure


def told(visit: Visit, asked: int, gone: set[str], page: Page | None = None, *, unclear: int = 0) -> Page:
    """Return the page of what is gone of so many posts asked for.

    page: of those that stand, if they are read. unclear: of how many besides no answer told.
    """
    page = page or empty_page(visit.cursor)
    if unclear:
        page = replace(page, suspect=f"of {unclear} of {asked + unclear} posts no answer tells whether they stand")
    if gone and len(gone) == asked:
        return replace(page, suspect=f"none of the {asked} posts asked for is there, and that is not believed")
    return replace(page, taken_down=TakenDown(frozenset(gone))) if gone else page
