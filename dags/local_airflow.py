"""Airflow on this machine with our DAGs: SQLite, LocalExecutor, its own processes, no triggerer unless asked.

`airflow standalone` does the same in 50 s; its parts started side by side are ready in about 15 s.
Airflow is driven from outside, by its command and its REST API, and never imported: that takes 3 s.
"""

import contextlib
import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import psutil

DAGS = ("collect_posts", "enrich_mentions", "publish_trends", "watch_spikes", "housekeeping")
READY_WITHIN = 180.0  # seconds; a laptop under load needs a minute
END_WITHIN = 8.0  # seconds; after that it is killed
PASSWORDS = "simple_auth_manager_passwords.json.generated"


class AirflowFailed(Exception):
    """Airflow did not start, or a run of ours failed; the message ends with what its log says."""


@dataclass(frozen=True)
class Airflow:
    """A running Airflow: where its UI is, how to log in, and its API."""

    home: Path
    url: str
    user: str
    password: str
    api: httpx.Client

    def runs(self, since: str) -> list[dict[str, Any]]:
        """Return our DAG runs queued at or after `since` (ISO 8601), oldest first."""
        answer = self.api.get("/dags/~/dagRuns", params={"limit": 100, "order_by": "id", "run_after_gte": since})
        answer.raise_for_status()
        return answer.json()["dag_runs"]

    def trigger(self, dag_id: str) -> None:
        """Start a manual run, as the UI's button does: it has no logical date."""
        self.api.post(f"/dags/{dag_id}/dagRuns", json={"logical_date": None}).raise_for_status()

    def why(self, run: Mapping[str, Any]) -> str:
        """Return the failed tasks of a run with the end of their logs."""
        tasks = self.api.get(f"/dags/{run['dag_id']}/dagRuns/{run['dag_run_id']}/taskInstances").json()
        failed = [task["task_id"] for task in tasks["task_instances"] if task["state"] == "failed"]
        logs = sorted(self.home.glob(f"logs/dag_id={run['dag_id']}/run_id={run['dag_run_id']}/**/*.log"))
        tails = [
            "\n".join(_readable(log)[-12:]) for log in logs if any(f"task_id={task}/" in str(log) for task in failed)
        ]
        return f"{run['dag_id']}: {', '.join(failed) or 'no task'} failed\n" + "\n".join(tails)


def environment(home: Path, port: int, inherited: Mapping[str, str]) -> dict[str, str]:
    """Return the variables that make any `airflow` command on this machine speak of our Airflow."""
    ours = {
        "AIRFLOW_HOME": str(home),
        "AIRFLOW__API__BASE_URL": f"http://127.0.0.1:{port}",
        "AIRFLOW__API__HOST": "127.0.0.1",
        "AIRFLOW__API__PORT": str(port),
        "AIRFLOW__CORE__DAGS_ARE_PAUSED_AT_CREATION": "False",
        "AIRFLOW__CORE__DAGS_FOLDER": str(Path(__file__).parent),
        "AIRFLOW__CORE__EXECUTION_API_SERVER_URL": f"http://127.0.0.1:{port}/execution/",
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__CORE__PARALLELISM": "4",
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{inherited.get('PATH', '')}",
    }
    return {**inherited, **ours}


@contextlib.contextmanager
def running(home: Path, inherited: Mapping[str, str], *, port: int = 0, triggerer: bool = False) -> Iterator[Airflow]:
    """Start Airflow, wait until it has parsed our DAGs, and end its processes on leaving.

    port: of the UI and the API; 0 takes a free one. Raises AirflowFailed.
    """
    home = home.absolute()
    home.mkdir(parents=True, exist_ok=True)
    port = port or _free_port()
    variables = environment(home, port, inherited)
    _migrate(variables, home)
    options = {"api-server": [], "dag-processor": [], "scheduler": ["--skip-serve-logs"]}
    if triggerer:
        options["triggerer"] = ["--skip-serve-logs"]
    processes = {part: _start(part, options[part], variables, home) for part in options}
    try:
        deadline = time.monotonic() + READY_WITHIN
        yield _when_ready(home, port, processes, deadline)
    finally:
        _end(list(processes.values()))


def _migrate(variables: Mapping[str, str], home: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "airflow", "db", "migrate"], env=variables, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise AirflowFailed(f"airflow db migrate failed (database in {home}):\n{done.stderr[-2000:]}")


def _start(part: str, options: list[str], variables: Mapping[str, str], home: Path) -> subprocess.Popen[bytes]:
    with (home / f"{part}.log").open("wb") as log:
        return subprocess.Popen(
            [sys.executable, "-m", "airflow", part, *options],
            env=variables,
            stdout=log,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
            start_new_session=True,  # Ctrl-C reaches us alone, and we end it in order
        )


def _when_ready(home: Path, port: int, processes: Mapping[str, subprocess.Popen[bytes]], deadline: float) -> Airflow:
    url = f"http://127.0.0.1:{port}"
    api = httpx.Client(base_url=f"{url}/api/v2", timeout=30)
    password = ""
    while time.monotonic() < deadline:
        for name, process in processes.items():
            if process.poll() is not None:
                raise AirflowFailed(f"airflow {name} ended at once; {home / f'{name}.log'} says:\n{_tail(home, name)}")
        with contextlib.suppress(httpx.TransportError, FileNotFoundError, KeyError, json.JSONDecodeError):
            password = password or json.loads((home / PASSWORDS).read_text())["admin"]
            if "Authorization" not in api.headers:
                answer = httpx.post(f"{url}/auth/token", json={"username": "admin", "password": password}, timeout=30)
                api.headers["Authorization"] = f"Bearer {answer.json()['access_token']}"
            broken = api.get("/importErrors").json()["import_errors"]
            if broken:
                raise AirflowFailed(f"Airflow cannot read our DAGs:\n{broken[0]['stack_trace']}")
            known = {dag["dag_id"] for dag in api.get("/dags").json()["dags"]}
            if known >= set(DAGS):
                return Airflow(home, url, "admin", password, api)
        time.sleep(0.2)
    raise AirflowFailed(f"Airflow was not ready within {READY_WITHIN:.0f} s; its logs are in {home}")


def _end(processes: list[subprocess.Popen[bytes]]) -> None:
    """End these processes and all they started: a running task is in a session of its own and outlives its scheduler.

    A task ended so is run again by the next scheduler; ours may be killed at any byte.
    """
    family: list[psutil.Process] = []
    for process in processes:
        with contextlib.suppress(psutil.NoSuchProcess):
            parent = psutil.Process(process.pid)
            family += [parent, *parent.children(recursive=True)]
    for process in processes:
        process.terminate()
    _, alive = psutil.wait_procs(family, timeout=END_WITHIN)
    for survivor in alive:
        with contextlib.suppress(psutil.NoSuchProcess):
            survivor.kill()
    psutil.wait_procs(alive, timeout=END_WITHIN)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def _tail(home: Path, name: str) -> str:
    return "\n".join((home / f"{name}.log").read_text(errors="replace").splitlines()[-15:])


def _readable(log: Path) -> list[str]:
    """Return a task log's lines without its JSON wrapping."""
    lines = []
    for line in log.read_text(errors="replace").splitlines():
        try:
            entry = json.loads(line)
        except json.JSONDecodeError:
            lines.append(line)
            continue
        lines.append(str(entry.get("event", line)))
        for error in entry.get("error_detail") or []:
            lines.append(f"  {error.get('exc_type')}: {error.get('exc_value')}")
    return lines
