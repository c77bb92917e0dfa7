"""Telling: what is delivered to real receivers, and the events that say so."""

import json
import threading
from datetime import timedelta
from pathlib import Path

import pytest
from alert_events import at, event, spiking
from receivers import web_receivers

from dags.notify import Patience
from dags.settings import (
    AlertRoute,
    AlertSettings,
    AlertTarget,
    BrandSettings,
    CollectSettings,
    HousekeepingSettings,
    Settings,
)
from dags.telling import tell_due

HASTE = Patience(attempt=60, run=60, pauses=(0.01,))
ACME = BrandSettings(name="Acme", owners={"default": "care", "billing": "finance"})
OPENED = spiking("opened", "09:00", aspects=("billing",))


@pytest.fixture
def web():
    with web_receivers() as received:
        yield received


class World:
    """Settings whose targets are receivers on loopback, and the events so far."""

    def __init__(self, web, *events, routes=(), brands=(ACME,), names=("care", "finance", "phone", "head")):
        self.events = list(events)
        targets = tuple(AlertTarget(name=name, url=web.url(name)) for name in names)
        alerts = AlertSettings(target=targets, route=tuple(AlertRoute.model_validate(route) for route in routes))
        self.settings = Settings(
            source_file=Path("listening.toml"), brands=brands, feeds=(), collect=CollectSettings(), alerts=alerts,
            housekeeping=HousekeepingSettings(), lake="lake", database=Path("x.duckdb"), author_key=None,
        )  # fmt: skip

    def tell(self, now, environment=None, patience=HASTE):
        now = at(now) if isinstance(now, str) else now
        return tell_due(self.events, self.settings, now, environment or {}, self.events.extend, patience)

    def rows(self, what):
        """(by, evidence) of the events of a kind."""
        return [(row["by"], json.loads(row["evidence"])) for row in self.events if row["event"] == what]


def test_the_owner_of_the_aspect_is_told_once_and_it_is_stored(web):
    world = World(web, OPENED)
    assert world.tell("09:00").owners == ["finance"]
    assert world.tell("09:05").owners == []
    [message] = web.sent["finance"]
    assert message["alert"]["alert_id"] == "a1"
    assert world.rows("notified") == [("finance", {"why": "first", "channel": "finance", "event": "opened"})]


def test_a_dead_channel_gives_way_to_the_next_and_is_reported_once(web):
    web.answers["finance"] = [500]
    world = World(web, OPENED, routes=[{"owner": "finance", "channels": ["finance", "phone"]}])
    first = world.tell("09:00")
    assert first.undelivered == []
    assert "finance" in first.fallbacks[0]
    [message] = web.sent["phone"]
    assert "finance did not take this message" in message["message"]
    [report] = web.sent["care"]
    assert report["title"] == "Acme: an alert could not be delivered"
    assert "finance takes no messages" in report["message"]
    [(channel, failure)] = world.rows("undelivered")
    assert (channel, failure["owner"]) == ("finance", "finance")
    assert "error=500" in failure["reason"]
    assert world.tell("10:00").events == []


def test_a_dead_channel_is_reported_again_after_it_was_alive(web):
    def reports():
        return web.titles("care").count("Acme: an alert could not be delivered")

    world = World(web, OPENED, routes=[{"owner": "finance", "channels": ["finance", "phone"]}])
    for number, status in enumerate([500, 500, 200, 500]):
        web.answers["finance"] = [status]
        world.events.append(spiking("opened", at("09:00", days=number), aspects=("billing",), alert=f"b{number}"))
        world.tell(at("09:00", days=number))
        assert reports() == [1, 1, 1, 2][number]


def test_an_owner_whom_no_channel_reaches_is_stood_in_for_and_told_later(web):
    web.answers["finance"] = [500]
    world = World(web, OPENED)
    first = world.tell("09:00")
    assert first.undelivered[0].startswith("Acme: finance: ")
    assert first.owners == ["care"]
    assert "finance could not be reached" in web.sent["care"][0]["message"]
    assert [told["to"] for _, told in world.rows("escalated")] == ["care"]
    web.answers["finance"] = [200]
    assert world.tell("10:00").owners == ["finance"]
    assert world.tell("11:00").events == []


def test_nothing_new_is_stored_of_a_channel_that_stays_dead(web):
    for name in ("care", "finance"):
        web.answers[name] = [500]
    world = World(web, OPENED)
    assert len(world.tell("09:00").events) == 2
    second = world.tell("10:00")
    assert second.events == []
    assert second.undelivered, "but a person hears of it each time"


def test_a_message_that_may_have_arrived_is_not_sent_again_where_somebody_has_it(web):
    web.answers["finance"] = ["drip"]
    world = World(web, OPENED)
    assert world.tell("09:00", patience=Patience(attempt=2)).owners == ["care"]
    assert world.tell("10:00").events == []
    assert len(web.sent["finance"]) == 1


def test_everybody_who_is_due_is_told_though_one_server_is_slow(web):
    fast = threading.Event()
    receive = web.receive

    async def finance_waits_for_care(request):
        import anyio

        if request.path_params["path"] == "care":
            fast.set()
        elif not await anyio.to_thread.run_sync(fast.wait, 30):
            web.answers["finance"] = [500]
        return await receive(request)

    web.receive = finance_waits_for_care
    world = World(web, spiking("opened", "09:00", aspects=("billing", "delivery")))
    assert sorted(world.tell("09:00").owners) == ["care", "finance"]


def test_when_nobody_acknowledges_the_next_owner_is_told_why(web):
    world = World(web, OPENED, routes=[{"owner": "finance", "escalate_to": "head", "escalate_minutes": 30}])
    world.tell("09:00")
    assert world.tell("09:20").owners == []
    assert world.tell("09:31").owners == ["head"]
    assert "finance did not acknowledge it within 30 minutes" in web.sent["head"][0]["message"]
    [(by, escalated)] = world.rows("escalated")
    assert (by, escalated["from"], escalated["to"]) == ("watch", "finance", "head")
    world.events.append(event("resolved", "10:00", by="ann", note="a price was wrong"))
    assert sorted(world.tell("10:00").owners) == ["finance", "head"], "both hear that it is over"


def test_a_digest_is_one_message_of_all_that_waited(web):
    world = World(
        web, OPENED, spiking("opened", "10:00", alert="a2", aspects=("billing",)), routes=[{"digest_at": ["16:00"]}]
    )
    assert world.tell("15:00").events == []
    assert world.tell("16:00").owners == ["finance"]
    [message] = web.sent["finance"]
    assert [one["alert_id"] for one in message["alert"]["events"]] == ["a1", "a2"]
    assert [told["why"] for _, told in world.rows("notified")] == ["digest", "digest"]
    assert world.tell("16:30").events == []


def test_each_message_is_stored_before_the_next_is_decided_upon(web):
    web.answers["finance"] = [500]
    stored: list[list[str]] = []
    world = World(web, OPENED)
    tell_due(
        world.events, world.settings, at("09:00"), {}, lambda rows: stored.append([row["event"] for row in rows]), HASTE
    )
    assert stored == [["undelivered"], ["notified", "escalated"]]


def test_an_event_that_cannot_be_put_in_words_keeps_no_other_from_being_told(web):
    broken = {**spiking("opened", "09:00", alert="a2", aspects=("delivery",)), "brand": None}
    globex = BrandSettings.model_construct(name=None, owners={"default": "head"})
    world = World(web, broken, OPENED, brands=(ACME, globex))
    with pytest.raises(TypeError):
        world.tell("09:00")
    assert [by for by, _ in world.rows("notified")] == ["finance"]


def test_a_run_ends_with_its_time_and_says_whom_it_did_not_tell(web):
    world = World(web, OPENED)
    told = world.tell("09:00", patience=Patience(run=0))
    assert told.undelivered == ["Acme: no time was left to tell finance"]
    assert told.events == []


def test_a_clock_that_jumped_back_tells_nothing_twice(web):
    world = World(web, OPENED)
    for minutes in (-60, -30, 0, 30):
        world.tell(at("09:00") + timedelta(minutes=minutes))
    assert len(web.sent["finance"]) == 1


@pytest.mark.parametrize("brands", [(), (BrandSettings(name="Acme"),)])
def test_what_nobody_owns_is_said_while_it_is_new(web, brands):
    world = World(web, spiking("opened", "09:00"), brands=brands)
    assert "nobody owns it" in world.tell("09:00").unreachable[0]
    world.events.append(event("resolved", "21:00"))
    assert world.tell(at("21:00", days=3)).unreachable == []


def test_no_event_and_no_reason_holds_a_secret(web):
    web.answers["finance"] = [401]
    world = World(web, OPENED, names=("care",))
    target = AlertTarget(name="finance", url_env="FINANCE_URL")
    alerts = world.settings.alerts.model_copy(update={"target": (*world.settings.alerts.target, target)})
    world.settings = world.settings.model_copy(update={"alerts": alerts})
    secret = web.url("finance/hunter2?token=hunter2").replace("://", "://wom:hunter2@")
    told = world.tell("09:00", {"FINANCE_URL": secret})
    assert told.undelivered
    assert "hunter2" not in repr(told) + repr(world.events) + repr(web.sent["care"])
