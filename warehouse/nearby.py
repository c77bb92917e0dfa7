"""Files of a lake where DuckDB can read them as often as it likes: in place, or copied to a folder of this machine.

An answer of an object store takes tens of milliseconds, and building a snapshot reads each file several times. So what
arrives is copied first, once, and DuckDB needs no extension that speaks to the store.
"""

from collections.abc import Mapping
from pathlib import Path

from warehouse.held_files import Stamp
from warehouse.lake import Lake


class Nearby:
    """A lake's files for one publish; `lake` is where to read those that were brought."""

    def __init__(self, lake: Lake, folder: Path) -> None:
        """Lake: where they are. folder: where to copy them, if that is no folder of this machine."""
        self._far = lake
        self._folder = folder
        self._brought: dict[str, Stamp] = {}
        self.lake = lake if lake.folder else Lake.open(str(folder))

    def bring(self, files: Mapping[str, Stamp]) -> None:
        """Let the files be read from `lake`, given their stamps; those that are gone are not there then.

        Raises OSError where the store does not answer, or this machine's disk is full.
        """
        if self.lake is self._far:
            return
        self._far.fetch([path for path, stamp in files.items() if not self._has(path, stamp)], self._folder)
        self._brought |= files

    def _has(self, path: str, stamp: Stamp) -> bool:
        return stamp.written is not None and self._brought.get(path) == stamp
