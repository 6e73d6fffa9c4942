"""MLflow's python_function flavour: a version's files, the code that answers with them, and what it takes and gives.

The files of the version lie untouched below `data/`, so their digest stays what it is. Code and requirements beside
them let `mlflow.pyfunc.load_model` answer where neither Daybreak nor a setting of it is at hand.
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from include.adapters.mlflow_client import leave_out_feast
from include.core.settings import PROJECT

if TYPE_CHECKING:
    import pandas as pd
    from mlflow.entities import LoggedModel

FILES = "model"  # the version's files lie in data/ under this name
DATA = f"data/{FILES}"
ROOMS = ("core", "adapters", "data", "features", "models")  # what the room of models may import, and itself
# what that code imports when a version answers, as far as MLflow does not bring it
NEEDED = (
    "duckdb",
    "fsspec",
    "numpy",
    "pandas",
    "pyarrow",
    "pydantic-settings",
    "PyYAML",
    "scikit-learn",
    "scipy",
    "skops",
    "threadpoolctl",
)


def save_flavour(
    files: Path,
    target: Path,
    *,
    loader: str,
    example: pd.DataFrame | None,
    model: LoggedModel,
    about: Mapping[str, str],
) -> None:
    """Make `target` a folder that MLflow can load: `files` (a folder called `model`), code, signature and example."""
    leave_out_feast()
    from mlflow import pyfunc
    from mlflow.models import Model

    code = target.with_name(f"{target.name}-code") / "include"
    _copy_code(code)
    try:
        pyfunc.save_model(
            str(target),
            loader_module=loader,
            data_path=str(files),
            code_paths=[str(code)],
            signature=_signature(),
            input_example=example,
            pip_requirements=[f"mlflow=={version('mlflow')}", *(f"{name}=={version(name)}" for name in NEEDED)],
            mlflow_model=Model(
                artifact_path=model.artifact_location,
                run_id=model.source_run_id,
                model_uuid=model.model_id,
                model_id=model.model_id,
            ),
            metadata=dict(about),
        )
    finally:
        shutil.rmtree(code.parent)


def _copy_code(target: Path) -> None:
    """Copy what a version needs to answer: Python, and queries that run in the process."""
    ours = PROJECT / "include"
    code = [path for room in ROOMS for kind in ("*.py", "duckdb/*.sql") for path in (ours / room).rglob(kind)]
    for path in [ours / "__init__.py", *code]:
        place = target / path.relative_to(ours)
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, place)


def as_mlflow_type(kind: pa.DataType) -> Any:
    """Return what MLflow calls a type of the contract's columns."""
    from mlflow.types import DataType
    from mlflow.types.schema import Array

    if pa.types.is_list(kind):
        return Array(as_mlflow_type(kind.value_type))
    if pa.types.is_timestamp(kind):
        return DataType.datetime
    names = {"int64": "long", "int32": "integer", "int16": "integer", "bool": "boolean", "float": "float"}
    return DataType[names.get(str(kind), str(kind))]


def _signature() -> Any:
    """Return what `include.models.pyfunc` takes and gives.

    MLflow refuses times with a zone and whole seconds where it is told `datetime` and `double`, so these are of any
    type here, and are checked by the model.
    """
    from mlflow.models import ModelSignature
    from mlflow.types import ColSpec, DataType, ParamSchema, ParamSpec, Schema
    from mlflow.types.schema import AnyType, Array

    anything = AnyType()
    required = {"reader_id": DataType.long, "article_id": DataType.long, "occurred_at": anything}
    optional = {
        "kind": DataType.string,
        "dwell_seconds": anything,
        "position": anything,
        "ingested_at": anything,
        "region": DataType.string,
        "plan": DataType.string,
        "signed_up_at": anything,
        "interests": Array(DataType.string),
    }
    given = {
        "reader_id": DataType.long,
        "list_at": DataType.datetime,
        "rank": DataType.integer,
        "article_id": DataType.long,
        "score": DataType.float,
        "reason": DataType.string,
    }
    return ModelSignature(
        inputs=Schema(
            [
                *(ColSpec(kind, name) for name, kind in required.items()),
                *(ColSpec(kind, name, required=False) for name, kind in optional.items()),
            ]
        ),
        outputs=Schema([ColSpec(kind, name) for name, kind in given.items()]),
        params=ParamSchema(
            [
                ParamSpec("k", DataType.long, 10),
                ParamSpec("as_of", DataType.string, None),
                ParamSpec("readers", DataType.long, [], shape=(-1,)),
                ParamSpec("candidates", DataType.long, [], shape=(-1,)),
            ]
        ),
    )
