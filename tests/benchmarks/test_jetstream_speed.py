"""How fast the posts of a Jetstream are read and held against a thousand names; beside json.loads and the same filter.

The events are made up, in the sizes and shapes of real ones: posts, replies, links and cards, some in scripts without
ASCII letters, some deletions, edits and accounts that close. One in a hundred posts names a brand.
"""

import json
import random
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
import pytest

from listeners.bluesky_record import Record, shown_text
from listeners.feed import NAMES_NO_BRAND
from listeners.jetstream import decoded
from nlp.brands import Brand
from nlp.matcher import Matcher

EVENTS = 200_000
ALIASES = 1_000
BRANDED_EVERY = 100

SAID = """
the and that we this with have from they would there their what about which when make like time just him know take
people into year your good some could them see other than then now look only come its over think also back after
use two how our work first well way even new want because any these give day most us train window coffee garden
router invoice parcel ticket weather market river football election bread teacher hospital printer kitchen
"""
WORDS = SAID.split()
ENDINGS = ("ara", "ova", "ent", "ix", "ium")
OTHER_SCRIPTS = (
    "今日はとても天気がいいので散歩に行きます。",
    "Сегодня мы наконец-то починили старый телевизор.",
    "오늘은 새로운 책을 읽었어요 ☕️",
)
CID = "bafyrei" + "abcdefghijklmnopqrstuvwxyz234567" * 2  # as long as they are


def brands() -> list[Brand]:
    """A thousand names, of which some begin like words that everybody uses."""
    beginnings = [word.title() for word in WORDS if len(word) > 3]
    names = [f"{beginnings[n % len(beginnings)]}{ENDINGS[n % 5]}{n}" for n in range(ALIASES)]
    return [Brand(name=names[n], aliases=tuple(names[n + 1 : n + 5])) for n in range(0, ALIASES, 5)]


def messages(names: list[str]) -> Iterator[bytes]:
    """Events as they come, the same in every run."""
    rng = random.Random(7)
    for number in range(EVENTS):
        did = "did:plc:" + f"{rng.getrandbits(120):030x}"[:24]
        event = {"did": did, "time_us": 1_795_000_000_000_000 + 16_000 * number}
        key = f"3m{number:011d}"
        dice = rng.random()
        if dice < 0.02:
            account = {"active": dice > 0.01, "did": did, "seq": number, "time": "2026-11-20T12:00:00.000Z"}
            event |= {"kind": "account", "account": account | ({} if dice > 0.01 else {"status": "deleted"})}
        elif dice < 0.12:
            commit = {"rev": key, "operation": "delete", "collection": "app.bsky.feed.post", "rkey": key}
            event |= {"kind": "commit", "commit": commit}
        else:
            commit = {
                "rev": key,
                "operation": "create" if dice > 0.13 else "update",
                "collection": "app.bsky.feed.post",
                "rkey": key,
                "record": record(rng, did, names[number % len(names)] if number % BRANDED_EVERY == 0 else None),
                "cid": CID,
            }
            event |= {"kind": "commit", "commit": commit}
        yield json.dumps(event, ensure_ascii=False, separators=(",", ":")).encode()


def record(rng: random.Random, did: str, name: str | None) -> dict:
    """A post."""
    text = " ".join(rng.choices(WORDS, k=rng.randint(4, 45)))
    if rng.random() < 0.3:
        text = f"{text} {rng.choice(OTHER_SCRIPTS)}"
    text = f"{text} {name} again" if name else text
    made: dict = {"$type": "app.bsky.feed.post", "createdAt": "2026-11-20T12:00:00.000Z", "langs": ["en"], "text": text}
    uri = f"https://news.example/{rng.getrandbits(32):08x}/what-happened-in-town"
    if rng.random() < 0.5:
        other = {"cid": CID, "uri": f"at://{did}/app.bsky.feed.post/3m00000000000"}
        made["reply"] = {"parent": other, "root": other}
    dice = rng.random()
    if dice < 0.2:
        start = len(text.encode()) + 1
        made["text"] = f"{text} news.example/{uri[21:29]}..."
        link = {"$type": "app.bsky.richtext.facet#link", "uri": uri}
        made["facets"] = [{"index": {"byteStart": start, "byteEnd": start + 24}, "features": [link]}]
    if dice < 0.3:
        thumb = {"$type": "blob", "ref": {"$link": CID}, "mimeType": "image/jpeg", "size": 119_635}
        external = {"description": "What happened, and why", "thumb": thumb, "title": "In town", "uri": uri}
        made["embed"] = {"$type": "app.bsky.embed.external", "external": external}
    elif dice < 0.6:
        picture = {"$type": "blob", "ref": {"$link": CID}, "mimeType": "image/jpeg", "size": 519_635}
        shown = {"alt": "A window, and a garden", "aspectRatio": {"height": 1500, "width": 2000}, "image": picture}
        made["embed"] = {"$type": "app.bsky.embed.images", "images": [shown]}
    return made


def plainly(lines: list[bytes], wanted: Callable[[str | None, str], bool]) -> int:
    """The yardstick: each message read whole by json.loads, the rest alike."""
    found = 0
    for line in lines:
        event = json.loads(line)
        if event["kind"] == "commit" and event["commit"]["operation"] != "delete":
            found += wanted(None, shown_text(msgspec.convert(event["commit"]["record"], Record)))
    return found


@pytest.mark.benchmark
def test_two_hundred_thousand_events_against_a_thousand_names(tmp_path: Path):
    all_brands = brands()
    replay = tmp_path / "events.jsonl"
    names = [name for brand in all_brands for name in (brand.name, *brand.aliases)]
    replay.write_bytes(b"\n".join(messages(names)))
    lines = replay.read_bytes().split(b"\n")
    wanted = Matcher(all_brands).names_any

    def ours() -> int:
        with replay.open("rb") as file:
            batch = decoded(file, wanted)
        assert not batch.unreadable
        assert batch.events == EVENTS
        assert batch.left_out[NAMES_NO_BRAND] > EVENTS // 2
        return len(batch.posts) + batch.left_out["deleted"]

    def typed() -> int:
        return decoded(lines, lambda title, text: False).events

    def timed(work: Callable[[], int]) -> tuple[int, float]:
        began = time.process_time()
        result = work()
        return result, time.process_time() - began

    found, seconds = timed(ours)
    _, decoding = timed(typed)
    plain, plain_seconds = timed(lambda: plainly(lines, wanted))
    print(
        f"\nstream filter: {EVENTS / seconds:,.0f} events a CPU second ({len(names):,} names, "
        f"{sum(map(len, lines)) / EVENTS:.0f} bytes an event, {found:,} posts found); "
        f"decoding alone {EVENTS / decoding:,.0f}"
        f"\njson.loads and the same names: {EVENTS / plain_seconds:,.0f} events a CPU second, {plain:,} posts found"
        f"\nratio: {plain_seconds / seconds:.1f} times as fast"
    )
    assert found == plain
    assert found >= EVENTS // BRANDED_EVERY * 0.85
