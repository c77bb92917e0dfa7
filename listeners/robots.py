"""What a site's robots.txt lets us read, for sources that are web pages by another name.

Source: RFC 9309, and Crawl-delay, which it leaves out and many sites give (read 2026-11). The parser is Protego's,
which Scrapy uses. A status of 4xx means that there are no rules, all is allowed; no answer, 5xx or 429 that
nothing is for now; a web page in its place is taken for a wall, not for rules. Rules hold for a day, in this process.
"""

import weakref
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from listeners.feed import FeedBlocked

if TYPE_CHECKING:
    from protego import Protego

    from listeners.http import FeedClient, PoliteClient

PRODUCT = "word-of-mouse"  # what rules for us alone would name: the first word of our User-Agent
KEPT = 24 * 3600.0  # seconds (RFC 9309, 2.4)
MOST_READ = 512_000  # bytes; a parser must read 500 KiB (RFC 9309, 2.5)

_NO_RULES = frozenset(range(400, 500)) - {429}


@dataclass(frozen=True)
class _Rules:
    parsed: "Protego"
    until: float  # on the client's monotonic clock


_known: "weakref.WeakKeyDictionary[PoliteClient, dict[str, _Rules]]" = weakref.WeakKeyDictionary()  # by client and site


async def refuse_unless_allowed(client: "FeedClient", url: str) -> None:
    """Return if the site's robots.txt lets us ask for the URL next; its Crawl-delay then keeps that request waiting.

    Raises FeedBlocked if it does not; else as FeedClient.get does, where robots.txt itself cannot be had.
    """
    rules = await _rules(client, url)
    if not rules.can_fetch(url, PRODUCT):
        parts = urlsplit(url)
        said = f"robots.txt of {parts.hostname} disallows {parts.path or '/'} to {PRODUCT}: ask the site's owner"
        raise FeedBlocked(client.feed, said)
    delay = rules.crawl_delay(PRODUCT)
    if delay:
        longest = client._polite.limits.wait_seconds  # who is asked to wait longer within a visit would never get on
        client.hold(url, min(delay, longest))


async def _rules(client: "FeedClient", url: str) -> "Protego":
    """The rules of a URL's site, as known or asked for."""
    from protego import Protego  # here: the command line reads the options of all sources at every start

    polite, parts = client._polite, urlsplit(url)
    site = f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}".lower()
    known = _known.setdefault(polite, {})
    if site not in known or known[site].until <= polite._monotonic():
        reply = await client.get(f"{site}/robots.txt", expect="file", answers=_NO_RULES, at_most=4 * MOST_READ)
        text = "" if reply.status in _NO_RULES else reply.body[:MOST_READ].decode("utf-8-sig", "replace")
        known[site] = _Rules(Protego.parse(text), polite._monotonic() + KEPT)
    return known[site].parsed
