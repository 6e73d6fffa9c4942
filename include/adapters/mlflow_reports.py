"""Reports in MLflow for people: a version's verdict and card, and backtests."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

from include.adapters import mlflow_client
from include.adapters.mlflow_client import EXPERIMENT, NOT_THERE, as_millis, client, need_server, unreachable
from include.core.settings import Settings

IN_THE_BIN = "must be in the 'active' state"  # message for a deleted run; its error code covers other cases too
DESCRIPTION = "mlflow.note.content"
MOST_DESCRIPTION = 4000  # characters; the server's table holds 5,000


def keep_verdict(
    settings: Settings,
    version: int,
    mlflow_run_id: str,
    decision: str,
    verdict_id: str,
    outcome: Mapping[str, float],
    metrics: Mapping[str, Mapping[str, float]],
    report: Path,
    moment: datetime,
) -> None:
    """Save decision and verdict as tags of version and run, the outcome as metrics of run and model, and in the run the
    measures of all contestants as `contestant/measure`, a plot of them and the report.
    """
    from mlflow.entities import Metric

    told = {"verdict": decision, "verdict_id": verdict_id}
    at = as_millis(moment)
    by_contestant = {f"{who}/{name}": value for who, means in metrics.items() for name, value in means.items()}
    numbers = [Metric(name, value, at, 0) for name, value in by_contestant.items() if math.isfinite(value)]
    with _if_there(settings):
        for name, value in told.items():
            client(settings).set_model_version_tag(mlflow_client.MODEL, str(version), name, value)
    with _if_there(settings):
        for name, value in told.items():
            client(settings).set_tag(mlflow_run_id, name, value)
        model_id = _model_of(settings, mlflow_run_id)
        plain = [Metric(name, value, at, 0, model_id) for name, value in outcome.items() if math.isfinite(value)]
        client(settings).log_batch(mlflow_run_id, metrics=[*plain, *numbers])
        client(settings).log_artifact(mlflow_run_id, str(report), "verdict")
        client(settings).log_figure(mlflow_run_id, _bars(metrics), "verdict/ndcg.png")


def keep_card(settings: Settings, version: int, mlflow_run_id: str, sentence: str, files: Sequence[Path]) -> None:
    """Save the files of the version's card in its run; describe run, model and version by its verdict's sentence."""
    with _if_there(settings):
        for file in files:
            client(settings).log_artifact(mlflow_run_id, str(file), "card")
        client(settings).set_tag(mlflow_run_id, DESCRIPTION, sentence)
        if model_id := _model_of(settings, mlflow_run_id):
            client(settings).set_logged_model_tags(model_id, {DESCRIPTION: sentence})
    with _if_there(settings):
        client(settings).update_model_version(mlflow_client.MODEL, str(version), sentence[:MOST_DESCRIPTION])


def _model_of(settings: Settings, mlflow_run_id: str) -> str | None:
    """The model of a run; None for one of before, whose version is no model of MLflow."""
    models = client(settings).get_run(mlflow_run_id).outputs.model_outputs
    return models[0].model_id if models else None


def keep_backtest(
    settings: Settings,
    backtest_id: str,
    params: Mapping[str, Any],
    metrics: Mapping[str, float],
    folder: Path,
    moment: datetime,
) -> None:
    """Save a backtest's figures and report as a run; raise `ServiceError` if the server does not answer."""
    from mlflow.entities import Metric, Param
    from mlflow.exceptions import MlflowException

    need_server(settings)
    at = as_millis(moment)
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
            metrics=[Metric(name, value, at, 0) for name, value in metrics.items() if math.isfinite(value)],
            params=[Param(name, str(value)[:500]) for name, value in params.items()],
        )
        mlflow.log_artifacts(run_id, str(folder), "backtest")
        mlflow.set_terminated(run_id, "FINISHED")
    except MlflowException as error:
        raise unreachable(settings, error) from error


def keep_search(
    settings: Settings,
    search: Mapping[str, str],
    trials: Sequence[tuple[int, Mapping[str, float], float, float]],
    moment: datetime,
    *,
    is_done: bool,
) -> None:
    """Save the search as a run and, below it, a run per trial: its parameters, its NDCG and its duration.

    Trials with a finished run are left alone, so a search that continues after a kill adds what is missing. Raise
    `ServiceError` if the server does not answer.
    """
    from mlflow.entities import Metric, Param
    from mlflow.exceptions import MlflowException
    from mlflow.utils.mlflow_tags import MLFLOW_PARENT_RUN_ID

    need_server(settings)
    try:
        mlflow = client(settings)
        experiment = mlflow.get_experiment_by_name(EXPERIMENT).experiment_id
        found = mlflow.search_runs([experiment], f"tags.tuning_id = '{search['tuning_id']}'", max_results=5000)
        runs = {run.data.tags.get("trial"): run.info for run in found if {"trial", "search"} & run.data.tags.keys()}
        ended = as_millis(moment)
        begun = [ended - round(1000 * seconds) for *_, seconds in trials]
        if None not in runs:
            tags = {**search, "search": "true"}
            runs[None] = mlflow.create_run(experiment, min(begun), tags, f"tune {search['model']}").info
        parent, best = runs[None].run_id, 0.0
        for (number, parameters, score, _), start in zip(trials, begun, strict=True):
            best = max(best, score)
            trial = runs.get(str(number))
            if trial is not None and trial.status == "FINISHED":
                continue
            if trial is None:
                tags = {"tuning_id": search["tuning_id"], "trial": str(number), MLFLOW_PARENT_RUN_ID: parent}
                trial = mlflow.create_run(experiment, start, tags, f"trial {number}").info
            told = [Param(name, str(value)) for name, value in parameters.items()]
            mlflow.log_batch(trial.run_id, [Metric("ndcg", score, ended, 0)], told)
            mlflow.log_batch(parent, [Metric("ndcg", best, ended, number)])
            mlflow.set_terminated(trial.run_id, "FINISHED", ended)
        if is_done:
            mlflow.set_terminated(parent, "FINISHED", ended)
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
