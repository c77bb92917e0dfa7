"""A lake that holds the demo's made-up posts says so, that they never mix with what real people wrote."""

import shutil
from datetime import datetime
from pathlib import Path

from pydantic import BaseModel, ValidationError

from dags.settings import Settings, SettingsError

MARK = "demo.json"
CONFIG = "demo.toml"
_OURS = ("posts", "mentions", "visits", "rejects", "alerts", "corrections", "erasures", "state", ".locks")


class Demo(BaseModel):
    """Which made-up world a demo lake listens to: the same seed and end give the same posts."""

    seed: int
    until: datetime


def demo_in(lake: str) -> Demo | None:
    """Return what the mark in a lake says; None if it is no demo lake. Raises SettingsError where it cannot be read."""
    mark = Path(lake) / MARK
    try:
        return Demo.model_validate_json(mark.read_bytes())
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (ValidationError, OSError) as error:
        raise SettingsError(
            f"{mark} marks made-up posts, and cannot be read. Remove it, and the lake with it if all in it is made up."
        ) from error


def begin_anew(lake: str, database: Path, demo: Demo) -> None:
    """Make an empty lake marked as the demo's, taking away what an earlier demo left there.

    Raises SettingsError where the lake is not on this machine, or holds what was heard for real.
    """
    folder = Path(lake)
    if "://" in lake:
        raise SettingsError(f"the demo keeps its posts on this machine, not in {lake}: name a folder in WOM_LAKE")
    if any((folder / name).exists() for name in _OURS) and demo_in(lake) is None:
        raise SettingsError(f"{lake} holds what was heard for real: name another place for the demo in WOM_LAKE")
    for name in _OURS:
        shutil.rmtree(folder / name, ignore_errors=True)
    database.unlink(missing_ok=True)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / MARK).write_text(demo.model_dump_json())


def refuse_to_mix(settings: Settings) -> None:
    """Raise SettingsError where another listening.toml than the demo's would fill a demo lake."""
    if demo_in(settings.lake) and settings.source_file.name != CONFIG:
        raise SettingsError(
            f"{settings.lake} holds the demo's made-up posts. To listen for real: remove it (rm -r {settings.lake}), "
            f"or name another place in WOM_LAKE. To go on with them: WOM_CONFIG={Path(settings.lake) / CONFIG}."
        )
