"""Once a day (03:17 UTC): look again at kept posts; merge small files, clear what old versions and killed runs left.

`sweep` takes down here what is gone at its source (by hand: `wom sweep`). Nothing that `tidy` does changes the answer
to a query (by hand: `wom housekeeping`), unless something came in of somebody while they were being forgotten: it goes.
"""

from airflow.sdk import dag, task

from dags.task_policy import RETRIED, START, every


@dag(
    schedule=every("17 3 * * *"),
    start_date=START,
    catchup=False,
    max_active_runs=1,
    tags=["word-of-mouse"],
    doc_md=__doc__,
)
def housekeeping():
    @task(**RETRIED)
    def sweep() -> dict[str, int]:
        from dags import stages
        from dags.settings import load_settings

        return stages.outcomes(stages.sweep(load_settings()))

    @task(**RETRIED)
    def tidy() -> dict[str, int]:
        from dags import stages
        from dags.settings import load_settings

        return stages.tidy(load_settings())

    sweep()
    tidy()


housekeeping()
