"""How `wom` shows things: tables for people and JSON for programs on stdout, progress and warnings on stderr."""

import contextlib
import dataclasses
import json
import math
import sys
import textwrap
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any, NamedTuple

from rich.cells import cell_len
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

_NEVER_FOLDED = {"alert", "brand", "feed", "last 48 h", "mentions a day", "net sentiment (95 %)"}
_PROSE_AT_LEAST = 12  # columns of the screen that text is folded into at the least
_GAP = 2  # columns between two of a table
_WIDTH = None if sys.stdout.isatty() else 200  # a file or a pipe has no width of its own
# Without emoji: a post_id such as rss:a:1 holds what rich takes for one.
_out = Console(highlight=False, emoji=False, width=_WIDTH)
_err = Console(stderr=True, highlight=False, emoji=False)
Row = Mapping[str, Any]


def say(line: str, *, style: str | None = None) -> None:
    """Print one line of what was done."""
    _out.print(line, style=style, markup=False, soft_wrap=True)


def say_aside(line: str, data: Any, *, as_json: bool) -> None:
    """Print one line of what was written, or its data as JSON, on stderr: standard output may be the file itself."""
    if as_json:
        _err.print_json(data=jsonable(data))
        return
    _err.print(line, markup=False, soft_wrap=True)


def warn(line: str) -> None:
    """Print one line of what may go wrong, on stderr."""
    _err.print(f"warning: {line}", style="yellow", markup=False, soft_wrap=True)


def print_json(value: Any) -> None:
    """Print a value as one JSON document; times as ISO 8601, what JSON has no number for as null."""
    narrow = not (sys.stdout.encoding or "").lower().startswith("utf")
    sys.stdout.write(f"{json.dumps(jsonable(value), ensure_ascii=narrow, indent=2, allow_nan=False)}\n")


def show(rows: Sequence[Row], columns: Sequence[str], *, as_json: bool, title: str | None = None) -> None:
    """Print rows as a table, or as a JSON list of objects."""
    if as_json:
        print_json([{column: row.get(column) for column in columns} for row in rows])
        return
    shown = [_Column.of(rows, column) for column in columns]
    if sum(column.least_width + _GAP for column in shown) - _GAP > _out.width:
        _show_one_below_another(shown, len(rows), title)
        return
    is_crowded = sum(max(column.longest, cell_len(column.head)) + _GAP for column in shown) - _GAP > _out.width
    table = Table(title=title, title_justify="left", title_style="bold", header_style="dim", box=None, pad_edge=False)
    for column in shown:
        table.add_column(
            column.folded_head if is_crowded and not column.is_prose else column.head,
            justify="right" if column.is_numeric else "left",
            overflow="fold",
            no_wrap=not column.is_prose,
            min_width=column.least_width if column.is_prose else None,
        )
    for cells in zip(*(column.cells for column in shown), strict=True):
        table.add_row(*cells)
    _out.print(table)


class _Column(NamedTuple):
    """One column of a table. longest: of its cells and the words of its head, in columns of the screen."""

    head: str
    cells: list[Text]
    longest: int
    is_prose: bool  # may be folded
    is_numeric: bool

    @classmethod
    def of(cls, rows: Sequence[Row], name: str) -> "_Column":
        head, values = name.replace("_", " "), [row.get(name) for row in rows]
        cells = [_cell(value) for value in values]
        return cls(
            head,
            cells,
            max([cell_len(text) for text in (*head.split(), *(cell.plain for cell in cells))], default=0),
            any(isinstance(value, str | list | tuple | dict) for value in values) and name not in _NEVER_FOLDED,
            any(isinstance(value, int | float) and not isinstance(value, bool) for value in values),
        )

    @property
    def least_width(self) -> int:
        """With which it can still be read."""
        return min(self.longest, _PROSE_AT_LEAST) if self.is_prose else self.longest

    @property
    def folded_head(self) -> str:
        return "\n".join(textwrap.wrap(self.head, max(self.longest, 1), break_on_hyphens=False))


def _show_one_below_another(columns: Sequence[_Column], rows: int, title: str | None) -> None:
    """Print a block of lines for each row: a table would squeeze some column until nothing is left of it."""
    if title:
        say(title, style="bold")
    width = max(cell_len(column.head) for column in columns)
    for row in range(rows):
        for column in columns:
            say(f"{column.head}{' ' * (width - cell_len(column.head))}  {column.cells[row].plain}".rstrip())
        say("")
    if not rows:
        say(", ".join(column.head for column in columns))


@contextlib.contextmanager
def progress(what: str, total: int) -> Iterator[Callable[[int], None]]:
    """Show a bar on stderr while the block runs; call what it yields with the number of things done."""
    columns = (TextColumn(what), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=_err, transient=True) as bar:
        task = bar.add_task(what, total=total)
        yield lambda done: bar.advance(task, done)


@contextlib.contextmanager
def counting(what: str) -> Iterator[Callable[[int], None]]:
    """Show a number that grows on stderr while the block runs; call what it yields with the number of things done."""
    columns = (TextColumn(what), TextColumn("{task.completed}"), TimeElapsedColumn())
    with Progress(*columns, console=_err, transient=True) as bar:
        task = bar.add_task(what, total=None)
        yield lambda done: bar.advance(task, done)


@contextlib.contextmanager
def working(what: str) -> Iterator[None]:
    """Show that something of unknown length is going on, on stderr."""
    with _err.status(what):
        yield


def counts(counted: Iterable[tuple[str, int]] | None) -> str | None:
    """Return counts in words, or None where nothing was counted."""
    return ", ".join(f"{number} {what}" for what, number in counted or ()) or None


def notes(counted: Iterable[tuple[str, int]] | None) -> str | None:
    """Return what is noted, each with how often if more than once, or None where nothing is."""
    return ", ".join(f"{what} ({number})" if number > 1 else what for what, number in counted or ()) or None


def percent(share: float | None) -> str:
    return "-" if share is None else f"{100 * share:.0f} %"


def share(value: float | None, low: float | None, high: float | None) -> str:
    if value is None or low is None or high is None:
        return "-"
    return f"{percent(value)} ({100 * low:.0f} to {100 * high:.0f})"


def signed(value: float | None, low: float | None, high: float | None) -> str:
    if value is None or low is None or high is None:
        return "-"
    return f"{value:+.2f} ({low:+.2f} to {high:+.2f})"


def jsonable(value: Any) -> Any:
    """Return a value as JSON has it: times as ISO 8601, bytes in hexadecimal, what JSON has no number for as null."""
    match value:
        case None | bool() | int() | str():
            return value
        case float():
            return value if math.isfinite(value) else None
        case Decimal():
            return jsonable(float(value))
        case datetime() | date():
            return value.isoformat()
        case bytes():
            return value.hex()
        case Mapping():
            return {str(key): jsonable(item) for key, item in value.items()}
        case list() | tuple():
            return [jsonable(item) for item in value]
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: jsonable(getattr(value, field.name)) for field in dataclasses.fields(value)}
    return str(value)


def _cell(value: Any) -> Text:
    if value is None:
        return Text("-", style="dim")
    if isinstance(value, float):
        return Text(f"{value:.2f}")
    if isinstance(value, datetime):
        return Text(f"{value:%Y-%m-%d %H:%M}")
    if isinstance(value, bytes):
        return Text(value.hex())
    if isinstance(value, list | tuple):
        return Text(", ".join(map(str, value)) if value else "none")
    if isinstance(value, dict):
        return Text(", ".join(f"{name}: {item}" for name, item in value.items()))
    return Text(str(value))
