"""A URL as it may stand in messages and logs."""

import re

import httpx

_SECRET_KEY = re.compile(r"(?i)key|token|secret|passw|pwd|auth|sig|session|credential")


def shown(url: httpx.URL | str) -> str:
    """Return a URL without user, password and the values of secret keys."""
    try:
        url = httpx.URL(url)
    except httpx.InvalidURL:
        return "(not a URL)"
    if not (url.userinfo or url.query or url.fragment):
        return str(url)
    hidden = {key: "***" for key in url.params if _SECRET_KEY.search(key)}
    url = url.copy_with(userinfo=b"", fragment=None)
    return str(url.copy_merge_params(hidden)).replace("%2A%2A%2A", "***") if hidden else str(url)
