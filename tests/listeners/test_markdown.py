"""Markdown becomes what a reader sees."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from listeners.markdown import from_markdown


@pytest.mark.parametrize(
    ("source", "seen"),
    [
        ("**Acme** is _slow_ & `down`", "Acme is slow & down"),
        ("see [the page](https://acme.example/status)", "see the page (https://acme.example/status)"),
        ("see https://acme.example/a_b_c", "see https://acme.example/a_b_c"),
        ("# Acme\n\n- one\n- two", "Acme\none\ntwo"),
        ("::: spoiler The bill\nforty\n:::", "The bill\nforty"),
        ("a <b>tag</b> &amp; more", "a <b>tag</b> & more"),
        ("![a cat](https://pictures.example/1.png)", ""),
        ("5 \\* 5 * 5", "5 * 5 * 5"),
    ],
)
def test_what_a_reader_sees_is_kept(source, seen):
    assert from_markdown(source) == seen


@given(st.text(alphabet="ab*_`[]()<>!#\\:-\n \ud800\x00&;~|", max_size=300))
def test_any_text_is_read(source):
    assert isinstance(from_markdown(source), str)


@pytest.mark.parametrize("piece", ["[", "*a", "`", "[a](", "> ", "- ", "![[", "<a", "_a", "a\n", "::: "])
def test_texts_made_to_hang_do_not(piece):
    before = time.monotonic()
    from_markdown(piece * 300_000)
    assert time.monotonic() - before < 2
