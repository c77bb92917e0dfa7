"""The reddit listener on replies that Reddit gave, through a stub; skipped where the recordings are not at hand.

The recordings are other people's posts: they stay where they are, and only totals and shapes are stated here.
"""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from listening import RECORDED, listen, posts
from stub_server import Answer, Request, serve

from listeners import reddit
from listeners.feed import FeedBlocked, FeedError, FeedFormatChanged, FeedUnavailable

FOLDER = RECORDED / "reddit" / "prawcore_errors"
SECRETS = {"ID": "an-id", "SECRET": "a-secret"}
TOKEN = Answer(b'{"access_token": "a-token", "token_type": "bearer", "expires_in": 86400, "scope": "*"}')

pytestmark = pytest.mark.skipif(not FOLDER.is_dir(), reason="no recorded replies of Reddit beside this project")


def recorded(name: str) -> Answer:
    """The reply of that name, with its own status and limits."""
    told = json.loads((FOLDER / f"{name}.headers.json").read_text())
    [body] = [path for path in FOLDER.glob(f"{name}.*") if not path.name.endswith(".headers.json")] or [
        Path("/dev/null")
    ]
    limits = {
        key: values[0] for key, values in told["headers"].items() if key.lower() in ("retry-after", "content-type")
    }
    limits |= {key: values[0] for key, values in told["headers"].items() if key.lower().startswith("x-ratelimit")}
    return Answer(body.read_bytes(), told["status"], limits)


async def hear(listing: Answer, token: Answer = TOKEN):
    def answer(request: Request) -> Answer:
        if request.path == "/token":
            return token
        empty = Answer(b'{"data": {"children": [], "after": null}}')
        return listing if listing.status != 200 or request.path.endswith("/new") else empty

    async with serve(answer) as stub:
        keys = {"client_id_env": "ID", "client_secret_env": "SECRET", "subreddits": ["all"]}
        feed = reddit.Options(id="r", source="reddit", url=stub.url, token_url=f"{stub.url}/token", **keys)
        return await listen(reddit, feed, secrets=SECRETS)


@pytest.mark.parametrize(
    ("name", "items"),
    [
        ("TestSession.test_request__get__01", 100),
        ("TestSession.test_request__with_invalid_access_token__retry__03", 25),
    ],
)
async def test_every_recorded_item_becomes_a_post(name, items):
    pages = await hear(recorded(name))
    rows = {row["post_id"]: row for row in posts(pages)}
    shown = [child["data"] for child in json.loads(recorded(name).body)["data"]["children"]]
    assert len(rows) == len(shown) == items
    assert not [rejected for page in pages for rejected in page.rejected]
    for item in shown:
        row = rows[f"reddit:{item['name']}"]
        assert row["published_at"] == datetime.fromtimestamp(item["created_utc"], UTC)
        assert (row["edited_at"] is not None) == bool(item["edited"])
        assert (row["likes"], row["replies"]) == (item["score"], item["num_comments"])
        assert row["title"]
        assert row["url"].endswith(item["permalink"])
        assert "<" not in row["text"].replace("<3", "") or item["selftext"]
        assert bool(row["text"]) == bool(item["selftext"] or not item["is_self"])


@pytest.mark.parametrize(
    ("name", "error"),
    [
        ("TestSession.test_request__too__many_requests__with_retry_headers__01", FeedUnavailable),  # a web page
        ("TestSession.test_request__forbidden__01", FeedBlocked),
        ("TestSession.test_request__with_invalid_access_token__01", FeedBlocked),
        ("TestSession.test_request__bad_gateway__01", FeedUnavailable),
        ("TestSession.test_request__cloudflare_unknown_error__01", FeedUnavailable),
        ("TestSession.test_request__unavailable_for_legal_reasons__01", FeedBlocked),
        ("TestSession.test_request__bad_json__01", FeedFormatChanged),
    ],
)
async def test_recorded_refusals_are_what_they_are(name, error):
    with pytest.raises(FeedError) as raised:
        await hear(recorded(name))
    assert type(raised.value) is error


@pytest.mark.parametrize(
    ("name", "error"),
    [
        ("TestSession.test_request__too__many_requests__without_retry_headers__00", FeedUnavailable),
        ("TestAuthorizer.test_refresh__with_invalid_token__00", FeedBlocked),
    ],
)
async def test_recorded_refusals_of_a_token_are_what_they_are(name, error):
    with pytest.raises(error):
        await hear(Answer(), token=recorded(name))
