"""Contexts as Airflow gives them to a task, for every way a run can start."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

from airflow.sdk.api.datamodels._generated import DagRun

TICK = datetime(2026, 11, 20, 3, tzinfo=UTC)
TRIGGERED = datetime(2026, 11, 20, 9, 17, 5, tzinfo=UTC)
FIELDS = ("as_of", "wait_minutes", "window_days", "model", "mode", "confirm", "train_once", "chained", "reason")


def event(extra, asset="drift"):
    """An asset event as a run carries it."""
    return {
        "asset": {"name": asset, "uri": f"x-daybreak://{asset}", "extra": {}},
        "extra": extra,
        "source_task_id": "request_retrain",
        "source_dag_id": "monitor",
        "source_run_id": "r",
        "source_map_index": -1,
        "source_aliases": [],
        "timestamp": TRIGGERED,
    }


def context(
    run_type, *, interval_end=None, run_after=TRIGGERED, user=None, events=(), known=FIELDS, start=None, **params
):
    """What a task sees. As in Airflow, keys of a date that the run does not have are missing, not None."""
    interval_start = interval_end - timedelta(days=1) if interval_end else None
    dag_run = DagRun(
        dag_id="retrain",
        run_id=f"{run_type}__1",
        logical_date=interval_start,
        data_interval_start=interval_start,
        data_interval_end=interval_end,
        run_after=run_after,
        start_date=start or max(run_after, interval_end or run_after),
        end_date=None,
        run_type=run_type,
        state="running",
        triggering_user_name=user,
        consumed_asset_events=list(events),
        partition_key=None,
        conf=params,
    )
    dates = {"logical_date": interval_start, "data_interval_end": interval_end} if interval_end else {}
    dag = SimpleNamespace(
        dag_id="retrain", task_ids=["extract", "validate", "train"], params=dict.fromkeys(known, None)
    )
    return {
        "dag_run": dag_run,
        "run_id": dag_run.run_id,
        "params": params,
        "dag": dag,
        "ti": Ti(),
        "outlets": [],
        **dates,
    }


class Ti:
    """A task instance that keeps what is pushed to it."""

    task_id, try_number, log_url = "train", 1, "http://airflow/log"

    def __init__(self, **xcoms):
        self.xcoms = {("train", key): value for key, value in xcoms.items()}

    def xcom_push(self, key, value):
        self.xcoms[self.task_id, key] = value

    def xcom_pull(self, task_ids=None, key="return_value"):
        return self.xcoms.get((task_ids or self.task_id, key))
