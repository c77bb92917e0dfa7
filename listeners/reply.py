"""What a listener gets for a request: an answer that is not an error."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from listeners import json_text
from listeners.feed import FeedFormatChanged


@dataclass(frozen=True)
class Validators:
    """What a server gave to recognise a version of its answer by, exactly as received (commafeed#1746)."""

    etag: str | None = None
    last_modified: str | None = None

    def __bool__(self) -> bool:
        return self.etag is not None or self.last_modified is not None


@dataclass(frozen=True)
class Reply:
    """An answer that is not an error. status 304: nothing changed, and there is no body.

    headers: names in lower case. url: where it came from after redirects, without secrets.
    validators: of this answer, to be sent with the next request in place of the old ones.
    """

    feed: str
    status: int
    headers: Mapping[str, str]
    body: bytes
    url: str
    validators: Validators

    def json(self) -> Any:
        """Return the body as JSON. Raises FeedFormatChanged if it is none. A bad byte spoils a letter, not the page."""
        try:
            return json_text.parse(self.body.decode("utf-8-sig", "replace"))
        except (ValueError, RecursionError) as error:
            start = self.body[:60].decode("utf-8", "replace")
            raise FeedFormatChanged(
                self.feed, f"{self.url}: not JSON ({str(error)[:100]}); it starts {start!r}"
            ) from error
