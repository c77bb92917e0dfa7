"""A video of YouTube as a row of posts, whether its channel's feed tells of it or the API."""

from typing import Any

from listeners.consent import without_opt_in
from listeners.feed import Visit
from listeners.plain_text import clean
from listeners.post import row
from listeners.youtube_comments import WATCH_PAGE, post_id


def video_row(
    visit: Visit,
    video: str,
    *,
    title: str,
    text: str,
    account: str | None,
    published_at: object,
    views: object,
) -> dict[str, Any]:
    """Return the row. Raises LeftOut where consent is lacking."""
    return row(
        visit,
        post_id=post_id(video),
        kind="video",
        url=f"{WATCH_PAGE}{video}",
        title=clean(title),
        text=clean(text),
        account=account,
        published_at=published_at,
        views=views,
        consent=without_opt_in(visit),
    )
