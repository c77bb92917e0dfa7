"""What a sentence says of each brand it names, by the rules; sentences written for these tests."""

import pytest

from nlp.brand_sentiment import names
from nlp.brands import Brand
from nlp.matcher import Matcher
from nlp.opinion.judge import Switch, judge

MATCHER = Matcher(
    [Brand(name="Acme", aliases=("Acme Corp",), handles=("@acme",)), Brand(name="Globex"), Brand(name="Initech")]
)


def sides(text, about=()):
    """Return brand -> -1, 0 or 1 as judged."""
    opinions = judge(text, names(MATCHER.matches(text)), about=about).opinions
    return {brand: opinion.sentiment for brand, opinion in opinions.items()}


ONE_BRAND = [
    ("Acme charged me twice and nobody answers the phone", -1),
    ("been on hold for 50 minutes with Acme", -1),
    ("@acme still waiting for my router. Third week now.", -1),
    ("Third time this month the internet is down. Never again, Acme.", -1),
    ("I would not recommend Acme to anyone", -1),
    ("Acme is not helpful at all", -1),
    ("The app keeps crashing since the update. Acme please fix this", -1),
    ("avoid Acme like the plague", -1),
    ("Acme lied to me about the cancellation fee", -1),
    ("acme is sooooo bad omg", -1),
    ("ACME HAS THE WORST SUPPORT EVER", -1),
    ("Acme 😡😡😡", -1),
    ("Acme is a joke", -1),
    ("Acme customers' data leaked after a breach, regulators say", -1),
    ("The router looks nice but Acme support is terrible", -1),
    ("The guy in the Acme shop was so rude to my mum", -1),
    ("Thanks for nothing @acme", -1),
    ("Great job losing my parcel again, Acme", -1),
    ("oh great, another outage. love paying Acme for this", -1),
    ("I just love waiting two hours for Acme to pick up", -1),
    ("Best day ever at Acme, only four hours in the queue /s", -1),
    ("Everyone at work says Acme overcharges", -1),
    ("My sister was billed twice by Acme", -1),
    ("cancelled my Acme contract today, feels good", -1),
    ("I don't trust Acme with my data", -1),
    ("Acme finally works again", 1),
    ("Shout out to Ana at Acme, she sorted my bill in five minutes", 1),
    ("kudos to @acme, replaced it for free, no questions asked", 1),
    ("I love my new Acme phone", 1),
    ("Acme has never let me down", 1),
    ("nothing beats Acme", 1),
    ("Honestly can't fault Acme, great value", 1),
    ("Acme support was really helpful and friendly", 1),
    ("Acme ❤️ best coverage in the valley", 1),
    ("It was expensive, but Acme is worth every penny", 1),
    ("Not bad at all, Acme", 1),
    ("happy with Acme so far", 1),
    ("thanks @acme for the quick fix!", 1),
    ("Acme opens a new store in Lisbon on Monday", 0),
    ("Does anyone know if Acme works in Spain?", 0),
    ("What time does the Acme shop close?", 0),
    ("Acme announces quarterly results on Thursday", 0),
    ("I saw an Acme van on my street", 0),
    ("Acme", 0),
]


@pytest.mark.parametrize(("text", "side"), ONE_BRAND)
def test_a_sentence_about_one_brand(text, side):
    assert sides(text) == {"Acme": side}


TWO_BRANDS = [
    ("Globex beats Acme again", -1, 1),
    ("Globex is so much better than Acme", -1, 1),
    ("Acme is worse than Globex", -1, 1),
    ("Acme is cheaper than Globex", 1, -1),
    ("I prefer Globex to Acme", -1, 1),
    ("Acme can't compete with Globex", -1, 1),
    ("Acme is nowhere near as reliable as Globex", -1, 1),
    ("Left Acme for Globex and never looked back", -1, 1),
    ("we switched from Acme to Globex in May", -1, 1),
    ("just moved to Globex from Acme", -1, 1),
    ("Cancelled Acme and went to Globex", -1, 1),
    ("Thinking of leaving Acme for Globex", -1, 1),
    ("Back with Acme after a month at Globex", 1, -1),
    ("Unlike Acme, Globex has friendly staff", -1, 1),
    ("Globex, unlike Acme, is great at refunds", -1, 1),
    ("Acme is great but Globex is terrible", 1, -1),
    ("I love Acme, I hate Globex", 1, -1),
    ("Acme support was rude. Globex sorted it in ten minutes.", -1, 1),
    ("Acme overcharged me again while Globex has been brilliant", -1, 1),
    ("fed up with Acme so I'm trying Globex", -1, None),
    ("Should have stayed with Acme, Globex is a nightmare", 1, -1),
    ("Both Acme and Globex are terrible", -1, -1),
    ("Acme and Globex are both great", 1, 1),
    ("Acme and Globex announce a roaming agreement", 0, 0),
    ("Acme over Globex any day", 1, -1),
]


@pytest.mark.parametrize(("text", "acme", "globex"), TWO_BRANDS)
def test_a_sentence_that_sets_two_brands_side_by_side(text, acme, globex):
    judged = sides(text)
    assert judged["Acme"] == acme
    if globex is not None:
        assert judged["Globex"] == globex


SWITCHES = [
    ("Left Acme for Globex yesterday", Switch("Acme", "Globex", "done")),
    ("switched from Acme to Globex", Switch("Acme", "Globex", "done")),
    ("just moved to Globex from Acme", Switch("Acme", "Globex", "done")),
    ("thinking of switching from Acme to Globex", Switch("Acme", "Globex", "considered")),
    ("If this goes on I will leave Acme for Globex", Switch("Acme", "Globex", "considered")),
    ("Back with Acme after a month at Globex", Switch("Globex", "Acme", "returned")),
    ("cancelled my Acme contract", Switch("Acme", None, "done")),
    ("so glad I switched to Globex", Switch(None, "Globex", "done")),
    ("Not switching to Globex after all", None),
    ("Globex beats Acme", None),
    ("I left Acme at five and took the bus", None),
]


@pytest.mark.parametrize(("text", "switch"), SWITCHES)
def test_a_move_between_brands_is_told_with_its_status(text, switch):
    assert judge(text, names(MATCHER.matches(text))).switches == ([switch] if switch else [])
