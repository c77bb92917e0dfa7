"""The ASGI application: every wire format of the built-in feed server under one roof.

A further source is a module with `routes(world, clock)` and a line here.
"""

from collections.abc import Callable
from datetime import UTC, datetime

from starlette.applications import Starlette

from listeners.feed_server import (
    appstore,
    bluesky,
    devto,
    discourse,
    gdelt,
    github,
    hackernews,
    lemmy,
    lobsters,
    mastodon,
    reddit,
    rss,
    stackexchange,
    youtube,
)
from listeners.feed_server.world import World


def build_app(
    world: World,
    clock: Callable[[], datetime],
    *,
    mastodon_limit: int = 300,
    mastodon_access: str = "public",
    now: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> Starlette:
    """Return an application that shows what the world had published by clock().

    mastodon_limit: requests per 5 minutes and address. mastodon_access: public, authenticated or disabled.
    now: the clock of rate limits, apart from the world's, which may stand still.
    """
    return Starlette(
        routes=[
            *rss.routes(world, clock),
            *bluesky.routes(world, clock),
            *hackernews.routes(world, clock),
            *mastodon.routes(world, clock, limit=mastodon_limit, now=now, access=mastodon_access),
            *discourse.routes(world, clock, now=now),
            *stackexchange.routes(world, clock, now=now),
            *lobsters.routes(world, clock, now=now),
            *devto.routes(world, clock, now=now),
            *github.routes(world, clock, now=now),
            *lemmy.routes(world, clock, now=now),
            *appstore.routes(world, clock),
            *gdelt.routes(world, clock),
            *youtube.routes(world, clock, now=now),
            *reddit.routes(world, clock, now=now),
        ]
    )
