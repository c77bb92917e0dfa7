"""Where in a TOML file a value stands, so that an error can name the line.

`tomllib` gives values without positions. This reads only table headers and the keys that begin a line,
which is how listening.toml is written; for anything deeper it answers with the nearest line above.
"""

import re
from collections import Counter
from collections.abc import Sequence

_HEADER = re.compile(r"^\s*(\[\[?)\s*([A-Za-z0-9_.\-]+)\s*\]\]?")
_KEY = re.compile(r"^\s*([A-Za-z0-9_\-]+)\s*[.=]")


def line_of(toml: str, path: Sequence[str | int]) -> int | None:
    """Return the line, from 1, of a value such as ("feed", 2, "url"); None if not even its table is found."""
    tables_met: Counter[str] = Counter()
    here: tuple[str | int, ...] = ()
    nearest, depth = None, 0
    for number, line in enumerate(toml.splitlines(), start=1):
        if header := _HEADER.match(line):
            name = header[2]
            parts = tuple(name.split("."))
            here = (*parts, tables_met[name]) if header[1] == "[[" else parts
            tables_met[name] += 1
            found = here
        elif key := _KEY.match(line):
            found = (*here, key[1])
        else:
            continue
        if len(found) > depth and tuple(path[: len(found)]) == found:
            nearest, depth = number, len(found)
    return nearest
