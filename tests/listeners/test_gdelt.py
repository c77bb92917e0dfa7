"""The gdelt listener against files of the documented form, and what may be wrong with them."""

import hashlib
import io
import zipfile
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from listening import NOW, listen, posts, visit
from pydantic import ValidationError
from stub_server import Answer, Request, serve

from listeners import gdelt, zipped
from listeners.feed import FeedFormatChanged
from listeners.post import to_page

NEWEST = gdelt.number_of(NOW)


def line(number: int, title: str | None = "Acme opens its firmware", **columns) -> str:
    extras = "" if title is None else f"<PAGE_AUTHORS>Ann Lee;Bob</PAGE_AUTHORS><PAGE_TITLE>{title}</PAGE_TITLE>"
    filled = {
        "c0": f"x-{number}", "c1": "20261120113000", "c2": "1", "c3": "news.example",
        "c4": f"https://news.example/{number}", "c14": "Globex,12", "c26": extras, **columns,
    }  # fmt: skip
    return "\t".join(filled.get(f"c{column}", "") for column in range(gdelt.COLUMNS))


def packed(*lines: str | bytes, name: str = "x.gkg.csv", method: int = zipfile.ZIP_DEFLATED) -> bytes:
    content = b"".join((one if isinstance(one, bytes) else one.encode()) + b"\n" for one in lines)
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", method) as file:
        file.writestr(zipfile.ZipInfo(name), content, method)  # a ZipInfo, or the time of day would be in the bytes
    return archive.getvalue()


@dataclass
class Files:
    """Files by their number, in English and translated. Where none is given for a time, it holds one article."""

    files: dict[int, bytes | None] = field(default_factory=dict)
    translated: dict[int, bytes | None] = field(default_factory=dict)
    newest: int = NEWEST
    digest: str | None = None
    asked: list[int] = field(default_factory=list)

    def __call__(self, request: Request) -> Answer:
        name = request.path.removeprefix("/gdeltv2/")
        if name.startswith("lastupdate"):
            kind = ".translation" if "translation" in name else ""
            body = self.body(self.newest, self.translated if kind else self.files) or b""
            digest = self.digest or hashlib.md5(body, usedforsecurity=False).hexdigest()
            place = f"http://data.gdeltproject.org/gdeltv2/{gdelt.stamp_of(self.newest)}{kind}"
            lines = [f"{len(body)} {digest} {place}.{what}" for what in ("export.CSV.zip", "gkg.csv.zip")]
            return Answer("\n".join(lines).encode())
        stamp, _, kind = name.partition(".")
        at = datetime.strptime(stamp, "%Y%m%d%H%M%S").replace(tzinfo=UTC)
        assert kind in ("gkg.csv.zip", "translation.gkg.csv.zip")
        self.asked.append(gdelt.number_of(at))
        body = self.body(gdelt.number_of(at), self.translated if kind.startswith("t") else self.files)
        return Answer(status=404) if body is None else Answer(body)

    def body(self, number: int, files: dict[int, bytes | None]) -> bytes | None:
        return files[number] if number in files else packed(line(number))


def options(url: str, **more) -> gdelt.Options:
    return gdelt.Options(id="news", source="gdelt", url=f"{url}/gdeltv2", **{"hours": 1, **more})


def numbers(pages) -> list[int]:
    return [int(post["post_id"].rpartition("/")[2]) for post in posts(pages)]


async def test_an_article_becomes_a_post():
    article = line(
        7, "Acme&#x2019;s router &amp;\u00a0you", c4="http://News.example:80/7?utm_source=x&id=1&fbclid=y#top"
    )
    async with serve(Files({NEWEST: packed(article)})) as stub:
        post = posts(await listen(gdelt, options(stub.url)))[0]
    assert (post["post_id"], post["kind"]) == ("gdelt:news.example/7?id=1", "article")
    assert (post["title"], post["text"]) == ("Acme’s router & you", "")
    assert post["url"] == "http://News.example:80/7?utm_source=x&id=1&fbclid=y#top"
    assert post["published_at"] == datetime(2026, 11, 20, 11, 30, tzinfo=UTC)
    assert post["author"] == visit(options("http://x")).pseudonym("Ann Lee@news.example")
    assert (post["language"], post["likes"], post["edited_at"], post["consent"]) == ("en", None, None, "none_stated")


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("https://a.example/x", "http://a.example/x#part"),
        ("https://A.example/x?a=1&utm_campaign=b", "https://a.example/x?fbclid=2&a=1"),
        ("https://a.example", "http://user@a.example:80/?"),
    ],
)
def test_an_article_is_known_by_its_address_however_it_is_written(one, other):
    assert gdelt.canonical(one) == gdelt.canonical(other)
    assert gdelt.canonical(one) != gdelt.canonical(f"https://a.example/y?{one}")


async def test_a_first_visit_goes_so_many_hours_back_newest_first():
    files = Files()
    async with serve(files) as stub:
        pages = await listen(gdelt, options(stub.url, hours=2))
    assert numbers(pages) == list(range(NEWEST, NEWEST - 8, -1))
    assert not any(page.capped or page.suspect for page in pages)


async def test_a_second_visit_reads_what_came_since_and_nothing_twice():
    files = Files()
    async with serve(files) as stub:
        first = await listen(gdelt, options(stub.url))
        again = await listen(gdelt, options(stub.url), cursor=first[-1].cursor)
        files.newest += 30 * 4  # more than a first visit would read
        later = NOW + timedelta(hours=30)
        second = await listen(gdelt, options(stub.url), cursor=again[-1].cursor, started_at=later)
    assert [page.unchanged for page in again] == [True]
    assert again[-1].cursor == first[-1].cursor
    assert numbers(second) == list(range(NEWEST + 120, NEWEST, -1))


async def test_another_title_later_is_an_edit():
    files = Files({NEWEST: packed(line(5, "Acme opens")), NEWEST - 1: packed(line(5, "Acme to open"))})
    async with serve(files) as stub:
        found = posts(await listen(gdelt, options(stub.url)))
    assert len({post["version"] for post in found if post["post_id"] == "gdelt:news.example/5"}) == 2


@pytest.mark.parametrize("killed_after", [1, 2, 5])
async def test_nothing_is_lost_wherever_a_visit_breaks_off(killed_after):
    files, found, cursor = Files(newest=NEWEST - 3), [], None
    async with serve(files) as stub:
        for _ in range(40):
            pages = await listen(gdelt, options(stub.url, hours=3, max_requests=6), cursor=cursor)
            if pages[-1].unchanged:
                break
            files.newest = min(NEWEST, files.newest + 1)
            for page in pages[:killed_after]:
                found += numbers([page])
                cursor = page.cursor
    assert sorted(found) == list(range(NEWEST - 3 - 11, NEWEST + 1))


async def test_a_visit_that_used_up_its_requests_says_so():
    async with serve(Files()) as stub:
        pages = await listen(gdelt, options(stub.url, max_requests=3))
    assert pages[-1].capped == "3 files read; the rest is read from the next visit on"


async def test_a_window_gives_that_stretch_of_the_past_and_no_more():
    window = (NOW - timedelta(days=400), NOW - timedelta(days=400) + timedelta(minutes=45))
    async with serve(Files()) as stub:
        pages = await listen(gdelt, options(stub.url), window=window)
        cut = await listen(gdelt, options(stub.url, max_requests=2), window=window)
    first = gdelt.number_of(window[0])
    assert numbers(pages) == [first + 2, first + 1, first]
    assert cut[-1].capped == "2 files read; take a shorter stretch for the rest"
    before = gdelt.files_within(datetime(2000, 1, 1, tzinfo=UTC), gdelt.FIRST, NOW)
    assert before.start > before.end


async def test_translated_articles_are_read_where_wanted_in_their_language():
    french = packed(line(9, "Acme ouvre", c25="srclc:fra;eng:Moses 2.1"))
    async with serve(Files(translated={NEWEST: french})) as stub:
        pages = await listen(gdelt, options(stub.url, translated=True))
        without = await listen(gdelt, options(stub.url))
    assert [post["language"] for post in posts(pages) if post["title"] == "Acme ouvre"] == ["fr"]
    assert len(posts(pages)) == 8
    assert 9 not in numbers(without)


async def test_titles_that_name_no_brand_are_left_out_before_a_row_is_made():
    lines = [line(1), line(2, "Tuna prices fall"), line(3, "Tuna", c14="Acme,5", c4="https://acme.example/3")]
    async with serve(Files({NEWEST: packed(*lines)})) as stub:
        pages = await listen(gdelt, options(stub.url), wanted=lambda title, text: "Acme" in f"{title} {text}")
    assert numbers(pages[:1]) == [1]
    assert pages[0].left_out == {"names no brand": 2}


async def test_what_has_no_title_or_no_address_is_left_out():
    lines = [line(1), line(2, None), line(3, c2="2", c4="BBC Monitoring, 20 November")]
    async with serve(Files({NEWEST: packed(*lines)})) as stub:
        pages = await listen(gdelt, options(stub.url))
    assert pages[0].left_out == {"no_words": 1, "no_address": 1}


async def test_with_opt_in_nothing_is_stored():
    async with serve(Files()) as stub:
        pages = await listen(gdelt, options(stub.url), consent="opt_in")
    assert posts(pages) == []
    assert pages[0].left_out == {"not_opted_in": 1}


async def test_a_bad_line_is_rejected_and_the_others_are_kept():
    lines = [
        "three\tcolumns\tonly", line(2, c4="no address"), line(3, c4="http://[::1/x"), f"{line(4)}\tmore",
        line(5, c1="yesterday"), line(6, "Acme \x00 bytes").encode().replace(b"\x00", b"\xff\xfe"),
        b"x" * (gdelt.LONGEST_LINE + 5), "",
    ]  # fmt: skip
    async with serve(Files({NEWEST: packed(*lines, method=zipfile.ZIP_STORED)})) as stub:
        pages = await listen(gdelt, options(stub.url))
    assert numbers(pages[:1]) == [5, 6]
    assert [post["title"] for post in posts(pages[:1])] == ["Acme opens its firmware", "Acme �� bytes"]
    assert posts(pages[:1])[0]["published_at"] == gdelt.moment_of(NEWEST)
    assert len(pages[0].rejected) == 5


async def test_a_file_that_is_missing_is_asked_for_again_and_lost_after_some_hours():
    gap, old = NEWEST - 1, NEWEST - 30
    files = Files({gap: None, old: None})
    async with serve(files) as stub:
        first = await listen(gdelt, options(stub.url, hours=8))
        again = await listen(gdelt, options(stub.url, hours=8), cursor=first[-1].cursor)
        del files.files[gap]
        later = NOW + timedelta(hours=1)
        second = await listen(gdelt, options(stub.url, hours=8), cursor=again[-1].cursor, started_at=later)
    said = f"{gdelt.stamp_of(old)}.gkg.csv.zip: it is not there (404)"
    assert [page.capped for page in first if page.capped] == [f"1 files are lost, the last being {said}"]
    assert gdelt.stamp_of(gap) in (first[-1].suspect or "")
    assert again[-1].cursor == first[-1].cursor
    assert not any(page.capped for page in again)
    assert numbers(second) == [gap]


async def test_a_missing_file_is_lost_if_it_stays_missing():
    files = Files({NEWEST - 1: None})
    async with serve(files) as stub:
        first = await listen(gdelt, options(stub.url))
        later = NOW + timedelta(hours=7)
        second = await listen(gdelt, options(stub.url), cursor=first[-1].cursor, started_at=later)
        third = await listen(gdelt, options(stub.url), cursor=second[-1].cursor, started_at=later)
    assert [bool(page.capped) for page in second] == [True]
    assert [page.unchanged for page in third] == [True]


def bomb() -> bytes:
    return packed(b"0" * 20_000_000)


def of_two() -> bytes:
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr("a.csv", line(1))
        file.writestr("b.csv", line(2))
    return archive.getvalue()


def damaged() -> bytes:
    whole = packed(*(line(n) for n in range(50)), method=zipfile.ZIP_STORED)
    return whole.replace(b"news.example/7", b"news.example/8")


@pytest.mark.parametrize(
    ("body", "why"),
    [
        (bomb(), "unpacks to more than"),
        (of_two(), "an archive of 2 files"),
        (damaged(), "CRC"),
        (packed(line(1), method=zipfile.ZIP_LZMA), "packed by a method"),
        (packed(line(1))[:100], "not a zip file"),
        (b"", "not a zip file"),
        (packed("another\tformat", "altogether"), "none of its 2 lines is an article: ValueError: 2 columns, not 27"),
    ],
    ids=["a bomb", "two files", "damaged", "packed otherwise", "cut", "empty", "another format"],
)
async def test_a_file_that_cannot_be_read_does_not_stop_the_others(body, why):
    async with serve(Files({NEWEST - 1: body})) as stub:
        pages = await listen(gdelt, options(stub.url))
    assert numbers(pages) == [NEWEST, NEWEST - 2, NEWEST - 3]
    assert why in (pages[-1].suspect or "")
    assert not any(page.rejected for page in pages)


async def test_a_file_that_is_not_as_its_md5_says_is_asked_for_again():
    files = Files(digest="0" * 32)
    async with serve(files) as stub:
        first = await listen(gdelt, options(stub.url))
        files.digest = None
        second = await listen(gdelt, options(stub.url), cursor=first[-1].cursor)
    assert NEWEST not in numbers(first)
    assert "MD5" in (first[-1].suspect or "")
    assert numbers(second) == [NEWEST]


async def test_files_of_another_form_throughout_are_a_change_of_format():
    async with serve(Files({NEWEST - n: packed("a\tb") for n in range(4)})) as stub:
        with pytest.raises(FeedFormatChanged, match=r"news: http.*2 columns, not 27"):
            await listen(gdelt, options(stub.url))


@pytest.mark.parametrize("body", ["", "oops", "1 abc http://x/20261120114500.gkg.csv.zip", "{}"])
async def test_a_list_that_names_no_file_is_a_change_of_format(body):
    async with serve(lambda _: Answer(body.encode())) as stub:
        with pytest.raises(FeedFormatChanged, match="news: http"):
            await listen(gdelt, options(stub.url))


async def test_a_newest_file_of_the_future_is_not_believed():
    files = Files(newest=NEWEST + 10**6)
    async with serve(files) as stub:
        pages = await listen(gdelt, options(stub.url))
    assert numbers(pages) == list(range(NEWEST, NEWEST - 4, -1))


@pytest.mark.parametrize(
    "cursor",
    ["", "[]", "null", "not json", '{"url": 1}', '{"url": "URL", "streams": 3}',
     '{"url": "URL", "streams": {"english": [5, [[9, 3]]]}}', '{"url": "URL", "streams": {"english": [1e999, []]}}'],
)  # fmt: skip
async def test_a_cursor_that_cannot_be_read_begins_anew(cursor):
    async with serve(Files()) as stub:
        pages = await listen(gdelt, options(stub.url), cursor=cursor.replace("URL", f"{stub.url}/gdeltv2"))
    assert len(numbers(pages)) == 4


def test_too_few_requests_to_ever_get_on_are_refused():
    with pytest.raises(ValidationError, match="at least 4"):
        options("http://x", translated=True, max_requests=3)


TEXT = st.text(max_size=9) | st.sampled_from(["", "1", "<PAGE_TITLE>", "http://[", "srclc:", "20260230000000", "\t"])


@settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(st.dictionaries(st.integers(0, 26), TEXT, max_size=4))
def test_any_line_is_a_post_rejected_or_left_out(changes):
    where = visit(options("http://x"))
    one = line(1, **{f"c{column}": text for column, text in changes.items()})
    page = to_page(where, [one], lambda item: gdelt.to_post(item, where, NOW), cursor=None)
    assert page.posts.num_rows + len(page.rejected) + sum(page.left_out.values()) == 1


@settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(st.integers(0, 400), st.binary(min_size=1, max_size=4))
def test_any_damage_to_an_archive_is_told_or_harmless(place, bytes_instead):
    whole = packed(*(line(n) for n in range(3)))
    changed = whole[:place] + bytes_instead + whole[place + len(bytes_instead) :]
    with suppress(zipped.BadArchive):
        list(zipped.lines(changed, at_most=10_000, ratio=100, longest=5_000))


def test_lines_come_without_their_ends_and_long_ones_cut():
    body = packed(b"one\r", b"x" * 25, b"three")
    assert list(zipped.lines(body, at_most=1_000, ratio=100, longest=10)) == [b"one", b"x" * 10, b"three"]
    with pytest.raises(zipped.BadArchive, match="more than 31 bytes"):
        list(zipped.lines(body, at_most=32, ratio=100, longest=10))
