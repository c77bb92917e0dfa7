"""The key that turns account names into pseudonyms: from WOM_AUTHOR_KEY, or made once in a local lake."""

import contextlib
import os
import secrets
from pathlib import Path

from dags.settings import Settings, SettingsError

FILE = ".author_key"
BYTES = 32


def author_key(settings: Settings) -> bytes:
    """Return the key, making it (mode 0600) where a local lake has none yet.

    Raises SettingsError where the lake is remote and WOM_AUTHOR_KEY is not set (several machines must share one), or
    where the lake's key is gone from its file.
    """
    if settings.author_key:
        return settings.author_key
    if "://" in settings.lake and not settings.lake.startswith("file://"):
        raise SettingsError(
            f"WOM_AUTHOR_KEY is not set, and the lake {settings.lake} is not on this machine. Set it to the same "
            "long random text wherever posts are collected, or one person would become several authors."
        )
    path = Path(settings.lake.removeprefix("file://")) / FILE
    if not path.exists():
        _make(path)
    if not (key := path.read_bytes()):
        raise SettingsError(
            f"{path} is empty. Bring back what it held; without it, remove the file, and authors get new pseudonyms."
        )
    return key


def _make(path: Path) -> None:
    """Write a whole key or none, and never over another process's: `link` fails where the name is taken."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f"{FILE}.{os.getpid()}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(secrets.token_hex(BYTES).encode())
    with contextlib.suppress(FileExistsError):
        path.hardlink_to(draft)
    draft.unlink()
