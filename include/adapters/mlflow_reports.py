"""Reports in MLflow for people: a version's verdict and card, and backtests."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from include.adapters import mlflow_client
from include.adapters.mlflow_client import EXPERIMENT, NOT_THERE, client, need_server, unreachable
from include.core.settings import Settings

IN_THE_BIN = "must be in the 'active' state"  # message for a deleted run; its error code covers other cases too
MOST_DESCRIPTION = 4000  # characters; the server's table holds 5,000


def keep_verdict(
    settings: Settings,
    version: int,
    mlflow_run_id: str,
    decision: str,
    verdict_id: str,
    metrics: Mapping[str, Mapping[str, float]],
    report: Path,
) -> None:
    """Save decision and verdict as tags of version and run, and the metrics, a plot and the report in the run."""
    from mlflow.entities import Metric

    told = {"verdict": decision, "verdict_id": verdict_id}
    numbers = [
        Metric(f"{who}_{name}", value, 0, 0)
        for who, means in metrics.items()
        for name, value in means.items()
        if math.isfinite(value)
    ]
    with _if_there(settings):
        for name, value in told.items():
            client(settings).set_model_version_tag(mlflow_client.MODEL, str(version), name, value)
    with _if_there(settings):
        for name, value in told.items():
            client(settings).set_tag(mlflow_run_id, name, value)
        client(settings).log_batch(mlflow_run_id, metrics=numbers)
        client(settings).log_artifact(mlflow_run_id, str(report), "verdict")
        client(settings).log_figure(mlflow_run_id, _bars(metrics), "verdict/ndcg.png")


def keep_card(settings: Settings, version: int, mlflow_run_id: str, lead: str, files: Sequence[Path]) -> None:
    """Save the files of the version's card in its run, and the leading sentence as the version's description."""
    with _if_there(settings):
        for file in files:
            client(settings).log_artifact(mlflow_run_id, str(file), "card")
    with _if_there(settings):
        client(settings).update_model_version(mlflow_client.MODEL, str(version), lead[:MOST_DESCRIPTION])


def keep_backtest(
    settings: Settings, backtest_id: str, params: Mapping[str, Any], metrics: Mapping[str, float], folder: Path
) -> None:
    """Save a backtest's figures and report as a run; raise `ServiceError` if the server does not answer."""
    from mlflow.entities import Metric, Param
    from mlflow.exceptions import MlflowException

    need_server(settings)
    try:
        mlflow = client(settings)
        experiment = mlflow.get_experiment_by_name(EXPERIMENT).experiment_id
        found = mlflow.search_runs([experiment], f"tags.backtest_id = '{backtest_id}'", max_results=1)
        if found and found[0].info.status == "FINISHED":
            return
        tags = {"backtest_id": backtest_id}
        run_id = mlflow.create_run(experiment, run_name=f"backtest {backtest_id}", tags=tags).info.run_id
        mlflow.log_batch(
            run_id,
            metrics=[Metric(name, value, 0, 0) for name, value in metrics.items() if math.isfinite(value)],
            params=[Param(name, str(value)[:500]) for name, value in params.items()],
        )
        mlflow.log_artifacts(run_id, str(folder), "backtest")
        mlflow.set_terminated(run_id, "FINISHED")
    except MlflowException as error:
        raise unreachable(settings, error) from error


@contextmanager
def _if_there(settings: Settings) -> Iterator[None]:
    """Ignore errors about removed versions and runs; raise `ServiceError` for a server that does not answer."""
    from mlflow.exceptions import MlflowException

    try:
        yield
    except MlflowException as error:
        if error.error_code != NOT_THERE and IN_THE_BIN not in str(error):
            raise unreachable(settings, error) from error


def _bars(metrics: Mapping[str, Mapping[str, float]]) -> Any:
    """Return a bar chart of the contestants' NDCG."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7, 0.6 * len(metrics) + 1), layout="constrained")
    axes = figure.subplots()
    names = list(metrics)[::-1]
    bars = axes.barh(names, [metrics[name]["ndcg"] for name in names])
    axes.bar_label(bars, fmt="%.4f", padding=4)
    axes.set_title("Time-weighted NDCG@10 on the hold-out")
    axes.spines[["top", "right"]].set_visible(False)
    axes.margins(x=0.15)
    return figure
