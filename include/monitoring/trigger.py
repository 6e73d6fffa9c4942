"""Request a retrain for drift or late rows; this never starts one.

A column asks for a retrain when the champion's ranking hangs on it and it moved in enough of the last windows, the
newest among them. It asks once: when it is still moved in a window that began after the request, the retrain did not
help, and a person is told. Requests keep a distance, have a budget per day, and wait for a training or rollback that
is running.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from include.adapters.warehouse import Connection, query
from include.core.settings import Settings
from include.monitoring.sentences import FAULT, GONE, kind_of, leap, tell_all
from include.monitoring.usual import Finding

# The model's features behind a column. The time of a read is what it predicts, so that always counts.
FEATURES = {
    "reads.article_age_hours": ("age_hours",),
    "reads.word_count": ("word_count",),
    "reads.familiarity": ("category_share", "taste", "is_interest"),
    "reads.category": ("category", "category_share", "taste", "is_interest"),
    "reads.publisher": ("publisher_share", "publisher_taste"),
    "reads.region": ("region", "regional_pull"),
}
LEAST_WEIGHT = 0.01  # of all influence on the ranking
DAY = timedelta(days=1)


@dataclass(frozen=True)
class Request:
    """An earlier request: the columns it was made for, and the verdict that followed, if there is one."""

    window_end: datetime
    columns: tuple[str, ...]
    decision: str | None = None
    version: int | None = None


@dataclass(frozen=True)
class Answer:
    """What follows from a window: why a retrain is requested, if it is, and what a person should know."""

    sentence: str
    reason: str | None = None
    columns: tuple[str, ...] = ()
    unhelped: Request | None = None
    noted: tuple[Finding, ...] = ()
    moved_lately: frozenset[str] = frozenset()  # columns that moved in one of the champion's last windows


def hangs_on(finding: Finding, weights: Mapping[str, float]) -> bool:
    """Return whether a retrain could answer to this: the ranking hangs on the column, and there is something to learn.

    New articles are described afresh for every list, so news alone asks for nothing. Of a name that is gone no model
    learns more. A version without weights may hang on anything.
    """
    furthest = next(iter(finding.places), None)
    if finding.column.startswith("news.") or is_fault(finding):
        return False
    if furthest and furthest.value < furthest.usual and leap(furthest) >= GONE:
        return False
    features = FEATURES.get(finding.column)
    return not features or not weights or sum(weights.get(name, 0.0) for name in features) >= LEAST_WEIGHT


def is_fault(finding: Finding) -> bool:
    """Return whether a number leapt so far that its unit must have changed, which nobody should train on."""
    return kind_of(finding.column) == "plain" and any(leap(place) >= FAULT for place in finding.moved)


def answer(
    settings: Settings,
    window_end: datetime,
    findings: Sequence[Finding],
    weights: Mapping[str, float],
    moved_windows: Mapping[str, int],
    requests: Sequence[Request],
    busy_run: str | None,
) -> Answer:
    """Return what follows; `moved_windows` says in how many of the last windows a column moved, this one included."""
    moved = [one for one in findings if one.moved]
    lasting = [one for one in moved if moved_windows.get(one.column, 0) >= settings.drift_violations]
    noted = tuple(one for one in lasting if not hangs_on(one, weights))
    is_broken = any(is_fault(one) for one in moved)
    acting = [one for one in lasting if one not in noted and not is_broken]
    patient_since = window_end - timedelta(days=settings.drift_patience_days)
    recent = [request for request in reversed(requests) if request.window_end > patient_since]
    asked = {column: request for request in recent for column in request.columns}
    fresh = [one for one in acting if one.column not in asked]
    if not fresh:
        window_start = window_end - timedelta(hours=settings.monitor_window_hours)
        unhelped = _find_unhelped(window_start, [asked[one.column] for one in acting])
        return Answer(_tell_rest(settings, moved, acting, unhelped), unhelped=unhelped, noted=noted)
    if told := _tell_wait(settings, window_end, requests, busy_run):
        return Answer(f"No retrain is requested yet: {told}.", noted=noted)
    most = max(moved_windows[one.column] for one in fresh)
    reason = (
        f"Drift in {most} of the last {settings.drift_windows} windows up to {window_end:%Y-%m-%d %H:%M} UTC: "
        f"{tell_all(fresh)}"
    )
    columns = tuple(one.column for one in fresh)
    return Answer(f"A retrain is requested. {reason}", reason, columns, noted=noted)


def _find_unhelped(window_start: datetime, asked: Sequence[Request]) -> Request | None:
    """Return the newest request that did not help: a verdict followed, and a window that began later is moved again."""
    judged = [request for request in asked if request.decision and request.window_end <= window_start]
    return max(judged, key=lambda request: request.window_end, default=None)


def _tell_rest(
    settings: Settings, moved: Sequence[Finding], acting: Sequence[Finding], unhelped: Request | None
) -> str:
    if not moved:
        return "No retrain is requested."
    if any(is_fault(one) for one in moved):
        return "No retrain is requested: the data look broken, and a model would learn that."
    if unhelped:
        return (
            f"No retrain is requested: {tell_unhelped(unhelped)} It is requested again for the same "
            f"{settings.drift_patience_days} days after the last time."
        )
    if acting:
        return (
            "No retrain is requested again: whether the last one for it helped is seen in windows that begin after it."
        )
    return (
        f"No retrain is requested: that takes a move that the ranking hangs on, in {settings.drift_violations} of the "
        f"last {settings.drift_windows} windows."
    )


def tell_unhelped(request: Request) -> str:
    """Say what became of a request."""
    done = f"v{request.version} was promoted" if request.decision == "promote" else f"v{request.version} was not better"
    return f"the retrain of {request.window_end:%Y-%m-%d %H:%M} UTC did not help ({done})."


def _tell_wait(
    settings: Settings, window_end: datetime, requests: Sequence[Request], busy_run: str | None
) -> str | None:
    """Return why a request has to wait; None if it may be made."""
    if not may_ask(settings, window_end, requests[0].window_end if requests else None):
        return f"the last request was less than {settings.drift_cooldown_hours} h ago"
    if sum(window_end - request.window_end < DAY for request in requests) >= settings.drift_requests_per_day:
        return f"the budget of {settings.drift_requests_per_day} a day is used up"
    return f"{busy_run} is running" if busy_run else None


def may_ask(settings: Settings, window_end: datetime, last_request: datetime | None) -> bool:
    """Return whether the last request is long enough ago."""
    return last_request is None or window_end - last_request >= _cooldown(settings)


def _cooldown(settings: Settings) -> timedelta:
    return timedelta(hours=settings.drift_cooldown_hours)


def ask_for_retraining(
    settings: Settings,
    warehouse: Connection,
    window_end: datetime,
    model_version: int,
    findings: Sequence[Finding],
    *,
    is_past: bool = False,
) -> Answer:
    """Return what follows from a window whose findings are kept, and save a request in `ops.retrain_requests`.

    A past window only says what it would have asked for.
    """
    where = {"window_end": window_end, "model_version": model_version}
    windows = warehouse.execute(query("monitoring/last_windows"), {**where, "windows": settings.drift_windows})
    moved_windows: dict[str, int] = dict(windows.fetchall())
    since = window_end - max(DAY, _cooldown(settings), timedelta(days=settings.drift_patience_days))
    rows = warehouse.execute(query("monitoring/last_requests"), {"window_end": window_end, "since": since}).fetchall()
    requests = [Request(at, tuple(columns), decision, version) for at, columns, decision, version in rows]
    (weights,) = warehouse.execute(query("monitoring/weights"), [model_version]).fetchone() or ({},)
    (busy,) = warehouse.execute(query("monitoring/busy_run"), {"since": window_end - DAY / 4}).fetchone() or (None,)
    found = answer(settings, window_end, findings, weights, moved_windows, requests, busy)
    found = replace(found, moved_lately=frozenset(moved_windows))
    late = warehouse.execute(query("monitoring/late_rows"), {"window_end": window_end}).fetchone()
    reasons = [found.reason] if found.reason else []
    if late and may_ask(settings, window_end, requests[0].window_end if requests else None):
        reasons += late
    if not reasons:
        return found
    reason = " ".join(reasons)
    if not is_past:
        kept = {"window_end": window_end, "reason": reason, "columns": list(found.columns)}
        warehouse.execute(query("monitoring/keep_request"), kept)
    return replace(found, sentence=f"A retrain is requested. {reason}", reason=reason)
