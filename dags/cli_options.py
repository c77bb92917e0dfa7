"""What commands of `wom` take and do alike."""

import getpass
import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from dags import cli_output as output
from dags.settings import Settings, SettingsError, database_path

if TYPE_CHECKING:
    from warehouse.snapshot import Published

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")]
BrandName = Annotated[str | None, typer.Argument(help="A brand of listening.toml; all of them unless named.")]
AlertId = Annotated[str, typer.Argument(help="The alert's id, or how it begins.")]
Note = Annotated[str | None, typer.Option(help="Why.")]
By = Annotated[str | None, typer.Option(help="Who says so; your login unless named.")]
NoPublish = Annotated[bool, typer.Option("--no-publish", help="Leave it to the next publish to show it.")]


def fail_unless(good: bool) -> None:
    """End with status 1 where it is not."""
    if not good:
        raise typer.Exit(1)


def login() -> str:
    """Return who is at this machine. Raises SettingsError where it does not know."""
    try:
        return getpass.getuser()
    except (KeyError, OSError) as error:  # a container may run under a number that has no name
        raise SettingsError("this machine does not know who you are: say it with --by") from error


def database_file() -> Path:
    """Return the DuckDB file: reading it needs no valid listening.toml."""
    return database_path(os.environ.get("WOM_LAKE") or "lake", os.environ)


def publish_what_is_stored(settings: Settings) -> "Published":
    """Publish what a person just said; where that fails, say that it is kept all the same."""
    from dags import by_hand

    try:
        return by_hand.publish(settings)
    except Exception:
        output.warn("it is stored, and shows after the next publish that succeeds; this one did not")
        raise
