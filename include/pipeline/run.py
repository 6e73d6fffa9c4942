"""The run record: the outcome, duration, processor time and memory of every stage of every run, and its checks."""

from __future__ import annotations

import errno
import json
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from functools import wraps
from typing import Concatenate, ParamSpec, cast

from include.adapters.warehouse import Connection, connect, query
from include.core.checks import Check
from include.core.clock import now
from include.core.errors import NoChampion, StateFolderError, TooEarly
from include.core.measure import cpu_seconds, peak_mb
from include.core.references import Reference
from include.core.run import Run
from include.core.settings import Settings
from include.core.trend import Series, Trend

Arguments = ParamSpec("Arguments")
NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EROFS)


def recorded(
    stage: Callable[Concatenate[Run, Arguments], Reference],
) -> Callable[Concatenate[Run, Arguments], Reference]:
    """Wrap a stage to record each run in a row of `ops.runs`; a retry reuses the row.

    A stage that comes too early for its publisher is recorded as skipped.
    """

    @wraps(stage)
    def run_stage(run: Run, *args: Arguments.args, **kwargs: Arguments.kwargs) -> Reference:
        name = {"run_id": run.run_id, "stage": stage.__name__}
        with connect(run.settings) as warehouse:
            warehouse.execute(query("pipeline/start_stage"), {**name, **_describe(run), "started_at": now()})
        used = cpu_seconds()
        try:
            reference = stage(run, *args, **kwargs)
        except BaseException as error:
            cause = _name_full_disk(run.settings, error)
            status = "skipped" if isinstance(error, NoChampion | TooEarly) else "failed"
            end = {"status": status, "reference": None, "error": str(cause)[:2000]}
            _finish(run.settings, {**name, **end, "cpu_seconds": cpu_seconds() - used})
            if cause is error:
                raise
            raise cause from error
        end = {"status": "done", "reference": json.dumps(reference.to_dict()), "error": None}
        _finish(run.settings, {**name, **end, "cpu_seconds": cpu_seconds() - used})
        return reference

    return cast(Callable[Concatenate[Run, Arguments], Reference], run_stage)


def _describe(run: Run) -> dict[str, object]:
    """Return moment, origin and form of a run, as each of its stages records them."""
    about = {"as_of": run.as_of, "kind": run.kind, "mode": run.mode, "actor": run.actor, "reason": run.reason}
    return {**about, "form": json.dumps(run.form, default=str)}


def _name_full_disk(settings: Settings, error: BaseException) -> BaseException:
    """Return the error; if a disk is full or read-only, return one that names it."""
    if not isinstance(error, OSError) or error.errno not in NO_ROOM:
        return error
    where = error.filename or "one of the folders it writes to"
    return StateFolderError(
        f"{where} cannot be written: {error.strerror or error}.",
        hint=f"make room on its disk; the state folder is {settings.home}. Incomplete files are ignored.",
    )


def _finish(settings: Settings, values: dict[str, object]) -> None:
    with connect(settings) as warehouse:
        warehouse.execute(query("pipeline/finish_stage"), {**values, "finished_at": now(), "peak_mb": peak_mb()})


def keep_checks(run: Run, stage: str, checks: Iterable[Check]) -> None:
    """Save the checks of a stage in `ops.checks`, in place of those of an earlier try."""
    where = {"run_id": run.run_id, "stage": stage}
    with connect(run.settings) as warehouse, warehouse.cursor() as cursor:
        cursor.execute(query("pipeline/forget_checks"), where)
        cursor.executemany(query("pipeline/keep_check"), [{**where, **check.to_dict()} for check in checks])


KEPT = ("decision", "challenger_version", "champion_version", "champion_seq", "rival")


def keep_verdict(
    run: Run,
    verdict_id: str,
    facts: Mapping[str, object],
    checks: Iterable[Check],
    metrics: Mapping[str, Mapping[str, float]],
    differences: Iterable[Mapping[str, object]],
    *,
    is_of_record: bool,
) -> None:
    """Save the verdict in `ops.verdicts`, once; NaN and infinity become null."""
    moment = now()
    numbers = {who: _finite(means) for who, means in metrics.items()}
    values = {
        **{name: facts[name] for name in KEPT},
        "verdict_id": verdict_id,
        "as_of": run.as_of,
        "run_id": run.run_id,
        "checks": json.dumps([check.to_dict() for check in checks]),
        "metrics": json.dumps(numbers),
        "differences": json.dumps([_finite(one) for one in differences]),
        "of_record_at": moment if is_of_record else None,
        "chained_at": moment if run.form.get("chained") else None,
    }
    with connect(run.settings) as warehouse:
        warehouse.execute(query("pipeline/keep_verdict"), values)


def _finite(values: Mapping[str, object]) -> dict[str, object]:
    return {
        name: None if isinstance(value, float) and not math.isfinite(value) else value for name, value in values.items()
    }


def keep_audit(warehouse: Connection, actor: str, action: str, detail: object) -> None:
    """Record an action and its actor in `ops.audit`."""
    values = {"actor": actor, "action": action, "detail": json.dumps(detail, default=str)}
    warehouse.execute(query("pipeline/keep_audit"), values)


RUNS = 30
MOST_FIGURES = 20
TOLD = {"mean": "mean", "null_share": "share missing"}


def recall(settings: Settings, as_of: datetime, checks: Iterable[Check]) -> Trend:
    """Return the trend of validations: row counts, the figures that changed most, and every check with a number."""
    with connect(settings) as warehouse:
        figures = warehouse.execute(query("pipeline/trend_figures"), {"as_of": as_of, "runs": RUNS}).fetchall()
    return _figures(figures), recall_checks(settings, as_of, ["validate"], checks)


def recall_checks(settings: Settings, as_of: datetime, stages: list[str], checks: Iterable[Check]) -> list[Series]:
    """Return the trend of every check with a number in these stages, those with most failures first."""
    asked = {"as_of": as_of, "runs": RUNS - 1, "stages": stages}
    with connect(settings) as warehouse:
        earlier = warehouse.execute(query("pipeline/trend_checks"), asked).fetchall()
    now = [(check.code, check.subject, as_of, check.observed, check.outcome) for check in checks]
    return _checks([*earlier, *now])


def _figures(rows: Sequence[tuple[str, str, str, datetime, float]]) -> list[Series]:
    points: dict[str, list[tuple[datetime, float]]] = {}
    for table, column, measure, moment, value in rows:
        name = f"{table}: rows in 24 hours" if measure == "rows" else f"{table}.{column}: {TOLD[measure]}"
        points.setdefault(name, []).append((moment, value))
    found = [_series(name, of_name) for name, of_name in points.items()]
    counts = [series for series in found if series.name.endswith("rows in 24 hours")]
    others = [series for series in found if series not in counts and max(series.values) > 0]
    return counts + sorted(others, key=lambda one: (-one.moved, one.name))[:MOST_FIGURES]


def _checks(rows: Sequence[tuple[str, str, datetime, float | None, str]]) -> list[Series]:
    points: dict[str, list[tuple[datetime, float]]] = {}
    failed: dict[str, list[bool]] = {}
    for code, subject, moment, observed, outcome in rows:
        if observed is None:
            continue
        points.setdefault(f"{code} {subject}", []).append((moment, observed))
        failed.setdefault(f"{code} {subject}", []).append(outcome == "failed")
    found = [_series(name, of_name, failed[name]) for name, of_name in points.items()]
    return sorted(found, key=lambda one: (-sum(one.failed), one.name))


def _series(name: str, points: Sequence[tuple[datetime, float]], failed: Sequence[bool] = ()) -> Series:
    return Series(name, tuple(moment for moment, _ in points), tuple(value for _, value in points), tuple(failed))
