"""What `wom check` says of alerts: who is told of what on which channels, and what would keep it from them."""

import difflib
from collections.abc import Iterator, Mapping
from typing import Any, get_args

from dags.notify import NoChannel, apprise_url, messenger_at
from dags.routing import route_of
from dags.settings import AlertRoute, AlertSettings, BrandSettings, Settings, Severity

SEVERITIES: tuple[Severity, ...] = get_args(Severity)


def who_is_told(settings: Settings) -> list[dict[str, Any]]:
    """Return a row per brand and owner: about what, and how, if it is to be told and if it is a page."""
    return [
        {
            "brand": brand.name,
            "about": [str(aspect) for aspect, named in brand.owners.items() if named == owner],
            "owner": owner,
            **{severity: _as_said(owner, severity, settings.alerts) for severity in SEVERITIES},
        }
        for brand in settings.brands
        for owner in dict.fromkeys(brand.owners.values())
    ]


def alert_warnings(settings: Settings, environment: Mapping[str, str]) -> list[str]:
    """Return what would keep alerts from their owners; nothing is sent."""
    alerts = settings.alerts
    found: list[str] = []
    checked: set[str] = set()
    names = {brand.name for brand in settings.brands}
    for brand in settings.brands:
        if "competitor" in brand.alerts and not names & {*brand.competitors} - {brand.name}:
            found.append(f"{brand.name}: asks for alerts of competitors, and none of them is a [[brand]] here")
        if "default" not in brand.owners:
            what = "an alert of what nobody else owns" if brand.owners else "an alert about it"
            found.append(f"{brand.name}: no default owner, so {what} reaches nobody")
        for channel in _channels_of(brand, alerts):
            checked.add(channel)
            found += [f"{brand.name}: {problem}" for problem in _problems(channel, alerts, environment)]
    for channel in known_channels(settings):
        if channel not in checked:
            found += [f"[alerts]: {problem}" for problem in _problems(channel, alerts, environment)]
    if alerts.report_file and not alerts.report_file.parent.is_dir():
        found.append(f"[alerts] report_file: there is no folder {alerts.report_file.parent}")
    return [*dict.fromkeys(found), *_unknown_owners(settings), *_idle_routes(alerts), *_circles(settings)]


def known_channels(settings: Settings) -> list[str]:
    """Return every channel that listening.toml names: those on which owners are told, and all others."""
    used = [channel for brand in settings.brands for channel in _channels_of(brand, settings.alerts)]
    named = [channel for route in settings.alerts.route for channel in route.channels]
    return list(dict.fromkeys([*used, *named, *(target.name for target in settings.alerts.target)]))


def brands_told_on(channel: str, settings: Settings) -> list[str]:
    """Return the brands of which somebody is told on a channel."""
    return [brand.name for brand in settings.brands if channel in _channels_of(brand, settings.alerts)]


def _as_said(owner: str, severity: Severity, alerts: AlertSettings) -> str:
    route = route_of(owner, severity, alerts)
    said = [", then ".join(route.channels)]
    if severity == "tell" and route.digest_at:
        said.append(f"at {' and '.join(f'{at:%H:%M}' for at in route.digest_at)} {route.time_zone}")
    if severity == "tell" and route.quiet_hours:
        said.append(f"not {'-'.join(f'{at:%H:%M}' for at in route.quiet_hours)} {route.time_zone}")
    if route.escalate_to:
        said.append(f"after {route.escalate_minutes} min {route.escalate_to}")
    return "; ".join(said)


def _chain(owner: str, severity: Severity, alerts: AlertSettings) -> list[str]:
    """Return an owner and who is told after them; the last is there twice where it goes round.

    Who would be told after themselves is the last: so it is with a route for all.
    """
    chain = [owner]
    while (to := route_of(chain[-1], severity, alerts).escalate_to) and to not in chain:
        chain.append(to)
    return [*chain, to] if to and to != chain[-1] else chain


def _channels_of(brand: BrandSettings, alerts: AlertSettings) -> list[str]:
    return list(
        dict.fromkeys(
            channel
            for owner in brand.owners.values()
            for severity in SEVERITIES
            for told in _chain(owner, severity, alerts)
            for channel in route_of(told, severity, alerts).channels
        )
    )


def _problems(channel: str, alerts: AlertSettings, environment: Mapping[str, str]) -> Iterator[str]:
    try:
        url = apprise_url(channel, alerts, environment)
    except NoChannel as error:
        yield str(error)
        return
    try:
        messenger_at(url)
    except NoChannel as error:
        yield f"{channel}: {error}"


def _unknown_owners(settings: Settings) -> Iterator[str]:
    known = {owner for brand in settings.brands for owner in brand.owners.values()}
    known |= {route.escalate_to for route in settings.alerts.route if route.escalate_to}
    for number, route in enumerate(settings.alerts.route, start=1):
        if route.owner and route.owner not in known:
            close = difflib.get_close_matches(route.owner, sorted(known), n=1)
            meant = f" (did you mean {close[0]!r}?)" if close else ""
            valid = ", ".join(sorted(known)) or "none"
            yield f"{_name(number)}: nobody is told as {route.owner!r}{meant}; owners: {valid}"


def _idle_routes(alerts: AlertSettings) -> Iterator[str]:
    for number, route in enumerate(alerts.route, start=1):
        for earlier, other in enumerate(alerts.route[: number - 1], start=1):
            if _covers(other, route):
                yield f"{_name(number)} is never used: number {earlier} comes first and fits all that it does"
                break


def _covers(one: AlertRoute, other: AlertRoute) -> bool:
    return one.owner in {None, other.owner} and one.severity in {None, other.severity}


def _circles(settings: Settings) -> Iterator[str]:
    met: set[frozenset[str]] = set()
    owners = dict.fromkeys(owner for brand in settings.brands for owner in brand.owners.values())
    for owner in owners:
        for severity in SEVERITIES:
            chain = _chain(owner, severity, settings.alerts)
            round_ = chain[chain.index(chain[-1]) :]
            if len(round_) > 1 and frozenset(round_) not in met:
                met.add(frozenset(round_))
                yield f"alerts go round: {' -> '.join(round_)}. Nobody is told twice, so they end with {chain[-2]}"


def _name(number: int) -> str:
    return f"[[alerts.route]] number {number}"
