"""The github listener on replies that GitHub gave, through a stub; skipped where the recordings are not at hand.

The recordings are other people's issues: they stay where they are, and only totals and shapes are stated here.
"""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from listening import NOW, RECORDED, Clock, listen, polite, posts, visit
from stub_server import Answer, Request, serve

from listeners import github

OCTOKIT = RECORDED / "github" / "octokit"

pytestmark = pytest.mark.skipif(not OCTOKIT.is_dir(), reason="no recorded replies beside this project")


def headers_of(body: Path) -> dict[str, str]:
    flat = json.loads(body.with_name(body.name.replace(".json", ".headers.json")).read_text())["headers"]
    pairs = zip(flat[::2], flat[1::2], strict=True)
    return {name.lower(): value for name, value in pairs if name.lower().startswith(("x-ratelimit", "content-type"))}


def issues(what: Any) -> list[dict[str, Any]]:
    """Every issue in a recorded body, whatever it was an answer to."""
    found = what.get("items", [what]) if isinstance(what, dict) else what if isinstance(what, list) else []
    return [one for one in found if isinstance(one, dict) and {"number", "title", "html_url", "user"} <= set(one)]


async def test_a_recorded_search_gives_its_issues():
    body = OCTOKIT / "search-issues__03.json"
    given = json.loads(body.read_bytes())

    def answer(request: Request) -> Answer:
        assert "is:issue" in request.query["q"]
        return Answer(body.read_bytes(), headers=headers_of(body))

    async with serve(answer) as stub, polite(Clock()) as client:
        feed = github.Options(id="g", source="github", url=stub.url, query=("sesame",))
        pages = [page async for page in github.pages(visit(feed, client.visit("g")))]
    stored = posts(pages)
    assert len(stored) == given["total_count"] == len(given["items"]) == 2
    assert not [page.rejected for page in pages if page.rejected]
    assert not any(page.capped or page.suspect for page in pages)
    assert len({post["post_id"] for post in stored}) == 2
    assert all(re.fullmatch("[0-9a-f]{32}", post["author"]) for post in stored)
    assert all(post["published_at"].year == 2022 and post["likes"] == post["replies"] == 0 for post in stored)
    assert [post["url"] for post in stored] == [one["html_url"] for one in given["items"]]


async def test_every_recorded_issue_becomes_a_post():
    files = sorted(path for path in OCTOKIT.glob("*.json") if not path.name.endswith(".headers.json"))
    found = {one["id"]: one for path in files if path.stat().st_size for one in issues(_parsed(path))}
    search = json.dumps({"total_count": len(found), "incomplete_results": False, "items": list(found.values())})
    async with serve(lambda _: Answer(search.encode())) as stub:
        feed = github.Options(id="g", source="github", url=stub.url, query=("x",))
        pages = await listen(github, feed, started_at=NOW)
    assert len(posts(pages)) == len(found) >= 10
    assert not [page.rejected for page in pages if page.rejected]


def _parsed(path: Path) -> Any:
    try:
        return json.loads(path.read_bytes())
    except ValueError:
        return None  # some answers have no body, and what stands for one is no JSON
