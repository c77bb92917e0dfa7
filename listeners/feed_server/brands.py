"""The four made-up providers of the world and how people speak of them.

Bluefin is also a tuna and Larkspur also a flower, so that ambiguity is exercised.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class WorldBrand:
    """A provider: how often it is spoken of, in which mood, and about what.

    weight: its part of all mentions. mood: weights of negative, neutral and positive posts. spellings: how people write
    it, with weights. troubles, strengths: aspects that come up more often than others. home: where its account lives.
    """

    name: str
    weight: float
    mood: tuple[float, float, float]
    spellings: dict[str, float]
    troubles: tuple[str, ...]
    strengths: tuple[str, ...]
    home: str

    @property
    def handle(self) -> str:
        """The account's name without @."""
        return self.name.lower()

    @property
    def domain(self) -> str:
        """The company's site."""
        return f"{self.handle}.example"


def _spellings(name: str, *more: str) -> dict[str, float]:
    lower = name.lower()
    return {name: 10, lower: 2.5, f"@{lower}": 2, f"#{name}": 1, f"#{lower}": 0.8, **dict.fromkeys(more, 0.6)}


BRANDS = (
    WorldBrand(
        "Telvane",
        0.32,
        (0.42, 0.28, 0.30),
        _spellings("Telvane", "Telvane Mobile", "Telvane Broadband", "TELVANE"),
        ("billing", "support", "reliability", "price"),
        ("reliability", "staff"),
        "mouse.example",
    ),
    WorldBrand(
        "Northlink",
        0.28,
        (0.32, 0.30, 0.38),
        _spellings("Northlink", "Northlink Fibre", "@northlink@social.example", "NorthLink"),
        ("delivery", "app", "price"),
        ("reliability", "delivery"),
        "social.example",
    ),
    WorldBrand(
        "Bluefin",
        0.20,
        (0.35, 0.33, 0.32),
        _spellings("Bluefin", "Bluefin Mobile", "Bluefin Broadband"),
        ("reliability", "support", "staff"),
        ("price", "app"),
        "mouse.example",
    ),
    WorldBrand(
        "Larkspur",
        0.20,
        (0.15, 0.29, 0.56),
        _spellings("Larkspur", "Larkspur Telecom", "Larkspur Mobile"),
        ("price", "place"),
        ("support", "staff", "billing"),
        "toot.example",
    ),
)

BY_NAME = {brand.name: brand for brand in BRANDS}
