"""Bodies are decoded within bounds."""

import gzip
import time
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from listeners.body import Body, TooLarge, Truncated, feeds_named, gunzipped, html_title, looks_like_html


def decoded(encoding: str, data: bytes, step: int = 1000, at_most: int = 10_000_000, ratio: float = 200) -> bytes:
    body = Body(encoding, at_most=at_most, ratio=ratio)
    for start in range(0, len(data), step):
        body.feed(data[start : start + step])
    return body.end()


@given(st.binary(max_size=5000), st.integers(1, 700))
def test_what_was_packed_comes_out_however_it_is_cut(data, step):
    assert decoded("gzip", gzip.compress(data), step) == data
    assert decoded("deflate", zlib.compress(data), step) == data
    assert decoded("", data, step) == data


def test_deflate_without_its_header_and_several_gzip_members_are_read():
    packer = zlib.compressobj(wbits=-15)
    assert decoded("deflate", packer.compress(b"raw" * 500) + packer.flush()) == b"raw" * 500
    assert decoded("gzip", gzip.compress(b"one ") + gzip.compress(b"two") + b"\0\0") == b"one two"


@given(st.binary(min_size=1, max_size=3000), st.data())
def test_a_packed_body_that_ends_early_is_never_taken_for_whole(data, draw):
    packed = gzip.compress(data)
    with pytest.raises(Truncated):
        decoded("gzip", packed[: draw.draw(st.integers(1, len(packed) - 1))])


def test_a_decompression_bomb_is_refused_long_before_it_is_unpacked():
    bomb = gzip.compress(b"\0" * 100_000_000)  # 100 kB
    with pytest.raises(TooLarge, match="200 times"):
        decoded("gzip", bomb)
    with pytest.raises(TooLarge, match="10,000,000"):
        decoded("gzip", bomb, ratio=10_000)
    body = Body("gzip", at_most=10_000_000, ratio=200)
    with pytest.raises(TooLarge):
        body.feed(bomb)
    assert body.size < 30_000_000


def test_a_plain_body_has_a_size_limit_too():
    with pytest.raises(TooLarge):
        decoded("", b"x" * 1001, at_most=1000)


@pytest.mark.parametrize("encoding", ["br", "gzip, gzip", "zstd", "x" * 1000])
def test_an_encoding_we_did_not_ask_for_is_refused(encoding):
    with pytest.raises(TooLarge, match="did not ask"):
        Body(encoding, at_most=10, ratio=10)


def test_a_gzip_file_is_unpacked_and_anything_else_left_alone():
    assert gunzipped(gzip.compress(b"<rss/>"), at_most=100, ratio=10) == b"<rss/>"
    assert gunzipped(zlib.compress(b"<rss/>"), at_most=100, ratio=10) == b"<rss/>"
    assert gunzipped(b"<rss/>", at_most=100, ratio=10) == b"<rss/>"


@pytest.mark.parametrize(
    "page",
    [
        b"<!DOCTYPE html><html>",
        b"\xef\xbb\xbf \n<!doctype HTML PUBLIC '-//W3C//DTD'>",
        b"<html lang=en>",
        b'<?xml version="1.0"?><!-- hello --><html xmlns="http://www.w3.org/1999/xhtml">',
        b"<head><title>x</title>",
    ],
)
def test_a_web_page_is_known_by_its_start(page):
    assert looks_like_html(page)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"{}",
        b"<rss/>",
        b"<?xml version='1.0'?><feed>",
        b"<!-- <html> --><rss>",
        b"<htmlish/>",
        b"see <html>",
        b"<!DOCTYPE html PUBLIC 'x'>\n<!-- a feed --><rss version='2.0'>",
    ],
)
def test_data_is_no_web_page(data):
    assert not looks_like_html(data)


def test_a_page_is_told_by_its_title():
    assert html_title(b"<html><title>\n Just a  moment...</title>") == "Just a moment..."
    assert html_title(b"<html>") == ""


def test_a_page_names_its_feeds():
    page = b"""<html><head><link rel="stylesheet" href="x.css"><link rel=alternate type=text/html href=/de>
    <LINK REL='alternate' TYPE='application/rss+xml' HREF='/rss?a=1&amp;b=2'>
    <link href="https://b.example/atom" rel="home alternate" type="application/atom+xml"/>
    <link rel="alternate" type="application/feed+json" href="feed.json">
    <link rel="alternate" type="application/rss+xml">"""
    assert feeds_named(page, "https://a.example/blog/") == [
        "https://a.example/rss?a=1&b=2",
        "https://b.example/atom",
        "https://a.example/blog/feed.json",
    ]


def test_a_page_of_open_titles_takes_no_time():
    before = time.process_time()
    assert html_title(b"<html>" + b"<title" * 33_000) == ""
    assert time.process_time() - before < 0.5
