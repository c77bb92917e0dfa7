"""Kinds of words, from kinds.toml: negations, intensifiers, contrasts, spellings."""

import tomllib
from pathlib import Path

FILE = Path(__file__).parent / "kinds.toml"
_told = tomllib.loads(FILE.read_text(encoding="utf-8"))

NEGATIONS = frozenset(_told["negations"])
STRONGER = frozenset(_told["stronger"])
WEAKER = frozenset(_told["weaker"])
CONTRASTS = frozenset(_told["contrasts"])  # part a sentence
TURNS = frozenset(_told["turns"])  # those after which the writer says what counts for more
JOINTS = frozenset(_told["joints"])  # part a sentence where another brand follows
PRAISE = frozenset(_told["praise"])
MENDED = tuple(_told["mended"])  # beginnings of words
IRONY = frozenset(_told["irony"])
NEVER_LEARNED = frozenset(_told["never_learned"])  # left out of words.tsv
SPELLINGS: dict[str, str] = _told["spellings"]
