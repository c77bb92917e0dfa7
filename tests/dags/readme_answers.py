"""The README's questions with the answers it shows.

    WOM_LAKE=... .venv/bin/wom demo && WOM_LAKE=... .venv/bin/python tests/dags/readme_answers.py

puts the answers of that demo in the place of those shown.
"""

import re
import subprocess
import sys
from pathlib import Path

README = Path(__file__).parents[2] / "README.md"
CHAPTER = "### Ten questions"
_ANSWERED = re.compile(r"```sql\n(?P<query>.*?)```\n```text\n(?P<answer>.*?)```\n", re.DOTALL)


def chapter() -> str:
    """Return the chapter that has them."""
    return README.read_text(encoding="utf-8").split(CHAPTER)[1].split("\n### ")[0]


def answered() -> list[tuple[str, str]]:
    """Return each query, and what is shown as its answer."""
    return [(found["query"], found["answer"]) for found in _ANSWERED.finditer(chapter())]


def _answer(query: str) -> str:
    command = [sys.executable, "-c", "from dags.cli import main; main()", "sql", query]
    printed = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    return "".join(f"{line.rstrip()}\n" for line in printed.splitlines())


def main() -> None:
    text = README.read_text(encoding="utf-8")
    renewed = _ANSWERED.sub(
        lambda found: f"```sql\n{found['query']}```\n```text\n{_answer(found['query'])}```\n", chapter()
    )
    README.write_text(text.replace(chapter(), renewed), encoding="utf-8")


if __name__ == "__main__":
    main()
