"""`wom test-alerts`: one harmless message on each channel, to see whether it arrives before it matters."""

import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from dags.checking_alerts import brands_told_on, known_channels
from dags.messages import Message
from dags.notify import Patience, deliver, load_apprise
from dags.plain_words import chat_safe
from dags.settings import Settings, SettingsError

ONCE = Patience(pauses=())


def try_channels(
    settings: Settings, environment: Mapping[str, str], channels: Sequence[str] | None = None, patience: Patience = ONCE
) -> list[dict[str, Any]]:
    """Return a row per channel: the brands told of on it, whether the message was taken, in how many seconds, why not.

    channels: which; all that listening.toml names if None. Raises SettingsError for one that it does not name.
    """
    known = known_channels(settings)
    if unknown := [channel for channel in channels or () if channel not in known]:
        valid = ", ".join(known) or "none, since no brand has owners"
        raise SettingsError(f"{settings.source_file} names no channel {unknown[0]!r}; valid: {valid}")
    chosen = list(dict.fromkeys(channels or known))
    load_apprise()  # before any clock starts
    until = time.monotonic() + patience.run
    with ThreadPoolExecutor() as pool:
        return list(pool.map(lambda channel: _tried(channel, settings, environment, until, patience), chosen))


def _tried(
    channel: str, settings: Settings, environment: Mapping[str, str], until: float, patience: Patience
) -> dict[str, Any]:
    brands = brands_told_on(channel, settings)
    about = f"Alerts about {', '.join(map(chat_safe, brands))} come here." if brands else "No alerts come here."
    text = f"This is a test of this channel. Nothing has happened, and nothing is to be done.\n{about}"
    words = Message("Word of Mouse: a test", text, {"event": "test", "brands": brands})
    begun = time.monotonic()
    done = deliver(
        [channel], lambda _: words, settings.alerts, environment, colour="info", until=until, patience=patience
    )
    return {
        "channel": channel,
        "brands": brands,
        "delivered": done.channel is not None,
        "seconds": round(time.monotonic() - begun, 1),
        "reason": done.failures[0].reason if done.failures else None if done.channel else "no time was left to try it",
    }
