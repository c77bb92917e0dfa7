"""Processes of their own for tests, quick to start: they are forked from one that has imported what they need."""

import multiprocessing
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from subprocess import CompletedProcess
from tempfile import TemporaryDirectory

FRESH = multiprocessing.get_context("forkserver")
FRESH.set_forkserver_preload(
    ["dags.by_hand", "dags.cli", "duckdb", "nlp.enrich", "pyarrow.dataset", "pyarrow.parquet", "pytest",
     "warehouse.snapshot"]
)  # fmt: skip


def run_wom(*arguments: str, folder: Path, environment: Mapping[str, str], given: str = "") -> CompletedProcess[str]:
    """Run `wom` in a folder as an operator does; given: what it reads from standard input.

    Python's own variables (PYTHON...) have no effect: Python has started before it is told of them.
    """
    with TemporaryDirectory() as ends:
        streams = [Path(ends) / name for name in ("stdin", "stdout", "stderr")]
        for stream, text in zip(streams, (given, "", ""), strict=True):
            stream.write_text(text, encoding="utf-8")
        process = FRESH.Process(target=_wom, args=(arguments, folder, dict(environment), streams))
        process.start()
        process.join()
        _, told, complained = (stream.read_text(encoding="utf-8") for stream in streams)
    assert process.exitcode is not None
    return CompletedProcess(["wom", *arguments], process.exitcode, told, complained)


def _wom(arguments: tuple[str, ...], folder: Path, environment: Mapping[str, str], streams: list[Path]) -> None:
    for number, path in enumerate(streams):
        os.dup2(os.open(path, os.O_RDWR | os.O_APPEND), number)
    sys.stdin, sys.stdout, sys.stderr = (open(number, mode, encoding="utf-8") for number, mode in enumerate("raa"))  # noqa: PTH123, SIM115
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(folder)
    sys.argv = ["wom", *arguments]
    from dags.cli import main

    main()
