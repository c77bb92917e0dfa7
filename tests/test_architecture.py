"""The arrows between our packages go one way (README, "The house")."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGES = {"dags", "listeners", "nlp", "warehouse"}
MAY_IMPORT = {
    "dags": PACKAGES,
    "listeners": {"listeners", "warehouse.tables"},
    "nlp": {"nlp", "warehouse.tables"},
    "warehouse": {"warehouse"},
}
MAY_IMPORT_AIRFLOW = {
    f"dags/{name}.py"
    for name in (
        "assets", "task_policy", "collect_posts", "enrich_mentions", "publish_trends", "watch_spikes", "housekeeping",
    )
}  # fmt: skip


def imported_by(file: Path) -> set[str]:
    """Every module a file imports, as written, wherever in the file it does so."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{file} imports relatively; write the whole name"
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
    return names


def is_within(name: str, allowed: set[str]) -> bool:
    return any(name == module or name.startswith(f"{module}.") for module in allowed)


@pytest.mark.parametrize("package", sorted(PACKAGES))
def test_a_package_imports_only_what_lies_behind_it(package):
    strays = {
        f"{file.relative_to(ROOT)} imports {name}"
        for file in (ROOT / package).rglob("*.py")
        for name in imported_by(file)
        if name.split(".")[0] in PACKAGES and not is_within(name, MAY_IMPORT[package])
    }
    assert not strays


def test_only_the_dag_files_import_airflow():
    importers = {
        str(file.relative_to(ROOT))
        for package in PACKAGES
        for file in (ROOT / package).rglob("*.py")
        if any(name.split(".")[0] == "airflow" for name in imported_by(file))
    }
    assert importers == MAY_IMPORT_AIRFLOW


def test_the_help_text_needs_nothing_heavy():
    heavy = {"airflow", "spacy", "duckdb", "pyarrow", "apprise", "feedparser", "uvicorn"}
    script = f"import sys, dags.cli; print(sorted({heavy!r} & set(sys.modules)))"
    loaded = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, cwd=ROOT)
    assert loaded.stdout.strip() == "[]"
