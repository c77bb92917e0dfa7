"""Feeds as text: which charset wins (feedparser#81)."""

import codecs

import pytest
from hypothesis import given
from hypothesis import strategies as st

from listeners.feed_text import declares_entities, decode


@pytest.mark.parametrize(
    ("body", "content_type", "won"),
    [
        ("<a>Größe</a>".encode(), "text/xml", "utf-8"),
        ("<a>Größe</a>".encode(), "text/xml; charset=ISO-8859-1", "utf-8"),
        ("<a>Größe</a>".encode("cp1252"), "text/xml; charset=ISO-8859-1", "cp1252"),
        ("<a>Größe</a>".encode("cp1252"), "text/xml", "cp1252"),
        ("<a>Größe</a>".encode("cp1252"), "text/xml; charset=utf-8", "cp1252"),
        (codecs.BOM_UTF8 + "<a>Größe</a>".encode(), "text/xml; charset=us-ascii", "utf-8"),
        (codecs.BOM_UTF16_LE + "<a>Größe</a>".encode("utf-16-le"), "text/xml; charset=utf-8", "utf-16-le"),
        ("<a>Größe</a>".encode("utf-16-be"), "text/xml", "utf-16-be"),
        ("<a>Größe</a>".encode(), "text/xml; charset=no-such-thing", "utf-8"),
        ("<a>Größe</a>".encode(), "text/xml; charset=punycode", "utf-8"),
    ],
)
def test_the_bytes_decide_before_what_is_declared(body, content_type, won):
    assert decode(body, content_type) == ("<a>Größe</a>", won)


@pytest.mark.parametrize("charset", ["koi8-r", "windows-1251", "iso-8859-5"])
def test_a_prolog_is_believed_where_the_bytes_are_not_utf_8(charset):
    body = f"<?xml version='1.0' encoding='{charset}'?><rss>Привет, Ёж</rss>".encode(charset)
    assert "Привет, Ёж" in decode(body, "text/xml")[0]


@pytest.mark.parametrize("charset", ["shift_jis", "gb2312", "euc-kr", "iso-2022-jp", "big5"])
def test_charsets_of_several_bytes_a_letter_are_believed_when_declared(charset):
    body = f"<?xml version='1.0' encoding='{charset}'?><rss>一二三</rss>".encode(charset)
    assert "一二三" in decode(body, "application/xml")[0]


def test_one_bad_byte_among_many_good_ones_spoils_one_letter():
    body = ("Größe " * 50).encode() + b"\xff" + "Straße".encode()
    assert decode(body, "text/xml")[0] == "Größe " * 50 + "�" + "Straße"


def test_controls_and_leading_blanks_are_stripped():
    assert decode(b" \n\x00<rss>a\x07b\x1b\x00</rss>", "")[0] == "<rss>ab</rss>"


@given(st.binary(max_size=300), st.text(max_size=60))
def test_any_bytes_are_text(body, content_type):
    decode(body, content_type)[0].encode("utf-8", "surrogatepass")


def test_a_doctype_that_declares_entities_is_told_from_a_harmless_one():
    bomb = '<?xml version="1.0"?><!DOCTYPE lolz [ <!ENTITY lol "lol"> ]><rss/>'
    old = '<!DOCTYPE rss PUBLIC "-//Netscape Communications//DTD RSS 0.91//EN" "http://my.netscape.com/rss-0.91.dtd"><rss/>'
    assert declares_entities(bomb)
    assert declares_entities("<!doctype x SYSTEM 'a' [<!entity % p SYSTEM 'file:///etc/passwd'>]>")
    assert not declares_entities(old)
    assert not declares_entities("<rss>&lt;!ENTITY&gt; and <![CDATA[<!DOCTYPE x]]></rss>")


def test_references_to_no_character_cost_no_more_than_themselves():
    text, _ = decode(b"<a>&#0; &#xD800; &#x110000; &#55296 &#99999999999999999999; &#65; &#x0041; &amp;#0;</a>", "")
    assert text == "<a>\ufffd \ufffd \ufffd \ufffd \ufffd &#65; &#x0041; &amp;#0;</a>"
