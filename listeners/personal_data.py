"""What must not be stored of what people write: mail addresses, phone numbers, card numbers, IBANs.

Each is masked by words that say what stood there, before a post's version is taken, so that an edit stays an edit. What
people need to be helped stays: handles (@acme, @acme@mastodon.social), addresses of pages, mailboxes of a function
rather than a person (support@acme.com), numbers of orders, tickets, parcels, and all figures that are not surely a
phone's or a card's. A card number has the check digit of ISO/IEC 7812, an IBAN that of ISO 13616. A phone number begins
with + or 00 and a country (E.164), or with 0, or is grouped as in North America, or stands behind a word such as call
or tel. How much is found: tests/listeners/test_personal_data.py.
"""

import re

MAIL, PHONE, CARD, IBAN = "(mail address)", "(phone number)", "(card number)", "(account number)"
_MASK = re.compile("|".join(map(re.escape, (MAIL, PHONE, CARD, IBAN))))

# Most texts hold nothing of the kind, and are told apart by an at sign, or one in words, or seven digits in a row, as
# every IBAN has them too
_DIGITS = re.compile(r"[0-9](?:[^\w\n]{0,3}[0-9]){6}")
_AT_IN_WORDS = ("(at", "[at", "{at", " dot ")

_OF_A_FUNCTION = frozenset(
    {
        "abuse", "account", "accounts", "admin", "billing", "booking", "bookings", "business", "cancel", "care",
        "careers", "claims", "community", "complaints", "contact", "customer", "customercare", "customerservice",
        "customersupport", "delivery", "dpo", "enquiries", "events", "feedback", "finance", "git", "hello", "help",
        "helpdesk", "hi", "hostmaster", "hr", "info", "inquiries", "invoice", "invoices", "it", "jobs", "kontakt",
        "legal", "mail", "marketing", "media", "membership", "news", "newsletter", "no-reply", "noc", "noreply",
        "notifications", "office", "order", "orders", "partners", "payments", "postmaster", "pr", "press", "presse",
        "privacy", "recruiting", "refunds", "reservations", "returns", "root", "sales", "security", "service",
        "services", "shop", "signup", "support", "team", "tech", "techsupport", "tickets", "tips", "webmaster",
        "welcome",
    }
)  # fmt: skip

_AT = r"(?:@|\s{0,2}[(\[{]\s{0,2}at\s{0,2}[)\]}]\s{0,2})"
_DOT = r"(?:\.|\s{0,2}[(\[{]\s{0,2}(?:dot|\.)\s{0,2}[)\]}]\s{0,2})"
_LABEL = r"[^\W_](?:[\w-]{0,61}[^\W_])?"
_MAIL = re.compile(
    # not within a longer name, nor a handle: @ann@host, /u/ann@host, !community@host
    rf"(?<![\w.+%'@/!-])(?P<local>[\w.+%'-]{{1,64}})"
    rf"(?:(?:{_AT}|(?P<apart> @ )){_LABEL}(?:{_DOT}{_LABEL}){{0,4}}{_DOT}[^\W\d_]{{2,24}}"
    rf"|\sat\s{_LABEL}\sdot\s[^\W\d_]{{2,24}})(?![\w@])",
    re.IGNORECASE,
)

_LINK = r"(?:https?://|www\.)[^\s<>]+"
_SPACE = r"[ \t\xa0.\-‐-―/()]"
_NUMBERS = re.compile(
    rf"(?P<link>{_LINK})"
    r"|(?<![^\W_])(?P<iban>[A-Z]{2}\d\d(?:[ -]?[A-Z0-9]{4}){2,7}(?:[ -]?[A-Z0-9]{1,3})?)(?![^\W_])"
    rf"|(?<![\w.,+])(?P<number>(?:\(?\+|\()?\d(?:{_SPACE}{{0,3}}\d){{6,22}})(?![\w%])",
    re.IGNORECASE,
)

# What stands right before a number and tells what it is
_OF_AN_ORDER = re.compile(
    r"(?i)(?:#|\b(?:order|ticket|case|ref|reference|tracking|parcel|shipment|invoice|booking|confirmation|account|"
    r"customer|contract|policy|claim|serial|imei|isbn|ean|upc|sku|model|part|version|build|incident|request|complaint|id|"
    r"bestell\w*|auftrags?\w*|rechnung\w*|kunden\w*|sendung\w*|commande|facture|pedido|factura|ordine)\b"
    r"[\s:.#-]{0,3}(?:(?:no|nr|number|num|id|code|is|was|n°|nº)\b[\s:.#-]{0,3}){0,3}#?)$"
)
_OF_A_PHONE = re.compile(
    r"(?i)(?:☎|📞|📱|\b(?:call|called|calling|phone|telephone|tel|mobile|cell|cellphone|ring|dial|text|sms|fax|hotline|"
    r"whatsapp|viber|signal|telegram|reach|telefon|telefono|teléfono|téléphone|tél|handy|móvil|ruf|rufnummer|anrufen)\b"
    r"[^\d\n]{0,24})$"
)
_DATE = re.compile(r"\d{4}[-./]\d{1,2}[-./]\d{1,2}(?!\d)|\d{1,2}[-./]\d{1,2}[-./]\d{4}(?!\d)")
_QUAD = re.compile(r"\d{1,3}(?:\.\d{1,3}){3}")  # an address of a machine, or a version
_YEARS = re.compile(r"(?:19|20)\d\d[\s‐-―/-]+(?:19|20)\d\d")
_NORTH_AMERICAN = re.compile(r"(?:1[\s.-]{1,3})?(?:\([2-9]\d\d\)\s{0,2}|[2-9]\d\d[\s.-])\d{3}[\s.-]\d{4}")
_CARD_GROUPS = re.compile(r"\d{13,19}|\d{4}(?:([ -])\d{4})(?:\1\d{4})\1\d{1,7}|\d{4}([ -])\d{6}\2\d{4,5}")
_CARD_BEGINS = re.compile(r"4|5[0-8]|2[2-7]|3[0-9]|6[0-9]")  # Visa, Mastercard, Amex, Diners, JCB, Discover, Maestro
_BEFORE = 48  # characters

_IBAN_LENGTHS = {  # of the registry's countries, SWIFT, release 99 (2024-12)
    "AD": 24, "AE": 23, "AL": 28, "AT": 20, "AZ": 28, "BA": 20, "BE": 16, "BG": 22, "BH": 22, "BR": 29, "BY": 28,
    "CH": 21, "CR": 22, "CY": 28, "CZ": 24, "DE": 22, "DK": 18, "DO": 28, "EE": 20, "EG": 29, "ES": 24, "FI": 18,
    "FO": 18, "FR": 27, "GB": 22, "GE": 22, "GI": 23, "GL": 18, "GR": 27, "GT": 28, "HR": 21, "HU": 28, "IE": 22,
    "IL": 23, "IQ": 23, "IS": 26, "IT": 27, "JO": 30, "KW": 30, "KZ": 20, "LB": 28, "LI": 21, "LT": 20, "LU": 20,
    "LV": 21, "MC": 27, "MD": 24, "ME": 22, "MK": 19, "MR": 27, "MT": 31, "MU": 30, "NL": 18, "NO": 15, "PK": 24,
    "PL": 28, "PS": 29, "PT": 25, "QA": 29, "RO": 24, "RS": 22, "SA": 24, "SE": 24, "SI": 19, "SK": 24, "SM": 27,
    "TN": 24, "TR": 26, "UA": 29, "VA": 22, "XK": 20,
}  # fmt: skip


def masked(text: str) -> str:
    """Return a text in which personal data is masked, the same text where there is none.

    Masking twice changes nothing.
    """
    if "@" in text or _spells_an_at(text.lower()):
        text = _MAIL.sub(_mail, text)
    return _NUMBERS.sub(_number, text) if _DIGITS.search(text) else text


def _spells_an_at(text: str) -> bool:
    for sign in _AT_IN_WORDS:  # noqa: SIM110  a generator for `any` costs more than all the looking
        if sign in text:
            return True
    return False


def _mail(found: re.Match[str]) -> str:
    name = found["local"].lower().strip("'.")
    is_of_nobody = name in _OF_A_FUNCTION or (found["apart"] and "." not in name)  # "meet us @ acme.example"
    return found[0] if is_of_nobody else MAIL


def _number(found: re.Match[str]) -> str:
    text, written = found.string, found[0]
    if found["link"]:
        return written
    if found["iban"]:
        return _without_iban(written)
    before = _MASK.split(text[max(found.start() - _BEFORE, 0) : found.start()])[-1]  # ours say nothing of this number
    if _is_card(written):
        return CARD
    return PHONE if _is_phone(written, before) else written


def _without_iban(written: str) -> str:
    """Return what is left of letters and digits that may begin with an IBAN, and go on with other words."""
    length = _IBAN_LENGTHS.get(written[:2].upper(), 0)
    places = [place for place, one in enumerate(written) if one.isalnum()]
    if not length or len(places) < length:
        return written
    end = places[length - 1] + 1
    joined = re.sub(r"[ -]", "", written[:end]).upper()
    if not joined.isascii() or int("".join(str(int(one, 36)) for one in joined[4:] + joined[:4])) % 97 != 1:
        return written
    return IBAN + masked(written[end:])


def _is_card(written: str) -> bool:
    if not _CARD_GROUPS.fullmatch(written) or not _CARD_BEGINS.match(written):
        return False
    digits = [int(one) for one in written if one.isdigit()][::-1]
    doubled = (2 * one - 9 * (one > 4) for one in digits[1::2])
    return 13 <= len(digits) <= 19 and (sum(digits[::2]) + sum(doubled)) % 10 == 0


def _is_phone(written: str, before: str) -> bool:
    digits = re.sub(r"\D", "", written)
    if _DATE.match(written) or _QUAD.fullmatch(written) or _YEARS.fullmatch(written):
        return False
    if "+" in written:
        return 8 <= len(digits) <= 15 and digits[0] != "0" and not digits.endswith("00000")
    if _OF_AN_ORDER.search(before):
        return False
    if _OF_A_PHONE.search(before):
        return 7 <= len(digits) <= 15 and not digits.endswith("00000")
    if _NORTH_AMERICAN.fullmatch(written):
        return True
    if digits.startswith("00"):
        return 11 <= len(digits) <= 17 and digits[2] != "0" and len(digits) < len(written)
    return 9 <= len(digits) <= 12 and re.match(r"\(?0[1-9]", written) is not None
