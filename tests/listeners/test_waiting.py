"""What servers say about waiting, in all their dialects."""

import random
from datetime import timedelta
from email.utils import format_datetime

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from listening import NOW

from listeners.waiting import DAY, exhausted, hint, pause, seconds_of_reset, seconds_of_retry_after


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("120", 120),
        (" 7 ", 7),
        ("0", 0),
        ("0.493", 1),
        ("99999999999", DAY),
        (format_datetime(NOW + timedelta(seconds=90), usegmt=True), 90),
        ("Fri, 20 Nov 2026 12:01:00 -0000", 60),
        ("Fri, 20 Nov 2020 12:01:00 GMT", 0),
        ("-5", None),
        ("soon", None),
        ("", None),
        ("nan", None),
        ("1e9", None),
        ("Fri, 99 Nov 2026 12:00:00 GMT", None),
    ],
)
def test_retry_after_is_read_as_seconds_or_as_a_date(value, seconds):
    assert seconds_of_retry_after(value, NOW) == seconds


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("30", 30),
        ("30.5", 31),
        (str(int(NOW.timestamp()) + 45), 45),
        (str(int(NOW.timestamp()) - 45), 0),
        ("2026-11-20T12:05:00.239630Z", 301),
        ("2026-11-20T11:00:00Z", 0),
        ("2026-11-20T12:00:10", 10),
        ("tomorrow", None),
    ],
)
def test_a_reset_is_seconds_left_epoch_seconds_or_an_iso_time(value, seconds):
    assert seconds_of_reset(value, NOW) == seconds


@given(st.text() | st.from_regex(r"\d+(\.\d+)?") | st.datetimes().map(lambda moment: format_datetime(moment)))
@example("9" * 400)
@example("Mon, 01 Jan 0001 00:00:00 +1400")
def test_no_header_makes_us_wait_more_than_a_day_or_less_than_nothing(value):
    for seconds in (seconds_of_retry_after(value, NOW), seconds_of_reset(value, NOW)):
        assert seconds is None or 0 <= seconds <= DAY


def test_the_longest_hint_counts():
    assert hint(429, {"retry-after": "5", "x-ratelimit-reset": "40"}, NOW) == 40


def test_a_reset_counts_only_where_the_limit_is_reached():
    assert hint(200, {"x-ratelimit-remaining": "12", "x-ratelimit-reset": "40"}, NOW) is None
    assert hint(200, {"x-ratelimit-remaining": "0", "x-ratelimit-reset": "40"}, NOW) == 40
    assert exhausted({"x-ratelimit-remaining": "0.0"})
    assert not exhausted({"x-ratelimit-remaining": "many"})


@given(st.integers(1, 50), st.none() | st.floats(0, DAY), st.randoms(use_true_random=False))
def test_a_pause_is_never_shorter_than_asked_and_never_endless(attempt, asked, rng: random.Random):
    seconds = pause(attempt, asked, rng)
    assert (asked or 0) <= seconds <= (asked or 0) + 20
    assert seconds > 0 or asked == 0
