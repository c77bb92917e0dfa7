"""The github listener against a search that answers as the API documents."""

import json
import re
from datetime import UTC, datetime, timedelta

import httpx
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from listening import NOW, Clock, listen, polite, posts, visit
from pydantic import ValidationError
from stub_server import Answer, Request, serve

from listeners import github
from listeners.feed import FeedBlocked, FeedFormatChanged, FeedUnavailable
from listeners.post import to_page

T = int(NOW.timestamp())


def iso(at: int) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def issue(number: int, at: int, title: str = "Acme router drops IPv6", **more) -> dict:
    return {
        "id": number, "node_id": f"I_{number}", "number": 3, "title": title, "body": "After a **reboot**.",
        "html_url": f"https://github.com/acme/firmware/issues/{number}", "comments": 2, "state": "open",
        "repository_url": "https://api.github.com/repos/acme/firmware", "created_at": iso(at), "updated_at": iso(at),
        "user": {"login": "Jo", "id": 7, "type": "User"}, "reactions": {"total_count": 5, "+1": 4, "-1": 1}, **more,
    }  # fmt: skip


class Archive:
    """Issues, searched as the API does: at most `most` a page, and ten pages a query.

    silent: finds nothing. hasty: searches over more than so many seconds are cut off.
    """

    def __init__(self, issues: list[dict], most: int = 100) -> None:
        self.issues, self.most = issues, most
        self.silent = False
        self.hasty = 10**10

    def __call__(self, request: Request) -> Answer:
        assert request.path == "/search/issues"
        asked = request.query
        found = re.fullmatch(r'(?:"(.*)" )?is:issue (?:(repo|org):(\S+) )?(created|updated):(\S+)\.\.(\S+)', asked["q"])
        assert found, asked["q"]
        phrase, kind, name, by, start, end = found.groups(default="")
        assert (asked["sort"], asked["order"], asked["per_page"]) == (by, "desc", "100")
        matching = [
            issue
            for issue in self.issues
            if start <= issue[f"{by}_at"] <= end
            and phrase.lower() in f"{issue['title']} {issue['body']}".lower()
            and f"{name}/".rstrip("/" if kind == "repo" else "") in f"{issue['repository_url']}/"
        ]
        matching.sort(key=lambda issue: (issue[f"{by}_at"], issue["id"]), reverse=True)
        first = (int(asked["page"]) - 1) * self.most
        page = [] if self.silent else matching[first : first + self.most]
        span = (datetime.fromisoformat(end) - datetime.fromisoformat(start)).total_seconds()
        incomplete = span > self.hasty
        total = 0 if self.silent else len(matching)
        body = {"total_count": total, "incomplete_results": incomplete, "items": page[: 1 if incomplete else None]}
        return Answer(json.dumps(body).encode())


def options(url: str = "https://api.example", **more) -> github.Options:
    return github.Options(id="gh", source="github", url=url, **{"query": ["acme"], **more})


async def test_an_issue_becomes_a_post():
    body = "Avoid it, see [the status page](https://acme.example/status).\n\n- *slow*"
    archive = Archive([issue(5, T - 600, "Acme & me: is `this` normal?", body=body, updated_at=iso(T - 60))])
    async with serve(archive) as stub:
        [post] = posts(await listen(github, options(stub.url)))
    assert post["title"] == "Acme & me: is `this` normal?"
    assert "Avoid it, see the status page (https://acme.example/status)." in post["text"]
    assert "*" not in post["text"]
    assert (post["post_id"], post["kind"], post["source"]) == ("github:5", "post", "github")
    assert post["url"] == "https://github.com/acme/firmware/issues/5"
    assert post["published_at"] == NOW - timedelta(seconds=600)
    assert (post["edited_at"], post["fetched_at"]) == (None, NOW)
    assert (post["likes"], post["replies"], post["shares"], post["views"]) == (4, 2, None, None)
    assert (post["parent_id"], post["root_id"], post["quoted_id"]) == (None, None, None)
    assert post["author"] == visit(options()).pseudonym("jo")
    assert (post["consent"], post["deleted"], post["language"]) == ("none_stated", False, None)


async def test_an_issue_without_words_or_author_is_a_post_still():
    async with serve(Archive([issue(1, T - 9, body=None, user=None, reactions=None) | {"body": ""}])) as stub:
        [post] = posts(await listen(github, options(stub.url)))
    assert (post["text"], post["author"], post["likes"]) == ("", None, None)


async def test_bots_and_pull_requests_are_left_out_and_counted():
    bots = [
        issue(1, T - 1, user={"login": "acme-ci", "type": "Bot"}),
        issue(2, T - 2, user={"login": "acme[bot]", "type": "User"}),
        issue(3, T - 3, pull_request={"url": "https://api.github.com/x"}),
    ]
    async with serve(Archive([*bots, issue(4, T - 4)])) as stub:
        [page] = await listen(github, options(stub.url))
        refused = await listen(github, options(stub.url), consent="opt_in")
    assert page.posts["post_id"].to_pylist() == ["github:4"]
    assert page.left_out == {"bot": 2, "pull_request": 1}
    assert refused[0].left_out["not_opted_in"] == 1
    assert refused[0].posts.num_rows == 0


async def test_a_second_visit_brings_what_changed_and_nothing_else():
    archive = Archive([issue(1, T - 10**7), issue(2, T - 10**7)])
    async with serve(archive) as stub:
        first = await listen(github, options(stub.url))
        later = NOW + timedelta(hours=1)
        nothing = await listen(github, options(stub.url), cursor=first[-1].cursor, started_at=later)
        archive.issues[0] |= {"body": "Solved.", "comments": 3, "updated_at": iso(T + 4000)}
        later = NOW + timedelta(hours=2)
        second = await listen(github, options(stub.url), cursor=nothing[-1].cursor, started_at=later)
    assert (len(posts(first)), len(posts(nothing))) == (2, 0)
    assert [(post["post_id"], post["text"], post["replies"]) for post in posts(second)] == [("github:1", "Solved.", 3)]


async def test_what_the_index_learns_late_is_found():
    archive = Archive([issue(1, T - 5)])
    async with serve(archive) as stub:
        first = await listen(github, options(stub.url))
        archive.issues.append(issue(2, T - 600))
        later = NOW + timedelta(hours=1)
        second = await listen(github, options(stub.url), cursor=first[-1].cursor, started_at=later)
    assert {post["post_id"] for post in posts(second)} == {"github:1", "github:2"}


async def test_a_first_visit_takes_everything_beyond_one_page():
    async with serve(Archive([issue(n, T - 7 * n) for n in range(1, 96)], most=10)) as stub:
        pages = await listen(github, options(stub.url))
    assert sorted(post["post_id"] for post in posts(pages)) == sorted(f"github:{n}" for n in range(1, 96))
    assert not any(page.capped for page in pages)


async def test_a_second_with_more_than_a_page_is_read_page_by_page():
    crowd = [issue(n, T - 100) for n in range(95)] + [issue(n, T - 50 - n) for n in (200, 201)] + [issue(300, T - 9)]
    async with serve(Archive(crowd, most=10)) as stub:
        pages = await listen(github, options(stub.url))
    assert len({post["post_id"] for post in posts(pages)}) == 98
    assert not any(page.capped for page in pages)


async def test_a_second_with_more_than_a_query_gives_is_passed_and_said():
    crowd = [issue(n, T - 100) for n in range(135)] + [issue(200, T - 200)]
    async with serve(Archive(crowd, most=10)) as stub:
        pages = await listen(github, options(stub.url))
    assert len({post["post_id"] for post in posts(pages)}) == 101
    assert [page.capped for page in pages if page.capped] == [
        f"second {T - 100} holds 135 issues, of which 100 can be had"
    ]


@settings(max_examples=8, deadline=None, phases=(Phase.reuse, Phase.generate))  # shrinking takes minutes
@given(st.lists(st.integers(0, 40), max_size=40), st.integers(1, 5), st.sampled_from([10**10, 10**4, 20]))
async def test_nothing_is_lost_whatever_the_times_and_wherever_a_visit_breaks_off(ages, most, hasty):
    """Only what lies beyond ten pages within one second may be missing, and that is said."""
    archive = Archive([issue(n, T - age) for n, age in enumerate(ages)], most)
    archive.hasty = hasty
    found, said, cursor = set(), [], None
    async with serve(archive) as stub:
        for number in range(60):
            if len(found) == len(ages):
                break
            started_at = NOW + timedelta(seconds=number)
            pages = await listen(github, options(stub.url, max_requests=14), cursor=cursor, started_at=started_at)
            for page in pages[: 12 + number % 3]:  # killed after so many stored pages
                found |= {post["post_id"] for post in posts([page])}
                cursor = page.cursor
                said += [page.capped] if page.capped and "can be had" in page.capped else []
    missing = {f"github:{n}" for n in range(len(ages))} - found
    assert not missing or said
    assert missing <= {f"github:{n}" for n, age in enumerate(ages) if ages.count(age) > 10 * most}


async def test_stopping_after_any_page_and_going_on_from_its_cursor_gives_everything():
    archive = Archive([issue(n, T - 5 * (n // 2)) for n in range(20)], most=4)
    async with serve(archive) as stub:
        pages = await listen(github, options(stub.url))
        everything = {post["post_id"] for post in posts(pages)}
        for stop in range(1, len(pages)):
            rest = await listen(github, options(stub.url), cursor=pages[stop - 1].cursor)
            assert {post["post_id"] for post in posts(pages[:stop] + rest)} == everything
    assert len(everything) == 20


async def test_a_search_that_was_cut_off_is_asked_again_in_parts():
    archive = Archive([issue(n, T - 1000 * n) for n in range(20)])
    archive.hasty = 3000
    async with serve(archive) as stub:
        found, cursor = set(), None
        for number in range(5):
            pages = await listen(github, options(stub.url), cursor=cursor, started_at=NOW + timedelta(hours=number))
            found |= {post["post_id"] for post in posts(pages)}
            cursor = pages[-1].cursor
            if len(found) == 20:
                break
    assert len(found) == 20


async def test_a_search_that_is_cut_off_however_it_is_asked_moves_nothing_and_is_said():
    archive = Archive([issue(1, T - 5)])
    archive.hasty = -1
    async with serve(archive) as stub:
        pages = await listen(github, options(stub.url))
        assert pages[-1].suspect == "acme: incomplete_results, however asked"
        archive.hasty = 10**10
        later = NOW + timedelta(hours=9)
        pages = await listen(github, options(stub.url), cursor=pages[-1].cursor, started_at=later)
    assert len(posts(pages)) == 1


async def test_an_empty_success_loses_nothing():
    archive = Archive([issue(1, T - 10**6)])
    archive.silent = True
    async with serve(archive) as stub:
        pages = await listen(github, options(stub.url))
        archive.silent = False
        later = NOW + timedelta(hours=9)
        pages = await listen(github, options(stub.url), cursor=pages[-1].cursor, started_at=later)
    assert len(posts(pages)) == 1


async def test_issues_that_are_counted_and_not_given_are_suspect():
    async with serve(lambda _: Answer(b'{"total_count": 7, "incomplete_results": false, "items": []}')) as stub:
        [page] = await listen(github, options(stub.url))
    assert page.suspect == "acme: no issues, of 7"


async def test_every_phrase_is_searched_in_every_place_and_an_issue_comes_once():
    elsewhere = {"repository_url": "https://api.github.com/repos/globex/site"}
    archive = Archive([issue(1, T - 1, "Acme or Globex?"), issue(2, T - 2, "Globex", **elsewhere)])
    async with serve(archive) as stub:
        both = options(
            stub.url, query=["acme", "globex"], repositories=["acme/firmware"], organisations="globex", max_requests=48
        )
        pages = await listen(github, both)
        assert len(stub.requests) == 4
        every = await listen(github, options(stub.url, query=(), repositories=["acme/firmware"]))
    assert sorted(post["post_id"] for post in posts(pages)) == ["github:1", "github:2"]
    assert [post["post_id"] for post in posts(every)] == ["github:1"]


async def test_a_window_gives_what_was_opened_then_and_no_more():
    archive = Archive([issue(n, T - 3600 * n, updated_at=iso(T)) for n in range(1, 60)], most=2)
    window = (NOW - timedelta(hours=50), NOW - timedelta(hours=10))
    async with serve(archive) as stub:
        pages = await listen(github, options(stub.url), window=window)
        cut = await listen(github, options(stub.url, max_requests=12), window=window)
    assert [post["post_id"] for post in posts(pages)] == [f"github:{n}" for n in range(11, 51)]
    assert cut[-1].capped == "12 searches used up; take a shorter stretch for the rest"


async def test_a_token_is_sent_as_a_header_and_shown_to_nobody():
    async with serve(lambda _: Answer(b"oops")) as stub:
        with pytest.raises(FeedFormatChanged) as raised:
            await listen(github, options(stub.url, token_env="GH"), secrets={"GH": "s3cr3t"})
    assert stub.requests[0].headers["authorization"] == "Bearer s3cr3t"
    assert "s3cr3t" not in str(raised.value)


async def test_a_token_that_is_not_set_is_told_before_anything_is_asked():
    async with serve(Archive([])) as stub:
        with pytest.raises(FeedBlocked, match="environment variable GH, which is not set"):
            await listen(github, options(stub.url, token_env="GH"))
    assert stub.requests == []


async def test_a_token_that_is_refused_is_told():
    async with serve(lambda _: Answer(b'{"message": "Bad credentials"}', status=401)) as stub:
        with pytest.raises(FeedBlocked, match=r"401 Unauthorized.*Bad credentials"):
            await listen(github, options(stub.url, token_env="GH"), secrets={"GH": "old"})


@pytest.mark.parametrize(
    ("headers", "message", "seconds"),
    [
        ({}, "You have exceeded a secondary rate limit.", 60),
        ({"retry-after": "90"}, "You have exceeded a secondary rate limit.", 90),
        ({"x-ratelimit-remaining": "0", "x-ratelimit-reset": str(T + 45)}, "API rate limit exceeded", 45),
    ],
)
async def test_a_limit_says_when_to_come_back(headers, message, seconds):
    refused = Answer(json.dumps({"message": message}).encode(), status=403, headers=headers)
    async with serve(lambda _: refused) as stub:
        with pytest.raises(FeedUnavailable, match="rate limit") as raised:
            await listen(github, options(stub.url))
    assert raised.value.retry_at == NOW + timedelta(seconds=seconds)


async def test_a_closed_door_is_no_limit():
    async with serve(lambda _: Answer(b'{"message": "Resource not accessible"}', status=403)) as stub:
        with pytest.raises(FeedBlocked, match="Resource not accessible"):
            await listen(github, options(stub.url))


async def test_when_no_search_is_left_the_next_waits_for_the_window_to_end():
    archive = Archive([issue(n, T - n) for n in range(30)], most=10)
    clock, used = Clock(), []

    async def resolve(host: str, port: int) -> list[str]:
        return ["1.1.1.1"]

    def answer(request: httpx.Request) -> httpx.Response:
        used.append(clock.passed)
        reply = archive(Request("/search/issues", dict(request.url.params), {}))
        left = {"x-ratelimit-remaining": str(1 - len(used) % 2), "x-ratelimit-reset": str(T + int(clock.passed) + 40)}
        return httpx.Response(200, stream=httpx.ByteStream(reply.body), headers=left)

    async with polite(clock, resolve=resolve, transport=httpx.MockTransport(answer)) as client:
        pages = [page async for page in github.pages(visit(options(), client.visit("gh")))]
    assert len(posts(pages)) == 30
    assert used[1] - used[0] >= 40
    assert used[2] - used[1] < 5


async def test_a_bad_issue_is_rejected_and_the_others_are_kept():
    bad = [
        issue(1, T - 5) | {"title": None},
        {"updated_at": iso(T - 6)},
        "a string",
        issue(4, T - 7, body=7) | {"id": True},
    ]
    body = json.dumps({"items": [*bad, issue(9, T - 9)], "total_count": 5, "incomplete_results": False})
    async with serve(lambda _: Answer(body.encode())) as stub:
        [page] = await listen(github, options(stub.url))
    assert page.posts["post_id"].to_pylist() == ["github:9"]
    assert len(page.rejected) == 4


@pytest.mark.parametrize(
    ("status", "body"),
    [(200, "[]"), (200, '{"items": 1}'), (200, '{"items": []}'), (200, "null"), (200, "oops"), (422, '{"message": 1}')],
)
async def test_what_is_no_search_result_is_a_change_of_format(status, body):
    async with serve(lambda _: Answer(body.encode(), status=status)) as stub:
        with pytest.raises(FeedFormatChanged, match="gh: http"):
            await listen(github, options(stub.url))


async def test_a_server_that_ignores_the_times_asked_for_does_not_keep_us_for_ever():
    body = json.dumps({"items": [issue(1, T + 10**6)], "total_count": 5000})
    async with serve(lambda _: Answer(body.encode())) as stub:
        with pytest.raises(FeedFormatChanged, match="none updated from"):
            await listen(github, options(stub.url))


def test_a_phrase_cannot_break_out_of_its_quotes():
    asked = github.question(github.Search("org:acme", 'a" is:pr "b'), "updated", github.Interval(0, T))
    assert asked == '"a  is:pr  b" is:issue org:acme updated:2007-09-28T17:20:00Z..2026-11-20T12:00:00Z'


@pytest.mark.parametrize(
    "wrong", [{"query": []}, {"query": ["a"] * 2, "max_requests": 23}, {"max_requests": 11}, {"token": "x"}]
)
def test_options_that_cannot_work_are_refused(wrong):
    with pytest.raises(ValidationError):
        options(**wrong)


@pytest.mark.parametrize("cursor", ["", "{}", "null", "[]", "not json", '{"url": 1, "searches": 3}'])
async def test_a_cursor_that_cannot_be_read_begins_anew(cursor):
    async with serve(Archive([issue(1, T - 1)])) as stub:
        assert len(posts(await listen(github, options(stub.url), cursor=cursor))) == 1


VALUES = st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.lists(st.text(), max_size=2)
VALUES |= st.dictionaries(st.sampled_from(["login", "type", "+1"]), VALUES, max_size=2)


@settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow])
@given(st.dictionaries(st.sampled_from(sorted(issue(1, T))), VALUES, max_size=4))
def test_any_issue_is_a_post_rejected_or_left_out(changes):
    where = visit(options())
    page = to_page(where, [{**issue(1, T), **changes}], lambda item: github.to_post(item, where), cursor=None)
    assert page.posts.num_rows + len(page.rejected) + sum(page.left_out.values()) == 1
