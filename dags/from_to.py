"""The files of `--from` and `--to`, or standard input and output where they are `-`."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

from dags.settings import SettingsError

STANDARD = Path("-")  # standard input or output


@contextmanager
def lines_from(source: Path, *, newline: str, errors: str = "strict") -> Iterator[Iterator[str]]:
    """Give the lines of a UTF-8 file. Raises SettingsError where it cannot be opened; errors: as `open` has them."""
    if source == STANDARD:
        yield iter(sys.stdin)
        return
    try:
        with source.open(encoding="utf-8-sig", errors=errors, newline=newline) as file:
            yield iter(file)
    except OSError as error:
        raise SettingsError(f"--from {source}: {error.strerror or error}") from error


@contextmanager
def written_to(target: Path, *, newline: str, named: str = "--to") -> Iterator[TextIO]:
    """Give a file to write, which appears when it is whole.

    Raises SettingsError where it cannot be written; named: where its name was given.
    """
    if target == STANDARD:
        yield sys.stdout
        return
    temporary = target.with_name(f".{target.name}.tmp")
    try:
        with temporary.open("w", encoding="utf-8", newline=newline) as file:
            yield file
        temporary.replace(target)
    except OSError as error:
        raise SettingsError(f"{named} {target}: {error.strerror or error}") from error
    finally:
        temporary.unlink(missing_ok=True)
