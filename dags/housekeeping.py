"""Once a day (03:17 UTC): merge small files, clear away what older nlp_versions and killed runs left.

Nothing it does changes the answer to a query. By hand: `wom housekeeping`.
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
    def tidy() -> dict[str, int]:
        from dags import stages
        from dags.settings import load_settings

        return stages.tidy(load_settings())

    tidy()


housekeeping()
