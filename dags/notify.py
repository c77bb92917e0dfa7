"""Telling an owner, through Apprise: by mail, or on whatever channel an [[alerts.target]] names."""

import logging
from collections.abc import Mapping
from urllib.parse import quote

from dags.settings import AlertSettings, BrandSettings


class Undeliverable(Exception):
    """The owner was not told; the message says why, without secrets. The next run tries again."""


class NoChannel(Undeliverable):
    """listening.toml or the environment names no way to reach the owner: a person must add one."""


def owner_of(brand: BrandSettings, aspect: str | None) -> str | None:
    """Return who is told about an aspect of the brand; None if nobody owns it."""
    owners: Mapping[str, str] = {str(name): owner for name, owner in brand.owners.items()}
    return owners.get(aspect or "default") or owners.get("default")


def channel_of(owner: str, alerts: AlertSettings, environment: Mapping[str, str]) -> str:
    """Return the Apprise URL, secrets in it, by which an owner is reached. Raises NoChannel."""
    for target in alerts.target:
        if target.name == owner:
            return target.url or _secret(target.url_env or "", environment)
    if "@" not in owner:
        known = ", ".join(target.name for target in alerts.target) or "none"
        raise NoChannel(f"{owner!r} is neither a mail address nor an [[alerts.target]]; known targets: {known}")
    if not alerts.mail_env:
        raise NoChannel(
            f"no mail server to write to {owner}: name the variable that holds one in [alerts] mail_env, "
            "or make the owner an [[alerts.target]]"
        )
    server = _secret(alerts.mail_env, environment)
    return f"{server}{'&' if '?' in server else '?'}to={quote(owner)}"


def tell(channel: str, title: str, body: str) -> None:
    """Deliver one plain-text message. Raises Undeliverable."""
    import apprise  # 0.5 s: only where something is to be told

    messenger = apprise.Apprise()
    if not messenger.add(channel):
        kind = channel.split(":", 1)[0]
        hint = ", and has a ?from=" if kind.startswith("mailto") else ""
        raise NoChannel(
            f"Apprise cannot use this address, {kind}://...: see that it is written as its manual says{hint}"
        )
    told = _Heard()
    logger = logging.getLogger("apprise")
    logger.addHandler(told)
    try:
        delivered = messenger.notify(body=body, title=title, body_format=apprise.NotifyFormat.TEXT)
    finally:
        logger.removeHandler(told)
    if not delivered:
        address = messenger[0].url(privacy=True).partition("?")[0]  # secrets in it are starred out
        raise Undeliverable(f"{address}: {told.last or 'no answer'}")


def _secret(variable: str, environment: Mapping[str, str]) -> str:
    value = environment.get(variable)
    if not value:
        raise NoChannel(f"the environment variable {variable}, which holds the address, is not set")
    return value


class _Heard(logging.Handler):
    """Keeps the last complaint Apprise logged: it returns only False."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.last = ""

    def emit(self, record: logging.LogRecord) -> None:
        self.last = record.getMessage()
