"""Made-up texts that hold personal data and figures that are none, to measure how well they are told apart.

All are generated: nobody's number is among them but by chance. The forms are those that people write, the awkward ones
too, whether `masked` knows them or not.
"""

import random
from typing import NamedTuple

FIRST = ["ann", "bob", "carla", "dmitri", "elif", "jürgen", "kwame", "li", "maría", "zoë"]
LAST = ["smith", "okafor", "garcía", "novak", "tan", "o'brien", "meyer", "silva", "rossi", "haddad"]
HOSTS = ["gmail.com", "example.org", "mail.example.co.uk", "post.example.de", "münchen.example", "x-y.example.io"]
BRANDS = ["Acme", "Globex"]
MAILS = [
    "{f}.{l}@{h}", "{f}{n}@{h}", "{f}_{l}@{h}", "{f}+acme@{h}", "{f}-{l}@{h}", "{F}.{L}@{h}", "{f} (at) {h}",
    "{f}.{l}[at]{h}", "{f} [at] example [dot] org", "{f} at gmail dot com", "{n}{f}@{h}",
    "{f}.{l} @ {h}", "{f}.{l} at {h}",
]  # fmt: skip
PHONES = [
    "+44 20 7### ####", "+4420########", "+49 (0)30 #######", "+49 151 ########", "+1 (415) 555-####",
    "+1-212-555-####",
    "+33 6 ## ## ## ##", "+39 06 ########", "+91 98### #####", "+86 138 #### ####", "+55 (11) 9####-####",
    "+61 4## ### ###",
    "0044 20 7### ####", "(415) 555-####", "415-555-####", "415.555.####", "1-800-555-####", "07700 900###",
    "07700900###",
    "020 7946 0###", "(020) 7946 0###", "030/#######", "0151 ########", "06 ## ## ## ##", "0800 123 ####",
]  # fmt: skip
LOCAL_PHONES = ["### ####", "###-####", "#######", "91# ### ###", "5########", "8 (916) ###-##-##"]  # told by a word
ACCOUNTS = [  # country and what follows the check digits
    ("DE", "#" * 18), ("GB", "ABCD" + "#" * 14), ("FR", "#" * 20 + "A##"), ("NL", "ABNA" + "#" * 10), ("BE", "#" * 12),
    ("NO", "#" * 11), ("ES", "#" * 20), ("CH", "#" * 17),
]  # fmt: skip
CALL = ["call me on {}", "my mobile: {}", "Tel. {}", "text me at {}", "ring {} after six", "phone number is {}"]
SAY = [
    "reach out to {}",
    "that was {} who answered",
    "I wrote to {}",
    "{} is mine",
    "anyone know {}?",
    "it's {}, thanks",
]
KEPT = [
    "order {9}", "order #{10}", "order number {12}", "ticket {8}", "case 00{8}", "tracking number 1Z999AA1{10}",
    "parcel {14}", "invoice 2026-{6}", "ref: {3}-{7}-{7}", "@acme", "@acme@mastodon.example", "#acme2026",
    "support@acme.example", "help@globex.example", "no-reply@acme.example", "https://acme.example/o/{12}?id={10}",
    "www.acme.example/{9}", "2026-11-28", "28.11.2026", "28/11/2026 10:30", "1,234,567 users", "£1 234 567.00",
    "192.168.100.200",
    "version 10.15.7.2044", "ISBN 978-0-306-40615-7", "IMEI 35{13}", "model SM-G{6}", "serial C02{7}",
    "2010-2015", "2019 - 2026", "0.00012345678", "51.5073219, -0.1276474", "1700000000", "100000000 people",
    "+1000000 from me",
    "id 17{15}", "u/ann@lemmy.example", "!tech@lemmy.example", "https://fediverse.example/@ann@other.example/11{15}",
    "npm install pkg@10.2.3", "git@github.example:acme/app.git", "build 20261128.1234567", "12:30-14:45",
    "AB12 3456 7890 1234",
    "99.9999999 %", "3 x 400 000 mA", "1.000.000 Kunden", "booking KX7{5}", "port 8080 and 5432 and 6379",
]  # fmt: skip


class Said(NamedTuple):
    """A text, and what in it is personal (or must be kept, where kind is `kept`)."""

    kind: str
    what: str
    text: str


def personal_texts(seed: int, of_each: int) -> list[Said]:
    """Return so many texts of each kind: mail, phone, card, iban and kept."""
    chance = random.Random(seed)
    makers = {"mail": _mail, "phone": _phone, "card": _card, "iban": _iban, "kept": _kept}
    return [_said(kind, make, chance) for kind, make in makers.items() for _ in range(of_each)]


def _said(kind, make, chance) -> Said:
    what, around = make(chance)
    brand = chance.choice(BRANDS)
    before = chance.choice(
        ["", f"{brand} still owes me 30 pounds. ", f"Dear {brand}, ", "3 days and nothing! ", "RT @ann: "]
    )
    after = chance.choice(["", ".", " - and nobody answers", f", {brand}?", "\n2 stars", " (again)", "!!!"])
    return Said(kind, what, f"{before}{around.format(what)}{after}")


def _mail(chance) -> tuple[str, str]:
    first, last = chance.choice(FIRST), chance.choice(LAST)
    parts = {"f": first, "l": last, "F": first.title(), "L": last.title(), "n": chance.randrange(1, 1000)}
    return chance.choice(MAILS).format(h=chance.choice(HOSTS), **parts), chance.choice(
        [*SAY, "mailto:{}", "({})", "<{}>"]
    )


def _phone(chance) -> tuple[str, str]:
    if (draw := chance.random()) < 0.03:  # nothing tells that it is a phone's
        return _digits(chance, chance.choice(LOCAL_PHONES)), chance.choice(SAY)
    if draw < 0.25:
        return _digits(chance, chance.choice(LOCAL_PHONES)), chance.choice(CALL)
    return _digits(chance, chance.choice(PHONES)), chance.choice([*CALL, *SAY])


def _card(chance) -> tuple[str, str]:
    begins, length = chance.choice(
        [("4", 16), ("51", 16), ("55", 16), ("2221", 16), ("34", 15), ("37", 15), ("6011", 16)]
    )
    body = begins + "".join(chance.choice("0123456789") for _ in range(length - 1 - len(begins)))
    number = body + str(-_luhn(body + "0") % 10)
    groups = (4, 6, 5) if length == 15 else (4, 4, 4, 4)
    forms = [number, _grouped(number, groups, " "), _grouped(number, groups, "-")]
    written = chance.choice([*forms * 8, _grouped(number, (8, 8), " "), _grouped(number, groups, ".")])
    return written, chance.choice([*SAY, "card {}", "they charged {} twice", "card ending in {}"])


def _iban(chance) -> tuple[str, str]:
    country, body = chance.choice(ACCOUNTS)
    body = _digits(chance, body)
    as_number = "".join(str(int(one, 36)) for one in f"{body}{country}00")
    number = f"{country}{98 - int(as_number) % 97:02}{body}"
    written = chance.choice([number, number.lower(), _grouped(number, [4] * 9, " ")])
    return written, chance.choice([*SAY, "IBAN {}", "IBAN: {} please"])


def _kept(chance) -> tuple[str, str]:
    what = chance.choice(KEPT)
    for length in range(15, 2, -1):
        while f"{{{length}}}" in what:
            number = _digits(chance, "#" * length)
            what = what.replace(f"{{{length}}}", number, 1)
    return what, chance.choice(["{}", "about {}", "see {} please"])


def _digits(chance, form: str) -> str:
    return "".join(chance.choice("123456789") if one == "#" else one for one in form)


def _grouped(number: str, groups, between: str) -> str:
    parts, start = [], 0
    for length in groups:
        parts.append(number[start : start + length])
        start += length
    return between.join(part for part in parts if part)


def _luhn(number: str) -> int:
    digits = [int(one) for one in number[::-1]]
    return sum(digits[::2]) + sum(sum(divmod(2 * one, 10)) for one in digits[1::2])
