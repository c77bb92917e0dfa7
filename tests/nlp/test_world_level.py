"""How well sentiment and moves are read in the world of the built-in feed server, whose truth is known.

Its texts were written apart from the rules. `pytest -s tests/nlp/test_world_level.py` prints the figures of
nlp/brand_sentiment.md.
"""

from collections import Counter
from datetime import UTC, datetime
from importlib.resources import files
from tomllib import loads

from listeners.feed_server.world import make_world
from nlp.brand_sentiment import names
from nlp.brands import Brand
from nlp.evaluate_sentiment import scores
from nlp.languages import detect
from nlp.matcher import Matcher
from nlp.opinion.judge import judge

SEED = 29  # a world that no rule was tuned on; seed 3 was looked at
UNTIL = datetime(2026, 11, 20, tzinfo=UTC)


def test_mentions_in_the_built_in_world_are_judged_at_the_level_stated():
    told = loads(files("listeners.feed_server").joinpath("listening.toml").read_text(encoding="utf-8"))["brand"]
    brands = [Brand(**{key: value for key, value in brand.items() if key in Brand.model_fields}) for brand in told]
    matcher = Matcher(brands)
    world = make_world(SEED, UNTIL)
    wanted: list[int] = []
    given: list[int] = []
    moves: Counter[str] = Counter()
    for post in world.visible(UNTIL, "mastodon", "hackernews", "courier", "herald", "blog", "reviews"):
        text = f"{post.title}\n\n{post.text}" if post.title else post.text
        if detect(text, post.language) not in (None, "en"):
            continue
        judged = judge(text, names(matcher.matches(text)))
        for brand in judged.opinions.keys() & post.truth.sentiments.keys():
            wanted.append(post.truth.sentiments[brand])
            given.append(judged.opinions[brand].sentiment)
        found = [tuple(judged.switches[0])] if judged.switches else []
        moves["told"] += post.truth.switch is not None
        moves["found"] += bool(found)
        moves["right"] += post.truth.switch is not None and post.truth.switch in found
    reached = scores(wanted, given)
    print(f"\n{reached.texts} mentions: macro recall {reached.macro_recall:.1%}, macro F1 {reached.macro_f1:.1%}")
    praise = [mine for side, mine in zip(wanted, given, strict=True) if side == 1]
    print(f"praise read as complaint: {praise.count(-1) / len(praise):.0%}")
    print(f"moves: {moves['told']} told, {moves['found']} found, {moves['right']} right in both sides and status")
    assert reached.macro_recall > 0.6
    assert moves["right"] > 0.6 * moves["found"]
