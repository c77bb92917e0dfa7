"""The mastodon listener against an instance that pages as Mastodon does."""

import json
from datetime import timedelta
from urllib.parse import urlencode

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from listening import NOW, listen, posts, visit
from pydantic import ValidationError
from stub_server import Answer, Request, serve

from listeners import mastodon
from listeners.feed import FeedBlocked, FeedFormatChanged
from listeners.post import to_page


def status(number: int, content: str = "<p>The Acme One is great</p>", **more) -> dict:
    account = {"id": "7", "acct": "Jo", "note": "", "fields": [], "followers_count": 12, "indexable": False}
    return {
        "id": str(number), "uri": f"https://m.example/users/Jo/statuses/{number}",
        "url": f"https://m.example/@Jo/{number}", "created_at": "2026-11-20T08:00:00.000Z", "edited_at": None,
        "content": content, "spoiler_text": "", "visibility": "public", "language": "en", "in_reply_to_id": None,
        "in_reply_to_account_id": None, "reblog": None, "replies_count": 1, "reblogs_count": 2, "favourites_count": 3,
        "account": account | more.pop("account", {}), **more,
    }  # fmt: skip


class Instance:
    """Timelines by path, ids ascending. A page holds `most`; links may be left out; what it says of itself."""

    def __init__(self, most: int = 40, links: bool = True, about: dict | None = None, **timelines: list[dict]) -> None:
        self.most = most
        self.links = links
        self.about = about
        self.timelines = timelines

    def __call__(self, request: Request) -> Answer:
        if request.path == "/api/v2/instance":
            return Answer(status=404) if self.about is None else Answer(json.dumps(self.about).encode())
        found = sorted(self.timelines[request.path.rsplit("/", 1)[1]], key=lambda item: int(item["id"]))
        size = min(int(request.query["limit"]), self.most)
        if "min_id" in request.query:
            page = [item for item in found if int(item["id"]) > int(request.query["min_id"])][:size]
        elif "max_id" in request.query:
            page = [item for item in found if int(item["id"]) < int(request.query["max_id"])][-size:]
        else:
            page = found[-size:]
        headers = {"content-type": "application/json; charset=utf-8"}
        if page and self.links:
            older = urlencode({"limit": size, "max_id": page[0]["id"]})
            newer = urlencode({"limit": size, "min_id": page[-1]["id"]})
            address = f"http://elsewhere.example{request.path}"
            headers["link"] = f'<{address}?{older}>; rel="next", <{address}?{newer}>; rel="prev"'
        return Answer(json.dumps(page[::-1]).encode(), headers=headers)


def options(url: str = "https://m.example", **more) -> mastodon.Options:
    return mastodon.Options(id="masto", source="mastodon", url=url, **{"tags": ("acme",), **more})


async def read(instance, *, cursor=None, consent="opt_out", started_at=NOW, **more):
    async with serve(instance) as stub:
        pages = await listen(mastodon, options(stub.url, **more), cursor=cursor, consent=consent, started_at=started_at)
        return pages, stub


def ids(pages):
    return [post["post_id"].rsplit("/", 1)[1] for post in posts(pages)]


async def test_a_status_becomes_a_post():
    link = '<a href="https://m.example/tags/acme" class="mention hashtag">#<span>acme</span></a>'
    text = f"<p>Never again {link} &amp; co</p>"
    given_status = status(5, text, spoiler_text="rant", edited_at="2026-11-20T09:00:00.000Z", language="pt-BR")
    pages, _ = await read(Instance(acme=[given_status], about={"domain": "M.example"}))
    [post] = posts(pages)
    assert post["text"] == "rant\nNever again #acme & co"
    assert post["post_id"] == "mastodon:https://m.example/users/Jo/statuses/5"
    assert post["url"] == "https://m.example/@Jo/5"
    assert (post["likes"], post["replies"], post["shares"], post["author_followers"]) == (3, 1, 2, 12)
    assert (post["language"], post["kind"], post["consent"]) == ("pt-br", "post", "none_stated")
    assert post["edited_at"] - post["published_at"] == timedelta(hours=1)
    assert post["author"] == visit(options()).pseudonym("jo@m.example")


async def test_the_choices_of_a_poll_are_read_too():
    poll = {"options": [{"title": "Acme"}, {"title": "Globex"}]}
    pages, _ = await read(Instance(acme=[status(1, "<p>Which?</p>", poll=poll)]))
    assert posts(pages)[0]["text"] == "Which?\n- Acme\n- Globex"


@pytest.mark.parametrize("links", [True, False])
async def test_a_first_visit_goes_back_to_the_beginning(links):
    instance = Instance(most=7, links=links, acme=[status(n) for n in range(1, 51)])
    pages, stub = await read(instance)
    assert ids(pages)[0] == "50"
    assert sorted(map(int, ids(pages))) == list(range(1, 51))
    assert len(stub.requests) == 1 + 8 + 1  # the instance, eight pages, and the empty one that is the end


async def test_later_visits_go_forward_without_a_gap_and_read_one_page_again():
    instance = Instance(most=7, acme=[status(n) for n in range(1, 101)])
    first, _ = await read(instance)
    async with serve(instance) as stub:
        feed = options(stub.url)
        first = await listen(mastodon, feed)
        instance.timelines["acme"] += [status(n) for n in range(101, 131)]
        instance.timelines["acme"][-31]["content"] = "edited"
        second = await listen(mastodon, feed, cursor=first[-1].cursor)
        asked = len(stub.requests)
        third = await listen(mastodon, feed, cursor=second[-1].cursor)
    assert set(map(int, ids(second))) == set(range(95, 131)) | set(map(int, ids(second)))
    assert set(range(101, 131)) <= set(map(int, ids(second)))
    assert min(map(int, ids(second))) > 50
    assert "edited" in [post["text"] for post in posts(second)]
    assert len(ids(third)) <= 40
    assert len(stub.requests) - asked <= 1 + 7


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 40), st.integers(2, 9), st.integers(3, 6), st.booleans())
async def test_nothing_is_lost_wherever_a_visit_breaks_off(total, most, max_requests, links):
    instance = Instance(most=most, links=links, acme=[status(n) for n in range(1, total + 1)])
    found, cursor = set(), None
    async with serve(instance) as stub:
        for number in range(200):
            if number > 5 and len(found) == len(instance.timelines["acme"]):
                break
            pages = await listen(mastodon, options(stub.url, max_requests=max_requests), cursor=cursor)
            for page in pages[: 1 + number % 4]:  # killed after so many stored pages
                found |= set(ids([page]))
                cursor = page.cursor
            if number < 5:
                instance.timelines["acme"] += [status(1000 * (number + 1) + n) for n in range(3)]
    assert found == {item["id"] for item in instance.timelines["acme"]}


async def test_the_newest_of_all_tags_comes_before_the_past_of_any():
    instance = Instance(most=5, acme=[status(n) for n in range(1, 30)], fail=[status(n) for n in range(100, 130)])
    pages, _ = await read(instance, tags=("acme", "fail"), max_requests=5)
    assert {"29", "129"} <= set(ids(pages))
    assert pages[-1].capped == "5 requests used up; the rest is read from the next visit on"


async def test_a_visit_that_just_finishes_is_not_called_cut_short():
    pages, stub = await read(Instance(acme=[status(1)]), max_requests=3)
    assert len(stub.requests) == 3
    assert all(page.capped is None for page in pages)


async def test_a_post_under_two_tags_comes_once_a_visit():
    both = status(3)
    pages, _ = await read(Instance(acme=[both, status(1)], fail=[both, status(2)]), tags=("acme", "fail"))
    assert sorted(ids(pages)) == ["1", "2", "3"]


async def test_without_tags_the_public_timeline_is_read():
    pages, stub = await read(Instance(public=[status(1)]), tags=())
    assert ids(pages) == ["1"]
    assert stub.requests[1].path == "/api/v1/timelines/public"


async def test_an_empty_page_is_the_end_and_moves_nothing():
    instance = Instance(most=5, acme=[status(n) for n in range(1, 20)])
    async with serve(instance) as stub:
        first = await listen(mastodon, options(stub.url))
        hidden, instance.timelines["acme"] = instance.timelines["acme"], []
        second = await listen(mastodon, options(stub.url), cursor=first[-1].cursor)
        instance.timelines["acme"] = [*hidden, status(20)]
        third = await listen(mastodon, options(stub.url), cursor=second[-1].cursor)
    assert posts(second) == []
    assert second[-1].cursor == first[-1].cursor
    assert "20" in ids(third)


async def test_a_server_that_repeats_itself_does_not_keep_us_for_ever():
    page = json.dumps([status(n) for n in (3, 2, 1)]).encode()
    link = '<http://x.example/?max_id=9>; rel="next", <http://x.example/?min_id=3>; rel="prev"'

    def answer(request):
        return Answer(status=404) if "instance" in request.path else Answer(page, headers={"link": link})

    async with serve(answer) as stub:
        first = await listen(mastodon, options(stub.url))
        second = await listen(mastodon, options(stub.url), cursor=first[-1].cursor)
    assert sorted(ids(first)) == sorted(ids(second)) == ["1", "2", "3"]
    assert len(stub.requests) < 12


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"visibility": "unlisted"}, "not_public"),
        ({"visibility": "private"}, "not_public"),
        ({"account": {"noindex": True}}, "noindex"),
        ({"account": {"note": "<p>I paint. <a href='x'>#<span>NoBot</span></a></p>"}}, "nobot"),
        ({"account": {"note": "hello #nobots"}}, "nobot"),
        ({"account": {"fields": [{"name": "bots", "value": "#noindex please"}]}}, "nobot"),
        ({"reblog": status(9)}, "reblog"),
    ],
)
async def test_a_refusal_is_counted_and_never_stored(change, reason):
    pages, _ = await read(Instance(acme=[status(1, **change), status(2)]))
    assert ids(pages) == ["2"]
    assert pages[0].left_out == {reason: 1}
    assert pages[0].rejected == ()


async def test_a_word_that_only_begins_like_a_refusal_is_none():
    pages, _ = await read(Instance(acme=[status(1, account={"note": "#nobotany, see x#nobot"})]))
    assert ids(pages) == ["1"]


async def test_with_opt_in_only_those_who_opted_in_are_stored():
    timeline = [status(1), status(2, account={"indexable": True}), status(3, account={"indexable": None})]
    pages, _ = await read(Instance(acme=timeline), consent="opt_in")
    assert [(post["post_id"][-1], post["consent"]) for post in posts(pages)] == [("2", "opted_in")]
    assert pages[0].left_out == {"not_opted_in": 2}


async def test_replies_name_their_parent_as_well_as_can_be_known():
    timeline = [
        status(10),
        status(11, in_reply_to_id="10", in_reply_to_account_id="9"),
        status(12, in_reply_to_id="4", in_reply_to_account_id="7"),
        status(13, in_reply_to_id="4", in_reply_to_account_id="9"),
    ]
    pages, _ = await read(Instance(acme=timeline))
    parents = {post["post_id"][-2:]: post["parent_id"] for post in posts(pages)}
    assert parents == {
        "10": None,
        "11": "mastodon:https://m.example/users/Jo/statuses/10",  # read in this visit
        "12": "mastodon:https://m.example/users/Jo/statuses/4",  # the author's own thread
        "13": "mastodon:127.0.0.1/4",
    }
    assert {post["kind"] for post in posts(pages)} == {"post", "comment"}


async def test_a_quote_is_a_post_of_its_own_that_names_what_it_quotes():
    quoted = {"state": "accepted", "quoted_status": status(3, uri="https://n.example/3")}
    timeline = [status(1, quote=quoted), status(2, quote={"state": "pending", "quoted_status": None})]
    pages, _ = await read(Instance(acme=timeline))
    assert [post["quoted_id"] for post in posts(pages)] == [None, "mastodon:https://n.example/3"]


@pytest.mark.parametrize(
    ("access", "tags", "message"),
    [
        ({"hashtag_feeds": {"local": "disabled", "remote": "disabled"}}, ("acme",), "hashtag.*local: disabled"),
        ({"live_feeds": {"local": "authenticated", "remote": "disabled"}}, (), "public.*local: authenticated"),
    ],
)
async def test_an_instance_that_closes_its_timelines_is_blocked_with_its_reason(access, tags, message):
    instance = Instance(acme=[], public=[], about={"configuration": {"timelines_access": access}})
    with pytest.raises(FeedBlocked, match=message):
        await read(instance, tags=tags)


@pytest.mark.parametrize(
    "about",
    [
        {},
        {"configuration": {"timelines_access": {"hashtag_feeds": {"local": "public", "remote": "disabled"}}}},
        {"configuration": {"timelines_access": {"live_feeds": {"local": "disabled"}}}},
        {"configuration": "odd"},
    ],
)
async def test_an_instance_that_does_not_close_its_hashtags_is_read(about):
    pages, _ = await read(Instance(acme=[status(1)], about=about))
    assert ids(pages) == ["1"]


async def test_an_older_instance_that_wants_a_login_is_blocked():
    def answer(request):
        error = b'{"error": "This method requires an authenticated user"}'
        return Answer(status=404) if "instance" in request.path else Answer(error, 422)

    with pytest.raises(FeedBlocked, match="authenticated user"):
        await read(answer)


async def test_what_is_no_list_is_a_change_of_format():
    with pytest.raises(FeedFormatChanged, match="dict where a list of statuses is due"):
        await read(lambda _: Answer(b'{"statuses": []}'))


async def test_bad_statuses_are_rejected_and_the_others_kept():
    bad = [status(1) | {"uri": None}, status(2) | {"content": 5}, status(3) | {"account": None}]
    pages, _ = await read(Instance(acme=[*bad, status(4)]))
    assert ids(pages) == ["4"]
    assert len(pages[0].rejected) == 3


@pytest.mark.parametrize(
    "cursor", ["", "{}", "null", "[]", "no json", '{"url": "https://other.example", "timelines": {}}']
)
async def test_a_cursor_that_cannot_be_read_or_is_of_another_instance_begins_anew(cursor):
    pages, _ = await read(Instance(acme=[status(1)]), cursor=cursor)
    assert ids(pages) == ["1"]


def test_too_few_requests_to_ever_get_on_are_refused():
    with pytest.raises(ValidationError, match="at least 5 for 2 tags"):
        options(tags=("acme", "globex"), max_requests=4)


def test_tags_are_words():
    assert options(tags=("#Acme", "acme", "größe")).tags == ("acme", "größe")
    with pytest.raises(ValidationError, match="hashtag is one word"):
        options(tags=("acme corp",))


VALUES = st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.lists(st.text(), max_size=2)


@given(
    st.dictionaries(st.sampled_from(sorted(status(1))), VALUES),
    st.dictionaries(
        st.sampled_from(["acct", "note", "fields", "followers_count", "noindex", "indexable", "id"]), VALUES
    ),
)
def test_any_status_is_a_post_or_rejected_or_left_out(changes, of_account):
    where = visit(options())
    item = {**status(1, account=of_account), **changes}
    page = to_page(where, [item], lambda found: mastodon.to_post(found, where, "m.example", {}), cursor=None)
    assert page.posts.num_rows + len(page.rejected) + sum(page.left_out.values()) == 1


@given(st.dictionaries(st.sampled_from(["configuration", "domain"]), VALUES | st.dictionaries(st.text(), VALUES)))
def test_whatever_an_instance_says_of_itself_can_be_read(about):
    assert mastodon.closed(about, True) is None
