"""How long to wait before asking again: what servers say in their headers, and what we do if they say nothing.

The dialects: Retry-After is seconds, at times a fraction, or an HTTP date
(RFC 9110); a rate limit's reset is seconds left (Reddit, IETF drafts), epoch seconds (GitHub, Bluesky) or an ISO
time (Mastodon). All pure: the present moment and the dice are arguments.
"""

import math
import random
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

DAY = 86_400.0  # seconds; no hint is believed beyond it
EPOCH_FROM = 10**9  # a reset below it is seconds left, above it epoch seconds (2001 and later)
FIRST_WAIT = 0.5  # seconds, doubled at each further attempt
LONGEST_BACKOFF = 20.0  # seconds

_NUMBER = re.compile(r"\d{1,15}(\.\d{0,9})?")
_REMAINING = ("x-ratelimit-remaining", "ratelimit-remaining", "x-rate-limit-remaining")
_RESET = ("x-ratelimit-reset", "ratelimit-reset", "x-rate-limit-reset")


def seconds_of_retry_after(value: str, now: datetime) -> float | None:
    """Return how many whole seconds a Retry-After header asks for, 0 if its date is past; None if it says nothing."""
    value = value.strip()
    if _NUMBER.fullmatch(value):
        return min(math.ceil(float(value)), DAY)
    try:
        moment = parsedate_to_datetime(value)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    return _seconds_until(moment, now)


def seconds_of_reset(value: str, now: datetime) -> float | None:
    """Return how many seconds a rate limit's reset is away, 0 if past; None if it cannot be read."""
    value = value.strip()
    if _NUMBER.fullmatch(value):
        number = float(value)
        left = number if number < EPOCH_FROM else number - now.timestamp()
        return min(max(math.ceil(left), 0.0), DAY)
    try:
        moment = datetime.fromisoformat(value)
    except ValueError:
        return None
    return _seconds_until(moment, now)


def exhausted(headers: Mapping[str, str]) -> bool:
    """Return whether the headers say that no request is left in this window. Names are lower case."""
    left = [headers[name].strip() for name in _REMAINING if name in headers]
    return any(_NUMBER.fullmatch(value) and float(value) < 1 for value in left)


def hint(status: int, headers: Mapping[str, str], now: datetime) -> float | None:
    """Return the longest wait in seconds that a reply asks for, or None if it asks for none.

    A reset counts only where the limit is reached: other replies carry it too, for information.
    """
    asked: list[float | None] = []
    if "retry-after" in headers:
        asked.append(seconds_of_retry_after(headers["retry-after"], now))
    if status == 429 or exhausted(headers):
        asked += [seconds_of_reset(headers[name], now) for name in _RESET if name in headers]
    return max((seconds for seconds in asked if seconds is not None), default=None)


def pause(attempt: int, asked: float | None, rng: random.Random) -> float:
    """Return the seconds to wait after attempt number `attempt` (from 1), with jitter so that clients spread out.

    It is never shorter than what the server asked for.
    """
    if asked is not None:
        return asked + rng.uniform(0, min(1.0, 0.1 + 0.1 * asked))
    return min(FIRST_WAIT * 2 ** (attempt - 1), LONGEST_BACKOFF) * rng.uniform(0.5, 1.0)


def _seconds_until(moment: datetime, now: datetime) -> float:
    if moment.tzinfo is None:  # "-0000" in an HTTP date, or an ISO time without a zone: taken as UTC
        moment = moment.replace(tzinfo=UTC)
    return min(max(math.ceil((moment - now).total_seconds()), 0.0), DAY)
