"""Text as a reader sees it."""

import time
import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from listeners.plain_text import clean, from_html, one_line


@pytest.mark.parametrize(
    ("html", "text"),
    [
        ("Tom &amp; J&eacute;r&ocirc;me &#x27;95 &lt;3", "Tom & Jérôme '95 <3"),
        ("one<br>two<br/>three", "one\ntwo\nthree"),
        ("<p>one</p><p>two</p>", "one\ntwo"),
        ("<div><div><p>one</p></div></div>\n\n<div>two</div>", "one\ntwo"),
        ("no markup\nbut  lines", "no markup\nbut lines"),
        ("a <b>bold</b>\n<i>word</i>", "a bold word"),
        ("<ul><li>one<li>two</ul>after", "one\ntwo\nafter"),
        ("<table><tr><td>a<td>b<tr><td>c</table>", "a b\nc"),
        ("<pre>two\n  lines</pre>", "two\nlines"),
        ("a<script>alert(1)</script><style>p{}</style><!-- no --><template>x</template>b", "ab"),
        ("<p hidden>secret</p><p style='display: none'>too</p>seen", "seen"),
        ("I &lt;b&gt; you", "I <b> you"),
        ("a < b and c > d", "a < b and c > d"),
        ('nice <img class="emoji" alt="🎉" src="x"> <img alt="a cat" src="y">', "nice 🎉"),
        ("", ""),
        ("<p></p><br>", ""),
    ],
)
def test_markup_becomes_what_it_looks_like(html, text):
    assert from_html(html) == text


@pytest.mark.parametrize(
    ("html", "text"),
    [
        ('read <a href="https://acme.com/faq">the FAQ</a>.', "read the FAQ (https://acme.com/faq)."),
        ('<a href="https://acme.com/">acme.com</a>', "https://acme.com/"),
        ('<a href="https://www.acme.com">https://acme.com/</a>', "https://www.acme.com"),
        ('<a href="https://acme.com/a/long/one">acme.com/a/lo…</a>', "https://acme.com/a/long/one"),
        ('<a href="https://acme.com/a/long/one">https:&#x2F;&#x2F;acme.com&#x2F;a&#x2F;...</a>', "https://acme.com/a/long/one"),
        ('<a href="/faq">the FAQ</a>, <a>none</a>, <a href="javascript:x">trap</a>', "the FAQ, none, trap"),
        ('<a href="mailto:a@acme.com">write</a>', "write"),
        ('<a href="https://acme.com"><img src="x"></a>', ""),
        ('<a href="https://a.example/x">one</a><a href="https://b.example/">two</a>',
         "one (https://a.example/x) two (https://b.example/)"),
        ('<a href="https://a.example/i/12">#12</a>', "#12 (https://a.example/i/12)"),
    ],
)  # fmt: skip
def test_links_are_kept(html, text):
    assert from_html(html) == text


@pytest.mark.parametrize(
    ("href", "text"),
    [
        ("/faq", "FAQ (https://a.example/faq)"),
        ("faq?x=1", "FAQ (https://a.example/news/faq?x=1)"),
        ("//b.example/faq", "FAQ (https://b.example/faq)"),
        ("http://b.example/", "FAQ (http://b.example/)"),
        ("#faq", "FAQ"),
        ("", "FAQ"),
        ("mailto:a@b.example", "FAQ"),
        ("//[x", "FAQ"),
    ],
)
def test_relative_links_lead_where_their_base_says(href, text):
    assert from_html(f'<a href="{href}">FAQ</a>', "https://a.example/news/feed.xml") == text


def test_mastodon_links_mentions_and_hashtags_read_as_on_mastodon():
    html = (
        '<p><span class="h-card"><a href="https://m.example/@acme" class="u-url mention">@<span>acme</span></a></span> '
        '<a href="https://m.example/tags/fail" class="mention hashtag" rel="tag">#<span>fail</span></a> '
        '<a href="https://www.acme.com/help/router?x=1&amp;y=2"><span class="invisible">https://www.</span>'
        '<span class="ellipsis">acme.com/help/</span><span class="invisible">router?x=1&amp;y=2</span></a></p>'
    )
    assert from_html(html) == "@acme #fail https://www.acme.com/help/router?x=1&y=2"


@given(
    st.text()
    | st.text(alphabet="<>/ab&;#x0p\"'= \n\ud800\x00\x1d\x1e")
    | st.binary().map(lambda b: b.decode("latin-1"))
)
@example("<plaintext><b>")
@example("<frameset>")
@example("&#xD800;&#0;&#x110000;")
@example("\ud83d\ude00 \ud83d")
def test_whatever_comes_out_can_be_stored(source):
    for text in (from_html(source), clean(source), one_line(source)):
        text.encode("utf-8")
        assert not any(unicodedata.category(letter) in ("Cc", "Cs") for letter in text.replace("\n", ""))
        assert text == text.strip()
        assert clean(text) == text
    assert "\n" not in one_line(source)


def test_text_is_tidied_and_composed():
    assert clean("cafe\u0301 \u00a0\t x\r\n\r\n\r\n\r\ny \u200b\ufeff") == "café x\n\ny"
    assert clean("so\u00adft\x00 \x07bell") == "soft bell"
    assert clean("\ud83d\ude00 \ud800") == "😀 �"
    assert clean("👩\u200d🔧") == "👩\u200d🔧"


@pytest.mark.parametrize(
    "hostile",
    [
        "<div>" * 200_000,
        "<b>" * 100_000,
        "<a href=http://x.example>" * 40_000,
        "<table><tr><td>" * 50_000,
        "<li><ul>" * 50_000,
        "<!--" * 200_000,
        "<" * 500_000,
        "&" * 500_000,
        "\n " * 400_000,
        "e" + "\u0301\u0316" * 300_000,
        "<" + "a" * 500_000,
        "<a href=http://x.example>@" + "a" * 500_000 + "!</a>",
    ],
    ids=["div", "b", "a", "table", "li", "comments", "less than", "ampersands", "blanks", "marks", "tag", "account"],
)
def test_hostile_markup_takes_no_time(hostile):
    before = time.process_time()
    from_html(hostile)
    assert time.process_time() - before < 2
