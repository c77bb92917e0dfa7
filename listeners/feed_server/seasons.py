"""When people post: by hour of day and by weekday."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from random import Random

# Weights of the hours 0..23, UTC: a small peak over lunch, the large one in the evening, hardly anything at night.
PEOPLE_HOURS = (3, 2, 1, 1, 1, 2, 4, 7, 9, 9, 9, 9, 11, 10, 8, 8, 9, 11, 13, 15, 15, 13, 9, 5)
NEWSROOM_HOURS = (0, 0, 0, 0, 0, 2, 7, 9, 8, 8, 8, 7, 6, 6, 6, 6, 5, 4, 2, 1, 0, 0, 0, 0)
# Monday..Sunday: most is said at the start of the week.
PEOPLE_WEEKDAYS = (12, 11, 10, 10, 9, 7, 7)
NEWSROOM_WEEKDAYS = (10, 10, 10, 10, 9, 3, 1)


def moments(
    random: Random,
    count: int,
    start: datetime,
    until: datetime,
    hours: Sequence[float] = PEOPLE_HOURS,
    weekdays: Sequence[float] = PEOPLE_WEEKDAYS,
) -> list[datetime]:
    """Return `count` moments from start up to until, spread by the weights, in no order; none if the span is empty."""
    seconds = int((until - start).total_seconds())
    if seconds <= 0 or count <= 0:
        return []
    whole_hours = [start + timedelta(hours=n) for n in range(seconds // 3600 + 1)]
    weights = [hours[hour.hour] * weekdays[hour.weekday()] + 0.001 for hour in whole_hours]
    drawn = random.choices(whole_hours, weights, k=count)
    within = [hour + timedelta(seconds=random.randrange(3600)) for hour in drawn]
    return [min(moment, until) for moment in within]


def growing(random: Random, count: int, start: datetime, until: datetime) -> list[datetime]:
    """Return `count` moments, the first at the start, that come faster and faster, as when outrage spreads."""
    span = (until - start).total_seconds()
    return [start] * (count > 0) + [
        start + timedelta(seconds=int(span * random.random() ** 0.5)) for _ in range(count - 1)
    ]


def fading(random: Random, count: int, start: datetime, until: datetime) -> list[datetime]:
    """Return `count` moments that begin all at once and fade away, as when news breaks."""
    span = (until - start).total_seconds()
    return [start + timedelta(seconds=int(span * random.random() ** 2.2)) for _ in range(count)]
