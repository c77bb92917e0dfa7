"""Which charset bytes are in that nobody declared, from how often which letters of which script stand in it.

Guessed are Japanese, Korean, Chinese, Thai, Cyrillic, Greek and Hebrew. Western European text is what remains
(windows-1252).
"""

import re

_SEEN = 20_000  # bytes that are looked at
_HIGH = re.compile(rb"[\x80-\xff]")
_RUN = re.compile(rb"[\x80-\xff]{2,}")  # letters side by side, as words of such scripts are
_PAIRS = re.compile(rb"(?:[\x81-\xfe][\x40-\x7e\x80-\xfe]){2,}")

_KANA = "\u3041-\u30fe"
_HAN = "\u4e00-\u9fff"

# Charset, letters that tell it, how large a share of all beyond ASCII they are at least; the narrowest signs first.
# Of an alphabet the ten letters that are written most: mistaken for another, it shows them by chance only.
_SIGNS = (
    ("euc_jp", _KANA, 0.2),
    ("cp932", _KANA, 0.2),
    ("cp949", "\uac00-\ud7a3", 0.7),
    ("cp1251", "оеаинтсрвл", 0.5),
    ("koi8-r", "оеаинтсрвл", 0.5),
    ("iso8859-5", "оеаинтсрвл", 0.5),
    ("cp1253", "αοιετσνηρά", 0.5),
    ("cp1255", "יולהארתבשמ", 0.5),
    ("tis-620", "านรอกเงยม่้วล", 0.5),
    ("gb18030", _HAN, 0.7),
    ("big5hkscs", _HAN, 0.7),
)
# Lead bytes of the few thousand common letters, and the least share of bytes that stand beside others beyond ASCII
_COMMON = {"gb18030": (0xB0, 0xD7, 0.85), "big5hkscs": (0xA1, 0xC6, 0.4)}
_ODD = re.compile("[\ufffd\ue000-\uf8ff\x80-\x9f]")


def guessed(body: bytes) -> str | None:
    """Return the charset of bytes that are not UTF-8, or None where they look like Western European text."""
    body = body[:_SEEN]
    high = len(_HIGH.findall(body))
    in_runs = sum(map(len, _RUN.findall(body)))
    if high < 10 or max(in_runs, sum(map(len, _PAIRS.findall(body))) / 1.5) < high * 0.7:
        return None
    for charset, letters, share in _SIGNS:
        text = body.decode(charset, "replace")
        beyond = len(re.findall(r"[^\x00-\x7f]", text))
        told = re.findall(f"[{letters}]", text)
        if len(told) < share * beyond or len(_ODD.findall(text)) * 50 > beyond + 50:
            continue
        if charset in _COMMON:
            first, last, side_by_side = _COMMON[charset]
            common = sum(first <= letter.encode(charset)[0] <= last for letter in told)
            if in_runs < high * side_by_side or common < 0.7 * len(told):
                continue
        return charset
    return None
