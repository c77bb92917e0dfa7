"""Open, grow and resolve alerts for negative spikes, and tell the owner of the brand.

Runs when the snapshot changed. An alert that could not be delivered is delivered by the next run. By hand:
`wom watch`.
"""

from airflow.sdk import dag, task

from dags.assets import SNAPSHOT
from dags.task_policy import RETRIED, START


@dag(schedule=[SNAPSHOT], start_date=START, max_active_runs=1, tags=["word-of-mouse"], doc_md=__doc__)
def watch_spikes():
    @task(**RETRIED)
    def watch() -> dict[str, int]:
        from dags import stages
        from dags.settings import load_settings

        watched = stages.watch(load_settings())
        watched.raise_for_undelivered()
        return watched.counts

    watch()


watch_spikes()
