"""Drift between two samples, measured with Evidently as effect sizes, with an HTML report."""

from __future__ import annotations

import os
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pandas as pd


@dataclass(frozen=True)
class ColumnDrift:
    """The drift of one column, with its measure and limit."""

    column: str
    method: str
    observed: float
    limit: float

    @property
    def is_drifted(self) -> bool:
        """Return whether the drift exceeds the limit."""
        return self.observed > self.limit


def measure_drift(
    current: pd.DataFrame,
    reference: pd.DataFrame,
    numeric: Mapping[str, float],
    categorical: Mapping[str, float],
    html: Path,
) -> list[ColumnDrift]:
    """Return the drift of each column that has a limit, and write Evidently's report to `html`.

    Numbers are compared by Wasserstein distance in reference standard deviations, categories by Jensen-Shannon
    distance. Both are effect sizes, so a large sample alone raises no alarm.
    """
    os.environ.setdefault("DO_NOT_TRACK", "1")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from evidently import DataDefinition, Dataset, Report
        from evidently.metrics import MissingValueCount, RowCount, ValueDrift

        definition = DataDefinition(numerical_columns=list(numeric), categorical_columns=list(categorical))
        report = Report(
            [
                RowCount(),
                *(ValueDrift(column=name, method="wasserstein", threshold=limit) for name, limit in numeric.items()),
                *(
                    ValueDrift(column=name, method="jensenshannon", threshold=limit)
                    for name, limit in categorical.items()
                ),
                *(MissingValueCount(column=name) for name in [*numeric, *categorical]),
            ]
        )
        snapshot = report.run(
            Dataset.from_pandas(current, data_definition=definition),
            Dataset.from_pandas(reference, data_definition=definition),
        )
        html.parent.mkdir(parents=True, exist_ok=True)
        draft = html.with_suffix(".draft")
        snapshot.save_html(str(draft))
        draft.replace(html)
        found = {
            metric["config"]["column"]: float(metric["value"])
            for metric in snapshot.dict()["metrics"]
            if metric["config"]["type"].endswith("ValueDrift")
        }
    return [
        *(ColumnDrift(name, "wasserstein", found[name], limit) for name, limit in numeric.items()),
        *(ColumnDrift(name, "jensenshannon", found[name], limit) for name, limit in categorical.items()),
    ]
