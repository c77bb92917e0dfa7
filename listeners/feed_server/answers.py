"""Answers to conditional requests, as RFC 9110 section 13 has them."""

import hashlib
from datetime import UTC, datetime
from email.utils import format_datetime, parsedate_to_datetime

from starlette.requests import Request
from starlette.responses import Response


def conditional(
    request: Request,
    body: bytes,
    content_type: str,
    *,
    modified: datetime | None,
    max_age: int,
    weak: bool = False,
    headers: dict[str, str] | None = None,
) -> Response:
    """Return the body with its validators, or 304 without it where the request has seen it already.

    modified: when the newest thing in it changed; None sends no Last-Modified. max_age: seconds. weak: W/"..." tags.
    """
    digest = hashlib.sha256(body).hexdigest()[:32]
    tag = f'W/"{digest}"' if weak else f'"{digest}"'
    sent = {"ETag": tag, "Cache-Control": f"public, max-age={max_age}", "Vary": "Accept-Encoding"}
    if modified is not None:
        sent["Last-Modified"] = format_datetime(modified.astimezone(UTC), usegmt=True)
    sent |= headers or {}
    if _is_known(request, digest, modified):
        return Response(status_code=304, headers=sent)
    return Response(body, headers=sent | {"Content-Type": content_type})


def _is_known(request: Request, digest: str, modified: datetime | None) -> bool:
    tags = request.headers.get("if-none-match")
    if tags is not None:  # a tag outranks a date (RFC 9110 13.2.2); weak comparison
        known = {tag.strip().removeprefix("W/").strip('"') for tag in tags.split(",")}
        return "*" in known or digest in known
    since = request.headers.get("if-modified-since")
    if since is None or modified is None:
        return False
    try:
        return modified.replace(microsecond=0) <= parsedate_to_datetime(since)
    except (ValueError, TypeError):
        return False
