"""Skew: compare the features that lists are made from with those the champion was trained on.

Belongs here: the sample of a training build, kept as long as a model trained on it may be champion, and the checks on
what Evidently measures between two builds. Training has only readers who came back within hours and scoring has all, so
some distance is normal; the limits under `skew` in `include/validation/limits.toml` leave room for it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import cast

import duckdb
import pandas as pd
from duckdb import CaseExpression, ColumnExpression, ConstantExpression, FunctionExpression

from include.adapters import duck
from include.adapters.evidently_report import NAMES, NUMBERS, ColumnDrift, Drift, Samples, measure_drift
from include.core.checks import Check
from include.core.numbers import write_number
from include.core.settings import Settings
from include.data.store import whole_folder
from include.features.days import VIEWS
from include.validation.history.change import find_furthest
from include.validation.history.profiles import IGNORED, kind_of
from include.validation.limits import SkewLimits, load_limits

SAMPLE_ROWS = 5_000
LEAST_DEVIATION = 0.001  # Evidently takes a smaller one for this
AGAINST = "those of the training"
ABOUT = ("rows of the features that the newest lists are made from", "rows of those that the champion was trained on")


@dataclass(frozen=True)
class ViewSkew:
    """What Evidently measured on one view of features, and the columns that are not of the same kind on both sides."""

    view: str
    drift: Drift
    unlike: tuple[str, ...] = ()
    columns: int = 0


def keep_sample(settings: Settings, build: Path) -> Path:
    """Return the folder with a sample of a training build, taking it if needed; the sample outlives the build."""
    place = _place(settings, build.name)
    if not place.exists():
        with whole_folder(settings, place) as folder, duck.connect() as connection:
            for view in VIEWS:
                sample = _sample(connection.read_parquet(str(build / view / "*.parquet")))
                sample.write_parquet(str(folder / f"{view}.parquet"), compression="zstd")
    return place


def _place(settings: Settings, build_id: str) -> Path:
    return settings.home / "features" / "samples" / build_id


def _sample(rows: duckdb.DuckDBPyRelation) -> duckdb.DuckDBPyRelation:
    """Return a reproducible sample of the rows."""
    keys = [ColumnExpression(name) for name in rows.columns if name.endswith("_id") or name == "event_timestamp"]
    return rows.sort(FunctionExpression("hash", *keys)).limit(SAMPLE_ROWS)


def compare_builds(settings: Settings, trained_on: str, scored: Path) -> list[ViewSkew]:
    """Return the skew of every view of a scoring build against the build (by id) that the champion was trained on."""
    build = settings.home / "features" / trained_on
    if not _place(settings, trained_on).exists() and not build.exists():
        note = f"neither a sample nor the files of {trained_on} are left."
        return [ViewSkew(view, Drift(view, note)) for view in VIEWS]
    kept = keep_sample(settings, build)
    if not all((kept / f"{view}.parquet").exists() and (scored / view).exists() for view in VIEWS):
        note = f"{trained_on} or {scored.name} has the views of release 0.1."
        return [ViewSkew(view, Drift(view, note)) for view in VIEWS]
    with duck.connect() as connection:
        return [
            _compare_view(
                view,
                _sample(connection.read_parquet(str(scored / view / "*.parquet"))),
                connection.read_parquet(str(kept / f"{view}.parquet")),
            )
            for view in VIEWS
        ]


def _compare_view(view: str, now: duckdb.DuckDBPyRelation, then: duckdb.DuckDBPyRelation) -> ViewSkew:
    limits = load_limits()
    kinds, trained = _kinds(now), _kinds(then)
    unlike = tuple(sorted(name for name in {*kinds, *trained} if kinds.get(name) != trained.get(name)))
    alike = {name: kind for name, kind in trained.items() if name not in unlike}
    current, reference = _frame(now, alike), _frame(then, alike)
    if min(len(current), len(reference)) < limits.min_rows:
        note = f"{len(current):,} rows against {len(reference):,}; {limits.min_rows} are needed on either side."
        return ViewSkew(view, Drift(view, note), unlike, len(trained))
    samples = Samples(
        view,
        ABOUT,
        current,
        reference,
        {name: limits.skew.number_distance for name, kind in alike.items() if kind == "number"},
        {name: limits.skew.word_distance for name, kind in alike.items() if kind == "word"},
        [name for name, kind in alike.items() if kind not in ("number", "word")],
    )
    drift = measure_drift(samples, limits.min_rows)
    columns = tuple(_with_floor(column, reference) for column in drift.columns)
    return ViewSkew(view, replace(drift, columns=columns), unlike, len(trained))


def _kinds(rows: duckdb.DuckDBPyRelation) -> dict[str, str]:
    return {
        name: kind_of(name, str(dtype))
        for name, dtype in zip(rows.columns, rows.dtypes, strict=True)
        if name not in IGNORED
    }


def _frame(rows: duckdb.DuckDBPyRelation, kinds: dict[str, str]) -> pd.DataFrame:
    """Return numbers and words as they are, and of every other column whether it has a value."""
    there = ConstantExpression(1.0)
    asked = [
        ColumnExpression(name).cast("double").alias(name)
        if kind == "number"
        else ColumnExpression(name)
        if kind == "word"
        else CaseExpression(ColumnExpression(name).isnotnull(), there).alias(name)
        for name, kind in kinds.items()
    ]
    return cast(pd.DataFrame, rows.select(*asked).df())


def _with_floor(column: ColumnDrift, reference: pd.DataFrame) -> ColumnDrift:
    """Count a deviation as at least a third of the mean, because a number that hardly varies would move by many."""
    if column.method != NUMBERS:
        return column
    deviation = float(reference[column.column].std(ddof=0))
    floor = max(deviation, abs(float(reference[column.column].mean())) / 3) or 1.0
    return replace(column, observed=column.observed * max(deviation, LEAST_DEVIATION) / floor)


def check(skews: Sequence[ViewSkew]) -> list[Check]:
    """Return the checks on the skew of every view."""
    limits = load_limits().skew
    checks = [one for skew in skews for one in (*_check_distances(skew, limits), *_check_columns(skew))]
    return sorted(checks, key=lambda one: (one.code, one.subject))


def _check_distances(skew: ViewSkew, limits: SkewLimits) -> list[Check]:
    """Check numbers, words and missing values by what Evidently measured."""
    titles = {
        "SKW101": f"numbers are like {AGAINST}",
        "SKW102": f"words are like {AGAINST}",
        "SKW103": f"missing values are like {AGAINST}",
    }
    if skew.drift.note:
        told = f"not judged: {skew.drift.note}"
        return [Check(c, title, skew.view, "info", "not applicable", None, "", told) for c, title in titles.items()]
    numbers = [one for one in skew.drift.columns if one.method == NUMBERS]
    words = [one for one in skew.drift.columns if one.method == NAMES]
    moved = {
        "SKW101": [(one.observed, f"{one.column} {one.observed:.2f} deviations") for one in numbers],
        "SKW102": [(one.observed, f"{one.column} {one.observed:.2f}") for one in words],
        "SKW103": [
            (abs(now - then), f"{name} {write_number(then, 'share', now)} to {write_number(now, 'share', then)}")
            for name, (now, then) in skew.drift.missing.items()
        ],
    }
    allowed = {"SKW101": limits.number_distance, "SKW102": limits.word_distance, "SKW103": limits.null_share}
    return [
        find_furthest(code, titles[code], skew.view, found, allowed[code]) for code, found in moved.items() if found
    ]


def _check_columns(skew: ViewSkew) -> list[Check]:
    """Check that both sides have the same columns, of the same kinds."""
    named, unlike = ("SKW104", "features are those of the training", skew.view), skew.unlike
    if not skew.columns:
        return [Check(*named, "info", "not applicable", None, "", f"not judged: {skew.drift.note}")]
    told = f"{len(unlike)} of {skew.columns} columns differ: {', '.join(unlike)}." if unlike else "no column differs."
    return [Check(*named, "warn", "failed" if unlike else "passed", len(unlike), "<= 0", told)]
