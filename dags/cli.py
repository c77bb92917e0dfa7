"""`wom`: every stage by hand, and the answers people ask for most.

Exit status: 0 done, 1 failed, 2 wrong use or configuration. Nothing heavy is imported for a help text: spaCy,
DuckDB and Arrow come with the command that needs them.
"""

import io
import sys

import typer
from rich.console import Console

from dags import cli_alerts, cli_answers, cli_stages
from dags.settings import SettingsError

app = typer.Typer(
    name="wom",
    help="Word of Mouse: what people say about brands in public feeds, and who should know. "
    "listening.toml (or WOM_CONFIG) says what to listen for; WOM_LAKE where it is kept (./lake).",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

PANELS = {
    "Run it": cli_stages.RUN,
    "Ask it": cli_answers.ASK,
    "Be told": cli_alerts.ALERTS,
    "Put it right": cli_answers.PUT_RIGHT,
    "Keep it in order": cli_stages.KEEP,
}
for panel, commands in PANELS.items():
    for name, command in commands.items():
        app.command(name, rich_help_panel=panel)(command)


def main() -> None:
    """Run `wom`; turn the errors a person can mend into one clear message and an exit status."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # a terminal that knows no UTF-8 shows "?" for what it cannot
    try:
        app()
    except SettingsError as error:
        _stop(error, status=2)
    except KeyboardInterrupt:
        _stop(None, status=130)
    except OSError as error:  # a full disk, no right to write, an object store out of reach
        _stop(error, status=1)
    except Exception as error:
        if type(error).__module__.split(".")[0] not in {"dags", "listeners", "nlp", "warehouse"}:
            raise  # a mistake of ours, not of the operator: its trace is what helps
        _stop(error, status=1)


def _stop(error: BaseException | None, *, status: int) -> None:
    if error is not None:
        Console(stderr=True, highlight=False, emoji=False).print(
            f"wom: {error}", style="red", markup=False, soft_wrap=True
        )
    sys.exit(status)
