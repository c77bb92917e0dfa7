"""Visit every feed that is due and append what is new to `posts`.

Every hour, or as WOM_SCHEDULE says (cron; empty: only when triggered). Mapped over shards of feeds, a host's
feeds in one shard so that its limits are kept by one process. Safe to run again at any time: a cursor
moves only after its page is stored. A backfill reads its stretch of history where a source keeps one (Hacker
News) and does nothing where not. By hand: `wom collect`.
"""

import os
from datetime import timedelta
from typing import Any

from airflow.sdk import dag, task

from dags.assets import POSTS
from dags.task_policy import RETRIED, START, every


@dag(
    schedule=every(os.environ.get("WOM_SCHEDULE", "0 * * * *")),
    start_date=START,
    catchup=False,
    max_active_runs=1,
    dagrun_timeout=timedelta(hours=6),
    tags=["word-of-mouse"],
    doc_md=__doc__,
)
def collect_posts():
    @task
    def shards(dag_run: Any = None) -> list[list[str]]:
        from dags import stages
        from dags.settings import load_settings

        return stages.feed_shards(load_settings(), backfill=dag_run.run_type == "backfill")

    @task(outlets=[POSTS], **RETRIED)
    def collect(feeds: list[str], dag_run: Any = None) -> dict[str, int]:
        from dags import stages
        from dags.settings import load_settings

        # Only a backfill has an interval to read; a run triggered by hand or by an asset has no logical date.
        window = (dag_run.data_interval_start, dag_run.data_interval_end) if dag_run.run_type == "backfill" else None
        return stages.outcomes(stages.collect(load_settings(), feeds, window=window))

    collect.expand(feeds=shards())


collect_posts()
