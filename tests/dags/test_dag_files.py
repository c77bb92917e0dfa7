"""Airflow reads our DAG files, all five and nothing else."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

READ = """
import json, logging
logging.disable(logging.CRITICAL)
from airflow.dag_processing.dagbag import BundleDagBag
from pathlib import Path
import dags
folder = Path(dags.__file__).parent
bag = BundleDagBag(folder, bundle_path=folder, bundle_name="dags-folder")
print("RESULT" + json.dumps({
    "errors": {str(file): error for file, error in bag.import_errors.items()},
    "dags": {
        dag.dag_id: {
            "catchup": dag.catchup,
            "max_active_runs": dag.max_active_runs,
            "doc": bool(dag.doc_md),
            "waits_for": [asset.name for asset in getattr(dag.timetable.asset_condition, "objects", [])],
            "by_the_clock": getattr(getattr(dag.timetable, "timetable", dag.timetable), "expression", None),
            "makes": sorted(asset.name for task in dag.tasks for asset in task.outlets),
            "tasks": {task.task_id: [task.retries or 0, type(task).__name__] for task in dag.tasks},
        }
        for dag in bag.dags.values()
    },
}, default=str))
"""


@pytest.fixture(scope="module")
def bag(tmp_path_factory):
    """What Airflow makes of dags/, in a process and a home of its own: importing it takes seconds and writes files."""
    home = tmp_path_factory.mktemp("airflow")
    environment = {**os.environ, "AIRFLOW_HOME": str(home), "AIRFLOW__CORE__LOAD_EXAMPLES": "False"}
    environment.pop("WOM_SCHEDULE", None)
    done = subprocess.run([sys.executable, "-c", READ], capture_output=True, text=True, env=environment, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.rpartition("RESULT")[2])


def test_the_five_dags_and_no_others_are_read_without_errors(bag):
    assert bag["errors"] == {}
    assert set(bag["dags"]) == {"collect_posts", "enrich_mentions", "publish_trends", "watch_spikes", "housekeeping"}


def test_each_dag_waits_for_what_the_one_before_it_makes(bag):
    made_by = {asset: name for name, dag in bag["dags"].items() for asset in dag["makes"]}
    assert made_by == {"posts": "collect_posts", "mentions": "enrich_mentions", "snapshot": "publish_trends"}
    for name, asset in {"enrich_mentions": "posts", "publish_trends": "mentions", "watch_spikes": "snapshot"}.items():
        assert bag["dags"][name]["waits_for"] == [asset]


def test_escalations_and_digests_wait_for_no_publish(bag):
    assert bag["dags"]["watch_spikes"]["by_the_clock"] == "*/10 * * * *"


def test_collecting_and_enriching_are_mapped_over_shards_and_files(bag):
    assert bag["dags"]["collect_posts"]["tasks"]["collect"] == [3, "DecoratedMappedOperator"]
    assert bag["dags"]["enrich_mentions"]["tasks"]["enrich"] == [3, "DecoratedMappedOperator"]


def test_no_dag_runs_beside_itself_or_makes_up_for_years_of_runs(bag):
    for dag in bag["dags"].values():
        assert dag["max_active_runs"] == 1
        assert dag["catchup"] is False
        assert dag["doc"]
