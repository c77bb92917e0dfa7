"""What people say about being read by machines, where their source has no field for it."""

import re

from listeners.feed import Visit
from listeners.post import LeftOut

_REFUSAL = re.compile(r"(?i)(?<!\w)#(?:nobots?|noindex)(?!\w)")


def refuses(about_oneself: str) -> bool:
    """Return whether what an account says about itself, as plain text, holds #nobot, #nobots or #noindex."""
    return bool(_REFUSAL.search(about_oneself))


def without_opt_in(visit: Visit) -> str:
    """Return the consent of a post from a source where nobody can opt in. Raises LeftOut where opting in is due."""
    if visit.consent == "opt_in":
        raise LeftOut("not_opted_in")
    return "none_stated"
