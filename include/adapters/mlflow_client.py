"""The connection to MLflow: one quiet client, and the error for a server that does not answer."""

from __future__ import annotations

import os
import socket
from datetime import datetime
from functools import cache
from typing import Any

from include.core.errors import ServiceError
from include.core.settings import Settings

MODEL = "daybreak"
EXPERIMENT = "daybreak"
KIND, TRAINING = "mlflow.experimentKind", "custom_model_development"  # MLflow's page for training, not for chats
NOT_THERE = "RESOURCE_DOES_NOT_EXIST"


def make_quiet() -> None:
    """Turn off MLflow's telemetry, progress bars and links on stdout; it reads the environment at each call."""
    os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
    os.environ.setdefault("MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR", "false")
    os.environ.setdefault("MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT", "true")
    os.environ.setdefault("MLFLOW_LOGGING_LEVEL", "WARNING")
    os.environ.setdefault("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "3")
    os.environ.setdefault("GIT_PYTHON_REFRESH", "quiet")


def client(settings: Settings) -> Any:
    """Return MLflow's client, quiet and without telemetry."""
    make_quiet()
    return reach(settings)


@cache
def leave_out_feast() -> None:
    """Keep MLflow from loading the plugin that Feast brings for it, on its first call to a server.

    It would import all of Feast, which takes five seconds of every process, for headers that no server here asks for.
    """
    from mlflow.utils import plugins

    find = plugins.get_entry_points
    plugins.get_entry_points = lambda group: [one for one in find(group) if one.module.partition(".")[0] != "feast"]
    try:
        from mlflow.tracking.request_header import registry  # noqa: F401 - loads the plugins on import
    finally:
        plugins.get_entry_points = find


@cache
def reach(settings: Settings) -> Any:
    """Return the client of a server that answers, made once; create our experiment and registered model if missing."""
    leave_out_feast()
    from mlflow import MlflowClient
    from mlflow.exceptions import MlflowException

    mlflow = MlflowClient(settings.mlflow_url)
    try:
        if mlflow.get_experiment_by_name(EXPERIMENT) is None:
            mlflow.create_experiment(EXPERIMENT)
        experiment = mlflow.get_experiment_by_name(EXPERIMENT)
        if KIND not in experiment.tags:
            mlflow.set_experiment_tag(experiment.experiment_id, KIND, TRAINING)
        ensure_model(mlflow)
    except MlflowException as error:
        raise unreachable(settings, error) from error
    return mlflow


def ensure_model(mlflow: Any) -> None:
    """Create our registered model if it is missing; it may have been deleted, even during a training run."""
    from mlflow.exceptions import MlflowException

    try:
        mlflow.create_registered_model(MODEL, description="Daybreak's recommenders; `champion` is the live one.")
    except MlflowException as error:
        if error.error_code != "RESOURCE_ALREADY_EXISTS":
            raise


def unreachable(settings: Settings, error: Exception) -> ServiceError:
    """Return the error to raise when the server does not answer."""
    return ServiceError(
        f"MLflow at {settings.mlflow_url} does not answer: {str(error).splitlines()[0][:200]}.",
        hint="check with `bin/daybreak status` that it is running.",
        about="MLflow",
    )


def as_millis(moment: datetime) -> int:
    """Return a moment as MLflow counts time."""
    return round(moment.timestamp() * 1000)


def need_server(settings: Settings) -> None:
    """Raise `ServiceError` unless a server answers at MLflow's address; at once, not after the client's retries."""
    try:
        socket.create_connection((settings.mlflow_host, settings.mlflow_port), timeout=2).close()
    except OSError as error:
        raise unreachable(settings, error) from error
