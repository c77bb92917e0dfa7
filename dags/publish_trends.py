"""Build the DuckDB file from the lake beside the old one, check it, and swap it in.

Runs when `mentions` grew. A failed check keeps the last good file and fails the task with the rows that
offend; what a check only warns of stands in the task's log. By hand: `wom publish`.
"""

import logging

from airflow.sdk import dag, task

from dags.assets import MENTIONS, SNAPSHOT
from dags.task_policy import RETRIED, START


@dag(schedule=[MENTIONS], start_date=START, max_active_runs=1, tags=["word-of-mouse"], doc_md=__doc__)
def publish_trends():
    @task(outlets=[SNAPSHOT], **RETRIED)
    def publish() -> dict[str, int]:
        from dags import stages
        from dags.settings import load_settings

        published = stages.publish(load_settings())
        for warning in published.warnings:
            logging.getLogger(__name__).warning(warning)
        return published.rows

    publish()


publish_trends()
