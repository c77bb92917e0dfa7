"""When our DAGs run and how their tasks are retried: not at all where only a person can mend it."""

import os
from datetime import datetime, timedelta
from typing import Any

from airflow.sdk import (
    Asset,
    AssetOrTimeSchedule,
    CronDataIntervalTimetable,
    ExceptionRetryPolicy,
    RetryAction,
    RetryRule,
)

START = datetime(2026, 1, 1)  # noqa: DTZ001  (Airflow reads a naive start date as UTC)

RETRIED: dict[str, Any] = {
    "retries": 3,
    "retry_delay": timedelta(minutes=2),
    "retry_policy": ExceptionRetryPolicy(
        rules=[
            RetryRule(exception="dags.settings.SettingsError", action=RetryAction.FAIL),
            RetryRule(exception="warehouse.tables.ContractError", action=RetryAction.FAIL),
            RetryRule(exception="warehouse.snapshot.CheckFailed", action=RetryAction.FAIL),
        ]
    ),
}


def every(cron: str) -> CronDataIntervalTimetable | None:
    """Return a schedule whose runs know the interval they stand for, which a backfill needs.

    WOM_SCHEDULE set to nothing turns schedules off: then DAGs run when triggered, and by their assets.
    """
    return CronDataIntervalTimetable(cron, timezone="UTC") if os.environ.get("WOM_SCHEDULE", cron) else None


def after(asset: Asset, cron: str) -> list[Asset] | AssetOrTimeSchedule:
    """Return a schedule that runs when the asset changed, and by the clock unless `every` turns that off."""
    timetable = every(cron)
    return [asset] if timetable is None else AssetOrTimeSchedule(timetable=timetable, assets=[asset])
