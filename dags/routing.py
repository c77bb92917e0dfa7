"""Who is told of what, when and on which channels: decided from the events so far, listening.toml and the time. Pure.

An incident is told to the owners of what it is about, each as their route says. If nobody acknowledges it in time, the
next owner is told; if one cannot be reached, at once. Whoever was told of it is also told that it is over.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Literal, NamedTuple

from dags.quiet_hours import is_quiet, last_digest
from dags.settings import AlertRoute, AlertSettings, BrandSettings, Severity
from warehouse.alert_states import TELLS, Alert, Event, evidence_in, fold, in_order, is_telling, utc
from warehouse.alerts import COOLDOWN, undelivered

RECENT = timedelta(hours=48)  # what ended longer ago is told only to the first: a new owner need not hear of last year

Why = Literal["first", "digest", "escalation", "fallback", "recovered"]


@dataclass(frozen=True)
class Delivery:
    """A message that is due: events, in one message, to an owner on the first of the channels that takes it.

    stands_in_for: the owner who did not acknowledge (why escalation) or could not be reached (fallback); None if it is
    nobody's but theirs. reason: why it comes to them, for a person; None if that needs no reason. dead: the channels
    that it tells to be dead.
    """

    owner: str
    channels: tuple[str, ...]
    events: tuple[Event, ...]
    why: Why
    severity: Severity
    stands_in_for: str | None = None
    reason: str | None = None
    dead: tuple[str, ...] = ()


def owners_of(brand: BrandSettings, aspects: Iterable[str]) -> list[str]:
    """Return who is told of these aspects of a brand, of the brand as a whole if there are none; nobody twice."""
    owners: Mapping[str, str] = {str(name): owner for name, owner in brand.owners.items()}
    named = [owners.get(aspect) or owners.get("default") for aspect in aspects] or [owners.get("default")]
    return list(dict.fromkeys(owner for owner in named if owner))


def route_of(owner: str, severity: Severity, alerts: AlertSettings) -> AlertRoute:
    """Return how an owner is told of this severity: the first route that fits both, its channels filled in."""
    fits = (route for route in alerts.route if route.owner in {None, owner} and route.severity in {None, severity})
    route = next(fits, AlertRoute())
    return route if route.channels else route.model_copy(update={"channels": (owner,)})


def due(past: Iterable[Event], alerts: AlertSettings, brands: Sequence[BrandSettings], now: datetime) -> list[Delivery]:
    """Return the messages that are due now. It decides anew each time: what was told, or failed, stands in the events.

    past: every event so far. A delivery that failed stays due.
    """
    past = in_order(past)
    incidents = _incidents(past, now)
    by_name = {brand.name: brand for brand in brands}
    live = [event for incident in incidents for event in incident.events]
    waiting: dict[str, dict[str, Event]] = {}
    found: list[Delivery] = []
    for incident in incidents:
        if (brand := by_name.get(incident.alert.brand)) is None:
            continue
        for owner in owners_of(brand, incident.aspects):
            if owner not in waiting:
                waiting[owner] = {event["alert_id"]: event for event in undelivered(live, now, owner)}
            if event := waiting[owner].get(incident.alert.alert_id):
                found += _of_news(incident, event, owner, alerts, now)
        told_now = {delivery.owner for delivery in found if incident.news in delivery.events}
        found += _passed_on(incident, brand, told_now, alerts, now)
        found += _over(incident, alerts, now)
    said = {(delivery.owner, channel) for delivery in found for channel in delivery.dead}
    found += _of_dead_channels(past, said, by_name, alerts, now)
    return _digested(found)


def unowned(past: Iterable[Event], brands: Sequence[BrandSettings], now: datetime) -> list[Event]:
    """Return the newest telling event of each incident that nobody was told of because nobody owns what it is about."""
    by_name = {brand.name: brand for brand in brands}
    return [
        incident.news
        for incident in _incidents(in_order(past), now)
        if not incident.told
        and not incident.is_old(now)
        and not ((brand := by_name.get(incident.alert.brand)) and owners_of(brand, incident.aspects))
    ]


@dataclass(frozen=True)
class _Incident:
    """An alert with its events, in order; news: the newest that is worth telling."""

    alert: Alert
    events: Sequence[Event]
    news: Event

    @property
    def severity(self) -> Severity:
        return "page" if self.alert.severity == "page" else "tell"

    @property
    def aspects(self) -> list[str]:
        about = self.alert.evidence.get("about")
        named = about.get("aspects", []) if isinstance(about, Mapping) else []
        return list(named) or ([self.news["aspect"]] if self.news["aspect"] else [])

    @property
    def is_attended(self) -> bool:
        """Whether somebody has taken it, or it is over."""
        alert = self.alert
        return bool(alert.closed_as or alert.acknowledged_at or alert.snoozed_at)

    @property
    def since_untold(self) -> Sequence[Event]:
        return self.events[self.events.index(self.news) :]

    @property
    def closing(self) -> Event | None:
        if not self.alert.closed_as:
            return None
        return next(event for event in reversed(self.events) if event["event"] == self.alert.closed_as)

    def is_old(self, now: datetime) -> bool:
        return self.alert.closed_at is not None and now - self.alert.closed_at > RECENT

    @property
    def told(self) -> dict[str, datetime]:
        """Who was told of it, and when last."""
        return {event["by"]: utc(event["at"]) for event in self.events if is_telling(event)}

    def told_unattended(self) -> dict[str, datetime]:
        """Return who was told, and when first, since somebody last took it, or since it became a page."""
        told: dict[str, datetime] = {}
        is_page = False
        for event in self.events:
            if event["event"] in TELLS:
                rose = not is_page and evidence_in(event).get("severity") == "page"
                is_page = is_page or rose
                told = {} if rose or event["event"] == "opened" else told
            elif event["event"] in {"acknowledged", "snoozed", "resolved", "dismissed"}:
                told = {}
            elif is_telling(event):
                told.setdefault(event["by"], utc(event["at"]))
        return told

    def channels_left(self, owner: str, channels: tuple[str, ...], event: Event) -> tuple[str, ...]:
        """Return those of an owner's channels that do not have an event's message already, as far as one can know.

        What gave no answer may have it. It is tried again only if nobody has it for sure.
        """
        after = self.events[self.events.index(event) :]
        if event["event"] in TELLS and not any(is_telling(later) for later in after):
            return channels
        said = [(later["by"], evidence_in(later)) for later in after if later["event"] == "undelivered"]
        doubtful = {channel for channel, told in said if told.get("owner") == owner and told.get("may_have_arrived")}
        return tuple(channel for channel in channels if channel not in doubtful)

    def unreached(self) -> dict[str, set[str]]:
        """Return the channels that failed since the news, by the owner they were tried for who was not told since."""
        failed: dict[str, set[str]] = {}
        for event in self.since_untold:
            if event["event"] == "undelivered":
                failed.setdefault(evidence_in(event).get("owner", ""), set()).add(event["by"])
            elif is_telling(event):
                failed.pop(event["by"], None)
        return failed


class _StandIn(NamedTuple):
    """Who is told instead of an owner, or after them."""

    to: str
    owner: str
    why: Why
    reason: str
    dead: tuple[str, ...] = ()


def _incidents(past: Sequence[Event], now: datetime) -> list[_Incident]:
    """Return the alerts that may still be told of: those that stand, ended lately, or were never told."""
    events: dict[str, list[Event]] = {}
    for event in past:
        events.setdefault(event["alert_id"], []).append(event)
    found = []
    for alert in fold(past):
        own = events[alert.alert_id]
        incident = _Incident(alert, own, next(event for event in reversed(own) if event["event"] in TELLS))
        if not (incident.told and incident.is_old(now)):
            found.append(incident)
    return found


def _of_news(incident: _Incident, event: Event, owner: str, alerts: AlertSettings, now: datetime) -> Iterator[Delivery]:
    route = route_of(owner, incident.severity, alerts)
    told_at = incident.told.get(owner)
    ready_at = max(utc(event["at"]), told_at + COOLDOWN) if told_at else utc(event["at"])
    channels = incident.channels_left(owner, route.channels, event)
    if channels and (incident.severity == "page" or not _waits(route, ready_at, now)):
        events = (event, incident.closing) if incident.closing else (event,)
        why: Why = "digest" if route.digest_at and incident.severity == "tell" else "first"
        yield Delivery(owner, channels, events, why, incident.severity)


def _passed_on(
    incident: _Incident, brand: BrandSettings, told_now: set[str], alerts: AlertSettings, now: datetime
) -> Iterator[Delivery]:
    """What the next owner is told, because one did not acknowledge or could not be reached."""
    if incident.is_attended or incident.alert.state(now) == "snoozed":
        return
    told = incident.told_unattended()
    stand_ins = [
        _StandIn(
            to=route.escalate_to,
            owner=owner,
            why="escalation",
            reason=f"{owner} did not acknowledge it within {route.escalate_minutes} minutes",
        )
        for owner, at in told.items()
        if (route := route_of(owner, incident.severity, alerts)).escalate_to and route.escalate_minutes
        if now - at >= timedelta(minutes=route.escalate_minutes)
    ]
    for owner, failed in sorted(incident.unreached().items()):
        route = route_of(owner, incident.severity, alerts)
        to = route.escalate_to or brand.owners.get("default")
        if to and failed >= set(route.channels):
            by = "" if route.channels == (owner,) else f" by {' or '.join(route.channels)}"
            stand_ins.append(_StandIn(to, owner, "fallback", f"{owner} could not be reached{by}", route.channels))
    met = {*told, *told_now}
    for next_one in stand_ins:
        route = route_of(next_one.to, incident.severity, alerts)
        channels = incident.channels_left(next_one.to, route.channels, incident.news)
        if channels and next_one.to not in met and (incident.severity == "page" or not is_quiet(route, now)):
            met.add(next_one.to)
            yield Delivery(
                next_one.to,
                channels,
                (incident.news,),
                next_one.why,
                incident.severity,
                stands_in_for=next_one.owner,
                reason=next_one.reason,
                dead=next_one.dead,
            )


def _over(incident: _Incident, alerts: AlertSettings, now: datetime) -> Iterator[Delivery]:
    """What whoever was told of it is told when it ends."""
    if (closing := incident.closing) is None or incident.is_old(now):
        return
    after = incident.events[incident.events.index(closing) :]
    heard = {event["by"] for event in after if event["event"] == "notified"}
    for owner in incident.told:
        route = route_of(owner, "tell", alerts)
        channels = incident.channels_left(owner, route.channels, closing)
        if channels and owner not in heard and not _waits(route, utc(closing["at"]), now):
            yield Delivery(owner, channels, (closing,), "digest" if route.digest_at else "recovered", "tell")


def _of_dead_channels(
    past: Iterable[Event],
    said: set[tuple[str, str]],
    brands: Mapping[str, BrandSettings],
    alerts: AlertSettings,
    now: datetime,
) -> Iterator[Delivery]:
    """What the brand's default owner is told, once, of a channel that takes nothing.

    said: the owners and channels of whom that is said on another occasion.
    """
    dead: dict[str, Event] = {}
    reported: set[tuple[str, str]] = set()
    for event in past:
        if event["event"] == "undelivered":
            dead.setdefault(event["by"], event)
        elif event["event"] == "notified":
            told = evidence_in(event)
            alive = str(told.get("channel"))
            dead.pop(alive, None)
            reported = {(owner, channel) for owner, channel in reported if channel != alive}
            reported |= {(event["by"], channel) for channel in told.get("dead", [])}
    for channel, event in dead.items():
        owner = brands[event["brand"]].owners.get("default") if event["brand"] in brands else None
        if owner is None or (owner, channel) in reported | said:
            continue
        route = route_of(owner, "tell", alerts)
        if not dead.keys() >= set(route.channels) and not _waits(route, utc(event["at"]), now):
            reason = f"{channel} takes no messages, such as this one for {evidence_in(event).get('owner')}"
            why: Why = "digest" if route.digest_at else "fallback"
            yield Delivery(owner, route.channels, (event,), why, "tell", reason=reason, dead=(channel,))


def _digested(deliveries: Iterable[Delivery]) -> list[Delivery]:
    """Return the deliveries with those that make up one owner's digest made one."""
    single: list[Delivery] = []
    digests: dict[tuple[str, tuple[str, ...]], Delivery] = {}
    for delivery in deliveries:
        if delivery.why != "digest":
            single.append(delivery)
            continue
        key = (delivery.owner, delivery.channels)
        if before := digests.get(key):
            reason = " ".join(reason for reason in (before.reason, delivery.reason) if reason) or None
            events, dead = (*before.events, *delivery.events), (*before.dead, *delivery.dead)
            delivery = replace(before, events=events, reason=reason, dead=dead)
        digests[key] = delivery
    return [*single, *digests.values()]


def _waits(route: AlertRoute, ready_at: datetime, now: datetime) -> bool:
    """Whether something that is no page, and was ready then, is to be told later."""
    digest = last_digest(route, now)
    return is_quiet(route, now) or (bool(route.digest_at) and (digest is None or digest < ready_at))
