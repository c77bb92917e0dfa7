"""Feeds as text: which charset wins (feedparser#81)."""

import codecs
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from listeners.feed_text import MAX_EXPANDED, decode, without_doctype


@pytest.mark.parametrize(
    ("body", "content_type", "won"),
    [
        ("<a>Größe</a>".encode(), "text/xml", None),
        ("<a>Größe</a>".encode(), "text/xml; charset=ISO-8859-1", "utf-8 by its bytes"),
        ("<a>Größe</a>".encode("cp1252"), "text/xml; charset=ISO-8859-1", "cp1252 by HTTP"),
        ("<a>Größe</a>".encode("cp1252"), "text/xml", "cp1252 for want of a better one"),
        ("<a>Größe</a>".encode("cp1252"), "text/xml; charset=utf-8", "cp1252 for want of a better one"),
        (codecs.BOM_UTF8 + "<a>Größe</a>".encode(), "text/xml; charset=us-ascii", None),
        (codecs.BOM_UTF16_LE + "<a>Größe</a>".encode("utf-16-le"), "text/xml; charset=utf-8", "utf-16-le by its mark"),
        ("<a>Größe</a>".encode("utf-16-be"), "text/xml", "utf-16-be by its first bytes"),
        ("<a>Größe</a>".encode(), "text/xml; charset=no-such-thing", None),
        ("<a>Größe</a>".encode(), "text/xml; charset=punycode", None),
    ],
)
def test_the_bytes_decide_before_what_is_declared(body, content_type, won):
    text, notes = decode(body, content_type)
    assert text == "<a>Größe</a>"
    assert [note for note in notes if note.startswith("charset")] == ([f"charset {won}"] if won else [])


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
    text, notes = decode(b" \n\x00<rss>a\x07b\x1b\x00</rss>", "")
    assert text == "<rss>ab</rss>"
    assert notes == {"marks and blanks stripped": 2, "control characters stripped": 4}


@given(st.binary(max_size=300), st.text(max_size=60))
def test_any_bytes_are_text(body, content_type):
    decode(body, content_type)[0].encode("utf-8", "surrogatepass")


@pytest.mark.parametrize(
    ("text", "without"),
    [
        ("<rss/>", "<rss/>"),
        ("<rss><![CDATA[<!DOCTYPE x>]]></rss>", "<rss><![CDATA[<!DOCTYPE x>]]></rss>"),
        ('<!DOCTYPE rss PUBLIC "-//N//DTD RSS 0.91//EN" "http://n.example/rss-0.91.dtd"><rss/>', "<rss/>"),
        ('<?xml version="1.0"?><!-- <a> -->\n<!doctype rss><rss/>', '<?xml version="1.0"?><!-- <a> -->\n<rss/>'),
        ('<!DOCTYPE r [<!ENTITY brand "Acme"><!ENTITY e \'&#233;\'>]><r>&brand; &e;</r>', "<r>Acme &#233;</r>"),
        ("<!DOCTYPE r [<!-- don't ]> --><!ENTITY a \"x]>y\">\n ] ><r>&a;</r>", "<r>x]>y</r>"),
        ('<!DOCTYPE r [<!ENTITY a "b"><!ENTITY bomb "&a;&a;">]><r>&bomb;</r>', "<r>&bomb;</r>"),
        ("<!DOCTYPE r [<!ENTITY % p SYSTEM 'file:///etc/passwd'> %p;]><r>&p;</r>", "<r>&p;</r>"),
        ("<!DOCTYPE r [<!ENTITY f SYSTEM 'file:///etc/passwd'>]><r>&f;</r>", "<r>&f;</r>"),
    ],
)  # fmt: skip
def test_a_document_type_goes_and_of_its_names_only_short_plain_ones_are_read(text, without):
    assert without_doctype(text) == without


def test_a_document_type_without_an_end_is_refused():
    with pytest.raises(ValueError, match="no end"):
        without_doctype("<!DOCTYPE r [ <!ENTITY <rss/>")


@pytest.mark.parametrize("start", ["<!--", '"', "[", "<", "<!ENTITY a ", "'\""])
def test_a_hostile_document_type_takes_no_time(start):
    before = time.process_time()
    with pytest.raises(ValueError, match="no end"):
        without_doctype("<!DOCTYPE r [" + start * (1_000_001 // len(start)))
    assert time.process_time() - before < 2


def test_names_of_a_document_type_cannot_blow_it_up():
    text = f'<!DOCTYPE r [<!ENTITY a "{"x" * 200}">]><r>{"&a;" * 100_000}</r>'
    assert len(without_doctype(text)) < len(text) + 2 * MAX_EXPANDED


WORDS = {
    "ja": "お客様の声を大切にします。ルーターが壊れて、サポートに三回電話しました。",
    "ko": "고객센터에 세 번 전화했지만 아무도 도와주지 않았습니다.",
    "zh": "我们的客户服务非常糟糕，我已经等了三个星期了，没有人回答。",
    "tw": "我們的客戶服務非常糟糕，我已經等了三個星期了，沒有人回答。",
    "th": "บริการลูกค้าแย่มาก ฉันรอมาสามสัปดาห์แล้ว",
    "ru": "Обслуживание клиентов ужасное, жду уже три недели, никто не отвечает.",
    "el": "Η εξυπηρέτηση πελατών είναι απαίσια, περιμένω τρεις εβδομάδες",
    "he": "שירות הלקוחות נורא, אני מחכה כבר שלושה שבועות",
    "de": "Größe, schöne Grüße aus Köln, Äpfel über Öl – ärgerlich",
    "fr": "L’élève gêné à l’été: façade, cœur, où ça?",
}


@pytest.mark.parametrize(
    ("language", "charset"),
    [
        ("ja", "euc_jp"), ("ja", "shift_jis"), ("ko", "euc_kr"), ("zh", "gb2312"), ("tw", "big5"), ("th", "tis-620"),
        ("ru", "cp1251"), ("ru", "koi8-r"), ("ru", "iso8859-5"), ("el", "iso8859-7"), ("he", "cp1255"),
        ("de", "cp1252"), ("fr", "cp1252"),
    ],
)  # fmt: skip
def test_a_charset_that_nobody_declares_is_told_by_its_letters(language, charset):
    text = f"<rss><title>{WORDS[language]}</title></rss>"
    assert decode(text.encode(charset, "replace"), "text/xml")[0] == text.encode(charset, "replace").decode(charset)


def test_ebcdic_is_read_as_its_prolog_says():
    text = '<?xml version="1.0" encoding="cp500"?><rss>[Acme!]</rss>'
    assert decode(text.encode("cp500"), "") == (text, {"charset cp500 by its first bytes": 1})


def test_references_to_no_character_cost_no_more_than_themselves():
    text, _ = decode(b"<a>&#0; &#xD800; &#x110000; &#55296 &#99999999999999999999; &#65; &#x0041; &amp;#0;</a>", "")
    assert text == "<a>\ufffd \ufffd \ufffd \ufffd \ufffd &#65; &#x0041; &amp;#0;</a>"
