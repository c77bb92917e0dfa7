"""A feed server on loopback with a made-up world, for demonstrations and tests: no network, no account, no third party.

    world = make_world(seed=7, until=datetime.now(UTC))
    with serve(build_app(world, clock=lambda: datetime.now(UTC))) as server:
        Path("listening.toml").write_text(demo_config(server))

The same as a process: python -m listeners.feed_server --port 0 --seed 7 --until 2026-11-21T20:00:00Z
"""

from listeners.feed_server.app import build_app
from listeners.feed_server.config import demo_config
from listeners.feed_server.serve import serve
from listeners.feed_server.world import World, make_world

__all__ = ["World", "build_app", "demo_config", "make_world", "serve"]
