"""Drift between samples, measured with Evidently as effect sizes; its charts as a page and its numbers as JSON."""

from __future__ import annotations

import json
import os
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from html import escape
from pathlib import Path
from typing import Any

import pandas as pd

from include.core.html import save

NUMBERS, NAMES = "wasserstein", "jensenshannon"
MOST_NAMES = 20  # rarer names count as "other", because thousands of names always look drifted
OTHER = "other"
CURRENT, REFERENCE = "#e0822b", "#3b6ea8"
LAYOUT = {
    "margin": {"l": 48, "r": 12, "t": 8, "b": 72},
    "legend": {"orientation": "h", "y": 1.18},
    "yaxis": {"tickformat": ".0%", "title": {"text": "share of rows"}},
    "xaxis": {"automargin": True},
}


@dataclass(frozen=True)
class Samples:
    """Two samples with the same columns, in words and as frames, and the limit of each column to compare.

    A column without a limit is measured and drawn, and never drifts. `present` columns are compared by their missing
    values alone.
    """

    subject: str
    about: tuple[str, str]  # the current sample and the reference
    current: pd.DataFrame = field(repr=False)
    reference: pd.DataFrame = field(repr=False)
    numeric: Mapping[str, float | None]
    categorical: Mapping[str, float | None]
    present: Sequence[str] = ()


@dataclass(frozen=True)
class ColumnDrift:
    """The drift of one column, with its measure and limit."""

    column: str
    method: str
    observed: float
    limit: float | None

    @property
    def is_drifted(self) -> bool:
        """Return whether the drift exceeds the limit, if there is one."""
        return self.limit is not None and self.observed > self.limit


@dataclass(frozen=True)
class Drift:
    """Evidently's numbers on two samples, and its charts; `note` says why if they were not compared."""

    subject: str
    note: str = ""
    about: tuple[str, str] = ("", "")
    rows: tuple[int, int] = (0, 0)
    columns: tuple[ColumnDrift, ...] = ()
    missing: Mapping[str, tuple[float, float]] = field(default_factory=dict)  # the shares on both sides, by column
    numbers: Mapping[str, Any] = field(default_factory=dict, repr=False, compare=False)
    charts: Sequence[Any] = field(default=(), repr=False, compare=False)

    @property
    def moved(self) -> list[ColumnDrift]:
        """Return the columns beyond their limits."""
        return [column for column in self.columns if column.is_drifted]


def measure_drift(samples: Samples, min_rows: int) -> Drift:
    """Return the drift of each column that has, on both sides, at least `min_rows` values.

    Numbers are compared by Wasserstein distance in reference standard deviations, names by Jensen-Shannon distance.
    Both are effect sizes, so a large sample alone raises no alarm.
    """
    os.environ.setdefault("DO_NOT_TRACK", "1")
    current, reference = samples.current.copy(), samples.reference.copy()
    limits = {  # a column that the publisher leaves empty cannot drift
        name: limit
        for name, limit in {**samples.numeric, **samples.categorical}.items()
        if min(current[name].count(), reference[name].count()) >= min_rows
    }
    methods = {name: NUMBERS if name in samples.numeric else NAMES for name in limits}
    for name in samples.categorical:
        common = set(reference[name].value_counts().index[:MOST_NAMES])
        for frame in (current, reference):
            frame[name] = frame[name].where(frame[name].isin(common) | frame[name].isna(), OTHER)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from evidently import DataDefinition, Dataset, Report
        from evidently.metrics import MissingValueCount, RowCount

        definition = DataDefinition(
            numerical_columns=[*samples.numeric, *samples.present], categorical_columns=[*samples.categorical]
        )
        drift_in_shares = _define_metric()
        drifts = [drift_in_shares(column=name, method=methods[name], threshold=limit) for name, limit in limits.items()]
        gaps = [MissingValueCount(column=name) for name in (*samples.numeric, *samples.categorical, *samples.present)]
        found = Report([RowCount(), *drifts, *gaps]).run(
            Dataset.from_pandas(current, data_definition=definition),
            Dataset.from_pandas(reference, data_definition=definition),
            name=samples.subject,
        )
        numbers = json.loads(found.json())
        values = {metric["id"]: metric["value"] for metric in numbers["metrics"]}
        before = found.context.get_reference_metric_result
        charts = [chart for metric in drifts for chart in found.metric_results[metric.metric_id].get_widgets()]
    return Drift(
        samples.subject,
        about=samples.about,
        rows=(len(current), len(reference)),
        columns=tuple(
            ColumnDrift(metric.column, metric.method, float(values[metric.metric_id]), metric.threshold)
            for metric in drifts
        ),
        missing={
            metric.column: (
                float(values[metric.metric_id]["share"]),
                float(before(metric.metric_id).to_simple_dict()["share"]),
            )
            for metric in gaps
        },
        numbers=numbers,
        charts=charts,
    )


def save_drift(drifts: Sequence[Drift], title: str, head: str, html: Path) -> None:
    """Save Evidently's charts below `head`, which is ready-made HTML, and its numbers as JSON beside the page.

    Evidently's page has no title of its own, so a browser's tab would show its address.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from evidently.core.metric_types import render_widgets
        from evidently.legacy.renderers.html_widgets import group_widget

        charts = render_widgets(
            [group_widget(title=one.subject, widgets=[*one.charts]) for one in drifts if one.charts]
        )
    save(html.with_suffix(".json"), json.dumps({one.subject: one.numbers for one in drifts if one.numbers}, indent=1))
    named = charts.replace("<head>", f"<head><title>{escape(title)} · Daybreak</title>", 1)
    save(html, named.replace("<body>", f"<body>{head}", 1))


@cache
def _define_metric() -> Any:
    """Return Evidently's drift of a value as a metric that is drawn in shares of the rows and not in counts.

    Two samples are rarely of one size. The measure is Evidently's own; only its chart is replaced.
    """
    from evidently.core.metric_types import SingleValueCalculation
    from evidently.legacy.renderers.html_widgets import WidgetSize, plotly_data
    from evidently.metrics import ValueDrift
    from evidently.metrics.column_statistics import ValueDriftCalculation

    class DriftInShares(ValueDrift):  # type: ignore[misc]
        pass

    class DriftInSharesCalculation(SingleValueCalculation[DriftInShares]):  # type: ignore[misc]
        calculate = ValueDriftCalculation.calculate
        display_name = ValueDriftCalculation.display_name

        def _render(self, found: Any, options: Any, color_options: Any) -> list[Any]:
            sides = (("reference", REFERENCE, found.reference), ("window", CURRENT, found.current))
            limit = "" if self.metric.threshold is None else f", limit {self.metric.threshold:g}"
            title = f"{found.column_name}: distance {found.drift_score:.2f}{limit}"
            data = [
                {"type": "bar", "name": name, "marker": {"color": colour}, **_shares(side.distribution)}
                for name, colour, side in sides
            ]
            return [plotly_data(title=title, data=data, layout=LAYOUT, size=WidgetSize.HALF)]

    return DriftInShares


def _shares(counted: Any) -> dict[str, list[Any]]:
    """Return the bars of a distribution: the middles of its bins or its names, largest first, and shares of rows."""
    total = float(sum(counted.y)) or 1.0
    shares = [float(count) / total for count in counted.y]
    if len(counted.x) == len(counted.y) + 1:
        middles = [(float(low) + float(high)) / 2 for low, high in zip(counted.x, counted.x[1:], strict=False)]
        return {"x": middles, "y": shares}
    # a chart shows a label as HTML, and what publishers write must not end the page's script
    named = sorted(zip(map(str, counted.x), shares, strict=True), key=lambda bar: (-bar[1], bar[0]))
    return {"x": [escape(name) for name, _ in named], "y": [share for _, share in named]}
