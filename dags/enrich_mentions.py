"""Read what is meant out of every posts file that has no mentions of the current nlp_version yet.

Runs when `posts` grew. It finds its own work in the lake, so a run that was killed or missed is made up for by
the next one. Mapped over batches of files. By hand: `wom enrich`.
"""

from airflow.sdk import dag, task

from dags.assets import MENTIONS, POSTS
from dags.task_policy import RETRIED, START


@dag(schedule=[POSTS], start_date=START, max_active_runs=1, tags=["word-of-mouse"], doc_md=__doc__)
def enrich_mentions():
    @task
    def pending() -> list[list[str]]:
        from dags import stages
        from dags.settings import load_settings

        # One empty batch where nothing is pending: the visits themselves are worth publishing.
        return stages.pending_batches(load_settings()) or [[]]

    @task(outlets=[MENTIONS], **RETRIED)
    def enrich(files: list[str]) -> int:
        from dags import stages
        from dags.settings import load_settings

        return stages.enrich(load_settings(), files).mentions

    enrich.expand(files=pending())


enrich_mentions()
