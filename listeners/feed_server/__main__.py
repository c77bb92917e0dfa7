"""The feed server as a process: prints its base URL as the first line, then serves until SIGTERM."""

import argparse
from datetime import UTC, datetime

from listeners.feed_server.app import build_app
from listeners.feed_server.serve import serve_forever
from listeners.feed_server.world import make_world


def moment(text: str) -> datetime:
    """Return the ISO time; without a zone it is UTC. Raises ValueError."""
    at = datetime.fromisoformat(text)
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def main() -> None:
    """Serve the world that ends at --until; what it publishes later than now comes to light as time passes."""
    parser = argparse.ArgumentParser(prog="python -m listeners.feed_server", description=main.__doc__)
    parser.add_argument("--port", type=int, default=0, help="0 takes a free one (default)")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--until", type=moment, default=None, metavar="ISO", help="end of the world (default: now)")
    parser.add_argument("--at", type=moment, default=None, metavar="ISO", help="stop the world's clock at this time")
    parser.add_argument("--mastodon-limit", type=int, default=300, help="requests per 5 minutes and address")
    given = parser.parse_args()
    world = make_world(given.seed, given.until or datetime.now(UTC))
    app = build_app(world, lambda: given.at or datetime.now(UTC), mastodon_limit=given.mastodon_limit)
    serve_forever(app, given.port, lambda url: print(url, flush=True))


if __name__ == "__main__":
    main()
