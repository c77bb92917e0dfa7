"""Other people's words and addresses, fit for any channel: nothing in them pings, links, formats or hides.

Mail, Slack, Discord, Matrix, Mattermost, Telegram and web pages each take other signs for commands, and a text may go
to any of them. No one escape is right for all, so the signs themselves are replaced by others that look alike.
"""

import re
import unicodedata
from urllib.parse import quote, urlsplit

LONGEST_ADDRESS = 400  # characters; longer ones are rarely meant for people
ACTIVE = "<>@*_`~|[]\\#"  # what some channel takes for a command
_LOOK_ALIKE = str.maketrans(ACTIVE, "‹›＠∗＿ˋ∼∣［］＼＃")
_JOINERS = "\u200c\u200d"  # Persian words and families of emoji need them
_ENTITY = re.compile(r"&(?=#|\w+;|(?:lt|gt|amp|quot|nbsp)\b)")
_EMOJI_NAME = re.compile(r":(?=[\w+-]+(?::|$))")  # at the end too: what follows a name is often our own colon
_DOT_OF_A_HOST = re.compile(r"(?<=\w)\.(?=[^\W\d_])")
_HOST = re.compile(r"[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?(?::\d{1,5})?")
_LOOSE_UNDERSCORE = re.compile(r"(?<![A-Za-z0-9])_|_(?![A-Za-z0-9])")


def one_line(text: str) -> str:
    """Return the text on one line, without control and formatting characters, such as those that turn its direction."""
    kept = (
        " " if unicodedata.category(sign) in {"Cc", "Zl", "Zp"} else sign
        for sign in text
        if sign in _JOINERS or unicodedata.category(sign) not in {"Cf", "Cs", "Co"}
    )
    return " ".join("".join(kept).split())


def chat_safe(text: str) -> str:
    """Return the text on one line, signs of ACTIVE and those that make links and emoji replaced by some like them."""
    text = one_line(text).translate(_LOOK_ALIKE).replace("://", ":⁄⁄").replace("$$", "＄＄")
    text = _ENTITY.sub("＆", text)
    return _DOT_OF_A_HOST.sub("․", _EMOJI_NAME.sub("꞉", text))


def safe_address(address: str | None) -> str | None:
    """Return a web address that stays one link wherever it is shown; None where it is no such address.

    What is special to some channel is percent-encoded, which means the same to the server (RFC 3986).
    """
    if not address or len(address) > LONGEST_ADDRESS:
        return None
    try:
        parts = urlsplit(address)
        host = parts.netloc.lower().encode("idna").decode() if parts.netloc else ""
    except (ValueError, UnicodeError):
        return None
    if parts.scheme.lower() not in {"http", "https"} or not _HOST.fullmatch(host):
        return None
    tail = "".join(
        f"{mark}{quote(part, safe='/%=&+,:.-')}"
        for mark, part in (("", parts.path), ("?", parts.query), ("#", parts.fragment))
        if part
    )
    return f"{parts.scheme.lower()}://{host}{_LOOSE_UNDERSCORE.sub('%5F', tail.replace('~', '%7E'))}"
