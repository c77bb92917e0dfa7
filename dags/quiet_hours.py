"""When a route is quiet, and when its digest is due, by the clocks of its time zone. Pure.

A clock that is put forward skips times of day and one that is put back repeats some (PEP 495). A digest at a time that
is skipped comes as much later as the clock was put forward; at one that is repeated, it comes the first time. Quiet
hours are what the clock on the wall shows.
"""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from dags.settings import AlertRoute


def is_quiet(route: AlertRoute, now: datetime) -> bool:
    """Return whether the route's quiet hours last; they begin with their first minute and end before their last."""
    if route.quiet_hours is None:
        return False
    first, last = route.quiet_hours
    clock = now.astimezone(ZoneInfo(route.time_zone)).time()
    return first <= clock < last if first < last else clock >= first or clock < last


def last_digest(route: AlertRoute, now: datetime) -> datetime | None:
    """Return the newest time, no later than now, at which the route's digest was due (UTC); None if it has none."""
    zone = ZoneInfo(route.time_zone)
    today = now.astimezone(zone).date()
    due = (
        datetime.combine(today - timedelta(days=back), at, zone).astimezone(UTC)
        for back in (0, 1, 2)  # a zone may have left a day out
        for at in route.digest_at
    )
    return max((at for at in due if at <= now), default=None)
