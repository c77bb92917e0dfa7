"""JSON with numbers that no program should send."""

import math

import pytest

from listeners import json_text


def test_a_number_too_long_to_read_costs_no_more_than_itself():
    assert json_text.parse(f"[1, {'9' * 5_000}, -{'9' * 5_000}, 2.5, {10**30}]") == [
        1,
        math.inf,
        -math.inf,
        2.5,
        10**30,
    ]


@pytest.mark.parametrize("text", ["", "{", "[1,]", f"[{'9' * 5_000}"])
def test_what_is_no_json_is_still_none(text):
    with pytest.raises(ValueError, match="line 1"):
        json_text.parse(text)
