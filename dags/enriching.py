"""`wom enrich --from --to`: posts of a file judged into another; nothing is stored."""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from dags.from_to import lines_from, written_to
from dags.settings import config_path, load_settings


@dataclass(frozen=True)
class Judged:
    """How many lines were written, and how many of them say what was wrong with a line read."""

    lines: int
    errors: int


def enrich_file(
    source: Path,
    target: Path,
    *,
    overall: bool,
    environment: Mapping[str, str],
    on_line: Callable[[], None] = lambda: None,
) -> Judged:
    """Judge the posts of a file of JSON lines and write what they say, in their order (nlp/elsewhere.py has the form).

    Brands are those of listening.toml, if there is one; lines may name others. The target appears when it is whole.
    Raises SettingsError where a file is not there, or cannot be written.
    """
    from nlp.elsewhere import judged
    from nlp.enrich import Enricher
    from nlp.version import nlp_version

    brands, abouts = (), {}
    if config_path(environment).exists():
        settings = load_settings(environment)
        brands, abouts = settings.recognised, settings.abouts
    reading = lines_from(source, newline="\n", errors="replace")
    with reading as lines, written_to(target, newline="\n") as out:
        enricher = Enricher(brands, abouts, nlp_version(brands, abouts))
        written = errors = 0
        for row in judged(_counted(lines, on_line), enricher, overall=overall):
            out.write(json.dumps(row, ensure_ascii=False) + "\n")
            written += 1
            errors += "error" in row
    return Judged(written, errors)


def _counted(lines: Iterator[str], on_line: Callable[[], None]) -> Iterator[str]:
    for line in lines:
        on_line()
        yield line
