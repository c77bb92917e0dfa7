"""Who is told of what, when and how: each case is what happened so far, a time, and whom it makes due."""

from datetime import timedelta

import pytest
from alert_events import at, event, spiking
from hypothesis import given, settings
from hypothesis import strategies as st

from dags.quiet_hours import is_quiet
from dags.routing import due, owners_of, route_of, unowned
from dags.settings import AlertSettings, BrandSettings
from warehouse.alert_states import in_turn

ACME = BrandSettings(name="Acme", owners={"default": "care", "billing": "finance", "staff": "stores"})


def routes(*tables, **alerts):
    return AlertSettings.model_validate({"route": list(tables), **alerts})


def told(by, when, *, alert="a1", **evidence):
    return event("notified", when, by=by, alert=alert, **{"event": "opened", "channel": by, **evidence})


def failed(channel, when, *, owner=None, **evidence):
    return event(
        "undelivered", when, by=channel, owner=owner or channel, channel=channel, reason="no answer", **evidence
    )


def at_all_times(events, alerts):
    """Everything that is delivered, if every delivery succeeds, by a watch every hour for three days."""
    past, found = list(events), []
    for step in range(3 * 24):
        now = at("00:00") + timedelta(hours=step)
        so_far = [event for event in past if event["at"] <= now]
        for one in due(so_far, alerts, (ACME,), now):
            found.append((now, one))
            rows = [told(one.owner, now, alert=event["alert_id"], event=event["event"]) for event in one.events]
            past += in_turn(rows, past)
    return found


def who(past, now, alerts=None, brands=(ACME,)):
    """Whom the rules make due, with why and of what: (owner, why, events)."""
    deliveries = due(past, alerts or routes(), brands, at(now) if isinstance(now, str) else now)
    return [(one.owner, one.why, [event["event"] for event in one.events]) for one in deliveries]


def test_an_aspect_has_its_owner_and_the_rest_the_default_one():
    assert owners_of(ACME, ["billing"]) == ["finance"]
    assert owners_of(ACME, ["delivery", "billing", "price"]) == ["care", "finance"]
    assert owners_of(ACME, []) == ["care"]
    assert owners_of(BrandSettings(name="Acme", owners={"billing": "finance"}), ["delivery"]) == []


OPENED = spiking("opened", "09:00")
DIGEST = {"digest_at": ["08:00", "16:00"]}
QUIET = {"quiet_hours": "22:00-07:00"}
NEXT = {"escalate_to": "head", "escalate_minutes": 30}


@pytest.mark.parametrize(
    ("case", "past", "now", "route", "expected"),
    [
        ("what is new is told", [OPENED], "09:00", {}, [("care", "first", ["opened"])]),
        ("once", [OPENED, told("care", "09:00")], "09:05", {}, []),
        ("to the owner of each aspect", [spiking("opened", "09:00", aspects=("staff", "billing"))], "09:00", {},
         [("stores", "first", ["opened"]), ("finance", "first", ["opened"])]),
        ("to who joins later, and not again to who knows",
         [spiking("opened", "09:00", aspects=("staff",)), told("stores", "09:00"),
          spiking("grew", "10:00", aspects=("staff", "billing"))], "10:00", {}, [("finance", "first", ["grew"])]),
        ("an event that names its aspect in the old way has its owner",
         [{**event("opened", "09:00"), "aspect": "billing"}], "09:00", {}, [("finance", "first", ["opened"])]),
        ("a page breaks the pause after a telling",
         [OPENED, told("care", "09:00"), spiking("grew", "10:00", severity="page")], "10:00", {},
         [("care", "first", ["grew"])]),
        ("nothing while snoozed",
         [OPENED, event("snoozed", "09:00", by="ann", until=at("15:00").isoformat())], "14:00", {}, []),
        ("late is not void", [OPENED, event("resolved", "23:00")], "23:30", {},
         [("care", "first", ["opened", "resolved"])]),
        ("what was dismissed before anybody heard of it is not told",
         [OPENED, event("dismissed", "09:10", by="ann")], "09:20", {}, []),
        # It is over.
        ("whoever was told hears that it is over",
         [OPENED, told("care", "09:00"), event("resolved", "23:00")], "23:00", {},
         [("care", "recovered", ["resolved"])]),
        ("once, too", [OPENED, told("care", "09:00"), event("resolved", "23:00"),
                       told("care", "23:01", event="resolved")], "23:30", {}, []),
        ("not of what ended days ago",
         [OPENED, told("care", "09:00"), event("resolved", at("23:00"))], at("23:30", days=2), {}, []),
        # Quiet hours.
        ("quiet hours hold it back", [spiking("opened", "23:00")], "23:00", QUIET, []),
        ("until they end", [spiking("opened", "23:00")], at("07:00", days=1), QUIET, [("care", "first", ["opened"])]),
        ("but no page", [spiking("opened", "23:00", severity="page")], "23:00", QUIET, [("care", "first", ["opened"])]),
        ("they hold back that it is over",
         [OPENED, told("care", "09:00"), event("resolved", "23:00")], "23:00", QUIET, []),
        # Digests.
        ("a digest gathers", [OPENED], "15:59", DIGEST, []),
        ("and comes at its time", [OPENED, spiking("opened", "10:00", alert="a2")], "16:05", DIGEST,
         [("care", "digest", ["opened", "opened"])]),
        ("with what happened before it only", [OPENED, spiking("opened", "16:02", alert="a2")], "16:05", DIGEST,
         [("care", "digest", ["opened"])]),
        ("also of what is over by then", [OPENED, event("resolved", "15:00")], "16:00", DIGEST,
         [("care", "digest", ["opened", "resolved"])]),
        ("no page waits for it", [spiking("opened", "09:00", severity="page")], "09:00", DIGEST,
         [("care", "first", ["opened"])]),
        ("nor comes it in quiet hours", [OPENED], at("06:30", days=1), {"digest_at": ["06:00"], **QUIET}, []),
        ("a second telling waits for one as well",
         [OPENED, told("care", at("16:00")), spiking("grew", "18:00")], at("04:30", days=1), DIGEST, []),
        # Escalation.
        ("nobody acknowledges, and the next is told", [OPENED, told("care", "09:00")], "09:30", NEXT,
         [("head", "escalation", ["opened"])]),
        ("not before his time", [OPENED, told("care", "09:00")], "09:29", NEXT, []),
        ("once", [OPENED, told("care", "09:00"), told("head", "09:30")], "11:00", NEXT, []),
        ("not if somebody did",
         [OPENED, told("care", "09:00"), event("acknowledged", "09:10", by="ann")], "09:30", NEXT, []),
        ("or put it off",
         [OPENED, told("care", "09:00"), event("snoozed", "09:10", by="ann", until=at("09:20").isoformat())],
         "09:30", NEXT, []),
        ("an acknowledgement does not outlive a new bout",
         [OPENED, told("care", "09:00"), event("acknowledged", "09:10", by="ann"),
          spiking("reopened", at("10:00", days=1)), told("care", at("10:00", days=1), event="reopened")],
         at("10:30", days=1), NEXT, [("head", "escalation", ["reopened"])]),
        ("a spike that comes and goes does not start the time anew",
         [OPENED, told("care", "09:00"), event("quieted", "09:10"), spiking("reopened", "09:20")], "09:30", NEXT,
         [("head", "escalation", ["reopened"])]),
        ("quiet hours hold back the next owner, too",
         [spiking("opened", "21:45"), told("care", "21:45")], "22:15", {**NEXT, **QUIET}, []),
        ("a page gives the time anew",
         [OPENED, told("care", "09:00"), spiking("grew", "12:00", severity="page")], "12:00", NEXT,
         [("care", "first", ["grew"])]),
        ("and is told to who heard of it before",
         [OPENED, told("care", "09:00"), told("head", "09:30"), spiking("grew", "12:00", severity="page"),
          told("care", "12:00", event="grew")], "12:30", NEXT, [("head", "escalation", ["grew"])]),
        # Owners who cannot be reached.
        ("what failed stays due", [OPENED, failed("care", "09:00")], "10:00", {}, [("care", "first", ["opened"])]),
        ("who cannot be reached is stood in for at once", [OPENED, failed("care", "09:00")], "09:00", NEXT,
         [("care", "first", ["opened"]), ("head", "fallback", ["opened"])]),
        ("by the default owner, if nobody else is named",
         [spiking("opened", "09:00", aspects=("billing",)), failed("finance", "09:00")], "09:00", {},
         [("finance", "first", ["opened"]), ("care", "fallback", ["opened"])]),
        ("once",
         [spiking("opened", "09:00", aspects=("billing",)), failed("finance", "09:00"),
          told("care", "09:01", dead=["finance"])],
         "10:00", {}, [("finance", "first", ["opened"])]),
        ("what may have arrived is not sent there again",
         [spiking("opened", "09:00", aspects=("billing",)), failed("finance", "09:00", may_have_arrived=True),
          told("care", "09:01", dead=["finance"])], "10:00", {}, []),
        ("but if nobody else has it", [OPENED, failed("care", "09:00", may_have_arrived=True)], "10:00", {},
         [("care", "first", ["opened"])]),
        ("that it is over is not sent there again, too",
         [OPENED, told("care", "09:00"), event("resolved", "21:00"), failed("care", "21:00", may_have_arrived=True)],
         "22:00", {}, []),
        ("one channel that failed is not all", [OPENED, failed("chat", "09:00", owner="care")], "09:10",
         {"channels": ["chat", "phone"]}, [("care", "first", ["opened"]), ("care", "fallback", ["undelivered"])]),
    ],
)  # fmt: skip
def test_who_is_due(case, past, now, route, expected):
    assert who(past, now, routes(route)) == expected, case


def test_the_first_route_that_fits_owner_and_severity_holds():
    alerts = routes(
        {"owner": "finance", "severity": "page", "channels": ["phone", "chat"]},
        {"owner": "finance", "channels": ["chat"]},
        {"severity": "page", "channels": ["pager"]},
        {"quiet_hours": "22:00-07:00"},
    )

    def channels(owner, severity):
        return route_of(owner, severity, alerts).channels

    assert channels("finance", "page") == ("phone", "chat")
    assert channels("finance", "tell") == ("chat",)
    assert channels("care", "page") == ("pager",)
    assert channels("care", "tell") == ("care",)
    assert route_of("care", "tell", alerts).quiet_hours


def test_one_who_cannot_be_reached_passes_on_to_the_end():
    chain = routes(
        {"owner": "care", "escalate_to": "head", "escalate_minutes": 30},
        {"owner": "head", "escalate_to": "chief", "escalate_minutes": 30},
        {"owner": "chief", "escalate_to": "care", "escalate_minutes": 30},
    )
    past = [OPENED, failed("care", "09:00")]
    assert [owner for owner, *_ in who(past, "09:00", chain)] == ["care", "head"]
    past.append(failed("head", "09:00"))
    assert [owner for owner, *_ in who(past, "09:00", chain)] == ["care", "head", "chief"]
    past.append(told("chief", "09:01"))
    assert [owner for owner, *_ in who(past, "09:02", chain)] == ["care", "head"], "the circle ends"


def test_a_brand_that_is_gone_is_told_of_to_nobody():
    past = [spiking("opened", "09:00", brand="Globex")]
    assert who(past, "09:00") == []
    assert [event["brand"] for event in unowned(past, (ACME,), at("09:00"))] == ["Globex"]
    assert unowned([*past, event("resolved", "21:00")], (ACME,), at("22:00", days=3)) == []


def test_a_new_owner_hears_of_what_stands_and_not_of_last_year():
    past = [spiking("opened", at("09:00", days=-300)), told("old", at("09:00", days=-300)),
            event("resolved", at("21:00", days=-300)), spiking("opened", "09:00", alert="a2"),
            told("old", "09:00", alert="a2")]  # fmt: skip
    [delivery] = due(past, routes(), (ACME,), at("09:30"))
    assert (delivery.owner, [event["alert_id"] for event in delivery.events]) == ("care", ["a2"])


@settings(max_examples=50, deadline=None)
@given(
    opened=st.integers(0, 23),
    severity=st.sampled_from(["tell", "page"]),
    quiet=st.tuples(st.integers(0, 23), st.integers(0, 23)).filter(lambda hours: hours[0] != hours[1]),
    digests=st.lists(st.integers(0, 23), max_size=2),
    zone=st.sampled_from(["UTC", "Europe/Berlin", "Asia/Kolkata", "America/St_Johns", "Pacific/Auckland"]),
)
def test_whatever_the_hours_an_alert_is_told_once_within_two_days_and_a_page_at_once(
    opened, severity, quiet, digests, zone
):
    table = {"quiet_hours": f"{quiet[0]:02}:00-{quiet[1]:02}:00", "time_zone": zone}
    alerts = routes({**table, "digest_at": [f"{hour:02}:00" for hour in digests]})
    moment = at("00:00") + timedelta(hours=opened)
    [(told_at, delivery)] = at_all_times([spiking("opened", moment, severity=severity)], alerts)
    assert delivery.owner == "care"
    if severity == "page":
        assert told_at == moment
    else:
        assert not is_quiet(alerts.route[0], told_at)
        assert told_at - moment <= timedelta(days=2)
