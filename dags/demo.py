"""The whole way on a made-up world: built-in feed server, lake, DuckDB file, alert; with Airflow or without."""

import contextlib
import signal
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from dags import by_hand, cli_output_alerts, cli_output_answers, local_airflow, stages, summary
from dags import cli_output as output
from dags.demo_lake import CONFIG, Demo, begin_anew, demo_in
from dags.settings import Settings, database_path, load_settings

DAYS = 30  # what the closing table covers; the world is 35 days old
CHAIN = ("collect_posts", "enrich_mentions", "publish_trends", "watch_spikes")
CHAIN_WITHIN = 300.0  # seconds; it takes about 30


def run(environment: Mapping[str, str], *, seed: int, through_airflow: bool) -> None:
    """Listen to the world of this seed from an empty lake, and print what was heard.

    Raises SettingsError where the lake is no place for a demo, AirflowFailed where a DAG run failed.
    """
    started = time.monotonic()
    lake = environment.get("WOM_LAKE") or "lake"
    demo = Demo(seed=seed, until=datetime.now(UTC))
    begin_anew(lake, database_path(lake, environment), demo)
    with _listening_to(demo, lake, environment) as (variables, told):
        settings = load_settings(variables)
        if through_airflow:
            _through_airflow(variables)
        else:
            by_hand.run(settings, variables)
    _show(settings)
    for owner, title in told:
        output.say(f"Delivered    to {owner}: {title}")
    output.say(f"\nDone in {time.monotonic() - started:.0f} s.")


def keep_airflow_up(environment: Mapping[str, str], *, port: int) -> None:
    """Run Airflow with our DAGs until SIGINT or SIGTERM. A demo lake goes on listening to its made-up world."""
    lake = environment.get("WOM_LAKE") or "lake"
    demo = demo_in(lake)
    with contextlib.ExitStack() as stack:
        variables = dict(environment)
        if demo:
            output.say(f"{lake} holds the demo's made-up posts; its feed server is started too.")
            variables, _ = stack.enter_context(_listening_to(demo, lake, environment))
        variables = _absolute(load_settings(variables), variables)
        output.say("Starting Airflow (about 20 s) ...")
        airflow = stack.enter_context(local_airflow.running(_home(environment), variables, port=port, triggerer=True))
        output.say(f"Airflow UI:  {airflow.url}\nlogin:       {airflow.user}\npassword:    {airflow.password}")
        output.say(f"Its home is {airflow.home}. Ctrl-C ends it.")
        _wait_for_the_end()
        output.say("Ending Airflow ...")


@contextlib.contextmanager
def _listening_to(
    demo: Demo, lake: str, environment: Mapping[str, str]
) -> Iterator[tuple[dict[str, str], list[tuple[str, str]]]]:
    """Serve the world on loopback; give the variables that make `wom` listen to it, and what owners are told."""

    from dags.demo_inbox import targets, with_inbox
    from listeners.feed_server import build_app, demo_config, make_world, serve

    told: list[tuple[str, str]] = []
    world = build_app(make_world(demo.seed, demo.until), clock=stages.utc_now)
    with serve(with_inbox(world, told)) as server:
        config = Path(lake) / CONFIG
        variables = {**environment, "WOM_CONFIG": str(config), "WOM_LAKE": lake}
        config.write_text(demo_config(server), encoding="utf-8")
        owners = [owner for brand in load_settings(variables).brands for owner in brand.owners.values()]
        config.write_text(demo_config(server) + targets(server, owners), encoding="utf-8")
        output.say(f"A made-up world is served on {server}; {config} listens to it.")
        yield variables, told


def _through_airflow(variables: Mapping[str, str]) -> None:
    settings = load_settings(variables)
    manual_only = {**_absolute(settings, variables), "WOM_SCHEDULE": ""}  # one chain, not the schedule's as well
    output.say("Starting Airflow (scheduler, DAG processor, API server; about 20 s) ...")
    started = time.monotonic()
    with local_airflow.running(_home(variables), manual_only) as airflow:
        output.say(f"{time.monotonic() - started:6.1f} s  Airflow is ready with {len(local_airflow.DAGS)} DAGs")

        def report(run: Mapping[str, Any]) -> None:
            how = "triggered by hand" if run["run_type"] == "manual" else "triggered by its asset"
            output.say(f"{time.monotonic() - started:6.1f} s  {run['dag_id']:16} {run['state']}  ({how})")

        since = datetime.now(UTC).isoformat()
        airflow.trigger("collect_posts")
        _follow(airflow, since, CHAIN, report)
        since = datetime.now(UTC).isoformat()
        airflow.trigger("housekeeping")
        _follow(airflow, since, ("housekeeping",), report)


def _follow(
    airflow: local_airflow.Airflow, since: str, dags: tuple[str, ...], report: Callable[[Mapping[str, Any]], None]
) -> None:
    """Wait until each of these DAGs has run since then. Raises AirflowFailed when one fails or none comes."""
    ended: set[str] = set()
    deadline = time.monotonic() + CHAIN_WITHIN
    while time.monotonic() < deadline:
        runs = airflow.runs(since)
        for run in runs:
            if run["state"] in {"success", "failed"} and run["dag_run_id"] not in ended:
                ended.add(run["dag_run_id"])
                report(run)
            if run["state"] == "failed":
                raise local_airflow.AirflowFailed(airflow.why(run))
        if {run["dag_id"] for run in runs if run["state"] == "success"} >= set(dags):
            return
        time.sleep(0.3)
    raise local_airflow.AirflowFailed(f"{', '.join(dags)} did not end within {CHAIN_WITHIN:.0f} s")


def _show(settings: Settings) -> None:
    with summary.reading(settings.database) as database:
        output.say("")
        cli_output_answers.show_brands(summary.per_brand(database, DAYS), as_json=False, days=DAYS)
        output.say("")
        cli_output_alerts.show_alerts(summary.alerts(database, None), as_json=False, quotes=2)
    output.say(
        f"\nDuckDB file  {settings.database}   (wom trends | alerts | report | sql \"FROM trend('Telvane')\")"
        f"\nLake         {settings.lake}/   (Parquet: posts, mentions, visits, alerts)"
        "\nAirflow UI   make up"
    )


def _absolute(settings: Settings, variables: Mapping[str, str]) -> dict[str, str]:
    """Return variables that mean the same from any working folder, as tasks run in folders of Airflow's choice."""
    lake = settings.lake if "://" in settings.lake else str(Path(settings.lake).absolute())
    return {
        **variables,
        "WOM_CONFIG": str(settings.source_file.absolute()),
        "WOM_LAKE": lake,
        "WOM_DATABASE": str(settings.database.absolute()),
    }


def _home(environment: Mapping[str, str]) -> Path:
    return Path(environment.get("AIRFLOW_HOME") or ".airflow")


def _wait_for_the_end() -> None:
    ended = threading.Event()
    for name in (signal.SIGINT, signal.SIGTERM):
        signal.signal(name, lambda *_: ended.set())
    ended.wait()
