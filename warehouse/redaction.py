"""What others wrote, fit to be passed on: without what tells who they are or opens their purse.

Masked are mail addresses, account names (@somebody, u/somebody), IBANs, numbers as long as those of phones, cards and
accounts, and addresses of pages but for their host. What a brand calls itself stays.
"""

import re
from collections.abc import Collection

_LINK = re.compile(r"(?:https?://|www\.)+(?:[^\s/?#@]*@)?([^\s/?#:@<>()]+)[^\s<>]*", re.IGNORECASE)
_HANDLE = re.compile(r"(?<!@)@+[\w-]+(?:\.[\w-]+)*(?:@[\w-]+(?:\.[\w-]+)*)?")
_REDDITOR = re.compile(r"(?<![\w/])/?u/[\w-]+", re.IGNORECASE)
_MAIL = re.compile(r"(?<![\w.+%'@-])[\w.+%'-]+(?:@+|\s*[(\[{]\s*at\s*[)\]}]\s*)[\w-]+(?:\.[\w-]+)*", re.IGNORECASE)
_IBAN = re.compile(r"\b[A-Z]{2}\d{2}(?:\s?[A-Z0-9]{4}){3,7}(?:\s?[A-Z0-9]{1,3})?\b")
_NUMBER = re.compile(r"\+?\d(?:[\s()./‐-―-]{0,3}\d){6,}")  # 7 digits or more
_DATE = re.compile(r"(?:\d{4}[-./]\d{1,2}[-./]\d{1,2}|\d{1,2}[-./]\d{1,2}[-./]\d{4})(?:\s\d{1,2})?")


def redacted(text: str, kept: Collection[str] = ()) -> str:
    """Return the text with personal data masked, in words that say what stood there.

    kept: handles that stay, such as a brand's, lower case and with their @.
    """
    text = _LINK.sub(lambda link: f"(link to {link[1].lower()})", text)
    text = _MAIL.sub("(mail address)", text)
    text = _HANDLE.sub(lambda handle: handle[0] if handle[0].lower() in kept else "@…", text)
    text = _REDDITOR.sub("u/…", text)
    text = _IBAN.sub("(account number)", text)
    return _NUMBER.sub(lambda number: number[0] if _DATE.fullmatch(number[0]) else "(number)", text)
