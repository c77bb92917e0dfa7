"""Processes of their own for tests, quick to start: they are forked from one that has imported what they need."""

import multiprocessing

FRESH = multiprocessing.get_context("forkserver")
FRESH.set_forkserver_preload(["duckdb", "pyarrow.dataset", "pyarrow.parquet", "pytest", "warehouse.snapshot"])
