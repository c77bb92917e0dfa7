"""The owners of the demo's brands: a JSON webhook beside the feed server, that keeps what it is told."""

from collections.abc import Iterable

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Mount, Route
from starlette.types import ASGIApp


def with_inbox(app: ASGIApp, told: list[tuple[str, str]]) -> Starlette:
    """Return the app with a webhook at /inbox/OWNER that appends (owner, title) to `told`."""

    async def receive(request: Request) -> JSONResponse:
        message = await request.json()
        told.append((request.path_params["owner"], message["title"]))
        return JSONResponse({"received": len(told)})

    return Starlette(routes=[Route("/inbox/{owner}", receive, methods=["POST"]), Mount("/", app)])


def targets(server: str, owners: Iterable[str]) -> str:
    """Return the [[alerts.target]] tables that send each owner's alerts to the inbox."""
    address = server.replace("http://", "json://")
    return "".join(
        f'\n[[alerts.target]]\nname = "{owner}"\nurl = "{address}/inbox/{owner}"\n' for owner in sorted(set(owners))
    )
