"""Quiet hours and digests go by the clocks of a time zone, across midnight and when clocks are put forward and back."""

import itertools
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dags.quiet_hours import is_quiet, last_digest
from dags.settings import AlertRoute

ZONES = sorted(available_timezones() - {"localtime"})
MOMENTS = st.datetimes(datetime(2000, 1, 1), datetime(2037, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001
CLOCKS = st.times().map(lambda at: f"{at:%H:%M}")


def route(**keys):
    return AlertRoute.model_validate(keys)


def utc(text):
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("hours", "zone", "now", "quiet"),
    [
        ("22:00-07:00", "UTC", "2026-11-20 21:59", False),
        ("22:00-07:00", "UTC", "2026-11-20 22:00", True),
        ("22:00-07:00", "UTC", "2026-11-21 06:59", True),
        ("22:00-07:00", "UTC", "2026-11-21 07:00", False),
        ("12:00-13:00", "UTC", "2026-11-20 12:30", True),
        ("12:00-13:00", "UTC", "2026-11-20 23:30", False),
        ("18:00-24:00", "UTC", "2026-11-20 23:59", True),
        ("18:00-24:00", "UTC", "2026-11-21 00:00", False),
        ("22:00-07:00", "Europe/Berlin", "2026-11-20 21:30", True),  # 22:30 in winter
        ("22:00-07:00", "Europe/Berlin", "2026-07-20 20:30", True),  # 22:30 in summer
        ("22:00-07:00", "Europe/Berlin", "2026-07-20 05:30", False),
        ("22:00-07:00", "Asia/Kathmandu", "2026-11-20 16:14", False),  # 21:59, five hours and three quarters ahead
        ("22:00-07:00", "Asia/Kathmandu", "2026-11-20 16:15", True),
        # Clocks went forward at 01:00 UTC, from 02:00 to 03:00, and back at 01:00 UTC, from 03:00 to 02:00.
        ("02:00-03:00", "Europe/Berlin", "2026-03-29 00:59", False),
        ("02:00-03:00", "Europe/Berlin", "2026-03-29 01:00", False),
        ("02:00-03:00", "Europe/Berlin", "2026-10-25 00:30", True),
        ("02:00-03:00", "Europe/Berlin", "2026-10-25 01:30", True),
        ("02:00-03:00", "Europe/Berlin", "2026-10-25 02:00", False),
    ],
)
def test_quiet_is_what_the_clock_on_the_wall_says(hours, zone, now, quiet):
    assert is_quiet(route(quiet_hours=hours, time_zone=zone), utc(now)) is quiet


def test_without_quiet_hours_it_is_never_quiet():
    assert not is_quiet(route(), utc("2026-11-20 03:00"))


@settings(deadline=None)
@given(first=CLOCKS, last=CLOCKS, now=MOMENTS, zone=st.sampled_from(ZONES))
def test_at_any_time_it_is_quiet_in_some_hours_or_in_those_between_them(first, last, now, zone):
    if first != last:
        hours = route(quiet_hours=f"{first}-{last}", time_zone=zone)
        others = route(quiet_hours=f"{last}-{first}", time_zone=zone)
        assert is_quiet(hours, now) is not is_quiet(others, now)


@pytest.mark.parametrize(
    ("times", "zone", "now", "last"),
    [
        (["08:00"], "UTC", "2026-11-20 07:59", "2026-11-19 08:00"),
        (["08:00"], "UTC", "2026-11-20 08:00", "2026-11-20 08:00"),
        (["08:00", "16:00"], "UTC", "2026-11-20 17:00", "2026-11-20 16:00"),
        (["16:00", "08:00"], "UTC", "2026-11-20 07:00", "2026-11-19 16:00"),
        (["08:00"], "America/New_York", "2026-11-20 12:59", "2026-11-19 13:00"),
        (["08:00"], "America/New_York", "2026-07-20 12:00", "2026-07-20 12:00"),
        (["02:30"], "Europe/Berlin", "2026-03-29 02:00", "2026-03-29 01:30"),  # there was no 02:30: it came at 03:30
        (["02:30"], "Europe/Berlin", "2026-10-25 01:45", "2026-10-25 00:30"),  # there were two: it was the first
        (["12:00"], "Pacific/Apia", "2011-12-30 12:00", "2011-12-29 22:00"),  # its 30 December 2011 was left out
    ],
)
def test_the_last_digest_was_at_the_newest_of_its_times(times, zone, now, last):
    assert last_digest(route(digest_at=times, time_zone=zone), utc(now)) == utc(last)


def test_without_times_there_is_no_digest():
    assert last_digest(route(), utc("2026-11-20 08:00")) is None


@settings(deadline=None)
@given(clock=CLOCKS, day=st.dates(date(2000, 1, 3), date(2036, 12, 1)), zone=st.sampled_from(ZONES))
def test_a_digest_comes_once_a_day_whatever_the_clocks_do(clock, day, zone):
    digest = route(digest_at=[clock], time_zone=zone)
    noon = datetime.combine(day, time(12), ZoneInfo(zone)).astimezone(UTC)
    met = sorted({last_digest(digest, noon + timedelta(minutes=30 * step)) or noon for step in range(5 * 48)})
    assert met[0] <= noon
    hours = [(after - before) / timedelta(hours=1) for before, after in itertools.pairwise(met)]
    assert len(hours) in {4, 5}, "in five days, of which a zone may leave one out"
    assert all(20 <= between <= 28 or between > 44 for between in hours)
