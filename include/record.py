"""The run record: which stage of which run did what, how long, with how much memory; and every check it made."""

from __future__ import annotations

import errno
import json
import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import wraps
from typing import Concatenate, ParamSpec, cast

from include.adapters.warehouse import connect, query
from include.checks import Check
from include.clock import now
from include.errors import StateFolderError
from include.measure import peak_mb
from include.references import Reference
from include.settings import Settings

Arguments = ParamSpec("Arguments")
NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EROFS)


@dataclass(frozen=True)
class Run:
    """One run of a DAG or of the CLI: everything a stage needs to know about where it belongs."""

    settings: Settings
    run_id: str
    as_of: datetime
    actor: str


def recorded(
    stage: Callable[Concatenate[Run, Arguments], Reference],
) -> Callable[Concatenate[Run, Arguments], Reference]:
    """The stage, with a row in `ops.runs` that says how it went. A retry takes over the row of the try before."""

    @wraps(stage)
    def run_stage(run: Run, *args: Arguments.args, **kwargs: Arguments.kwargs) -> Reference:
        name = {"run_id": run.run_id, "stage": stage.__name__}
        with connect(run.settings) as warehouse:
            warehouse.execute(query("ops/start_stage"), {**name, "as_of": run.as_of, "started_at": now()})
        try:
            reference = stage(run, *args, **kwargs)
        except BaseException as error:
            cause = _name_full_disk(run.settings, error)
            _finish(run.settings, {**name, "status": "failed", "reference": None, "error": str(cause)[:2000]})
            if cause is error:
                raise
            raise cause from error
        _finish(run.settings, {**name, "status": "done", "reference": json.dumps(reference.to_dict()), "error": None})
        return reference

    return cast(Callable[Concatenate[Run, Arguments], Reference], run_stage)


def _name_full_disk(settings: Settings, error: BaseException) -> BaseException:
    """The error, or, when a disk is full or may not be written to, one that says so."""
    if not isinstance(error, OSError) or error.errno not in NO_ROOM:
        return error
    where = error.filename or "one of the folders it writes to"
    return StateFolderError(
        f"{where} cannot be written: {error.strerror or error}.",
        hint=f"make room on its disk; the state folder is {settings.home}. Nothing half written counts.",
    )


def _finish(settings: Settings, values: dict[str, object]) -> None:
    with connect(settings) as warehouse:
        warehouse.execute(query("ops/finish_stage"), {**values, "finished_at": now(), "peak_mb": peak_mb()})


def keep_checks(run: Run, stage: str, checks: Iterable[Check]) -> None:
    """The checks of a stage in `ops.checks`, in place of those of an earlier try."""
    where = {"run_id": run.run_id, "stage": stage}
    with connect(run.settings) as warehouse, warehouse.cursor() as cursor:
        cursor.execute(query("ops/forget_checks"), where)
        cursor.executemany(query("ops/keep_check"), [{**where, **check.to_dict()} for check in checks])


def find_checks(run: Run, stage: str) -> list[Check]:
    """The checks that this run made in a stage."""
    with connect(run.settings) as warehouse:
        rows = warehouse.execute(query("ops/checks_of_run"), {"run_id": run.run_id, "stage": stage})
        return [Check(*row) for row in rows]


def keep_verdict(
    run: Run,
    verdict_id: str,
    facts: Mapping[str, object],
    checks: Iterable[Check],
    metrics: Mapping[str, Mapping[str, float]],
) -> None:
    """The verdict in `ops.verdicts`, once; numbers that are none are null."""
    numbers = {
        who: {name: value if math.isfinite(value) else None for name, value in means.items()}
        for who, means in metrics.items()
    }
    values = {
        **{name: facts[name] for name in ("decision", "challenger_version", "champion_version", "champion_seq")},
        "verdict_id": verdict_id,
        "as_of": run.as_of,
        "run_id": run.run_id,
        "checks": json.dumps([check.to_dict() for check in checks]),
        "metrics": json.dumps(numbers),
    }
    with connect(run.settings) as warehouse:
        warehouse.execute(query("ops/keep_verdict"), values)
