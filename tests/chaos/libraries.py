"""What tasks import when they first need it, imported beforehand, so that a kill falls on their work."""

from __future__ import annotations

from importlib import import_module

from include import pipeline
from include.adapters import feast_store, gx_pages, mlflow_client, quiet_feast  # noqa: F401
from include.models import model_class

quiet_feast.import_feast()
mlflow_client.make_quiet()
mlflow_client.leave_out_feast()
model_class("two_stage")
for module in (
    *(f"include.pipeline.{name}" for name in {*pipeline.STAGES.values()}),
    "feast.infra.offline_stores.duckdb",
    "feast.infra.passthrough_provider",
    "feast.repo_operations",
    "feature_repo.definitions",
    "great_expectations.expectations",
    "ibis.backends.duckdb",
    "matplotlib.backends.backend_agg",
    "matplotlib.pyplot",
    "mlflow.data.dataset_source_registry",
    "mlflow.pyfunc",
    "scipy.cluster.hierarchy",
    "skops.io",
    "sklearn.ensemble",
    "sklearn.linear_model",
):
    import_module(module)
