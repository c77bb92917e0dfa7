"""Authors get pseudonyms."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from listeners.pseudonym import pseudonym


def test_an_account_has_one_pseudonym_per_key_and_source():
    of = pseudonym(b"key", "hackernews")
    assert of("ann") == pseudonym(b"key", "hackernews")("ann")
    others = {of("Ann"), of("ann "), pseudonym(b"key", "rss")("ann"), pseudonym(b"other", "hackernews")("ann")}
    assert len(others | {of("ann")}) == 5


@given(st.text())
def test_a_pseudonym_is_32_hex_digits_whatever_the_account(account):
    assert re.fullmatch("[0-9a-f]{32}", pseudonym(b"key", "rss")(account))


def test_an_empty_key_is_refused():
    with pytest.raises(ValueError, match="empty"):
        pseudonym(b"", "rss")
