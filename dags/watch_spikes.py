"""Open, grow and resolve alerts for negative spikes, and tell the owner of the brand.

Runs when the snapshot changed, and every ten minutes: escalations, digests and the end of quiet hours wait for no
publish. An alert that could not be delivered is delivered by the next run. By hand: `wom watch`.
"""

from airflow.sdk import dag, task

from dags.assets import SNAPSHOT
from dags.task_policy import RETRIED, START, after


@dag(
    schedule=after(SNAPSHOT, "*/10 * * * *"),
    start_date=START,
    catchup=False,
    max_active_runs=1,
    tags=["word-of-mouse"],
    doc_md=__doc__,
)
def watch_spikes():
    @task(**RETRIED)
    def watch() -> dict[str, int]:
        from airflow.sdk.exceptions import AirflowSkipException

        from dags import stages
        from dags.settings import load_settings
        from warehouse.snapshot import DatabaseMissing

        try:
            watched = stages.watch(load_settings())
        except DatabaseMissing as error:
            raise AirflowSkipException(str(error)) from error  # the clock may well come before the first publish
        watched.raise_for_undelivered()
        return watched.counts

    watch()


watch_spikes()
