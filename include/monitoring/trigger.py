"""Request a retrain for drift or late rows; this never starts one.

A retrain is requested for drift if enough of the last windows drifted, including the newest, and for late rows if they
are due; in both cases only if the last request is long enough ago.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from include.adapters.warehouse import Connection, query
from include.core.settings import Settings
from include.monitoring.drift import DriftFinding


def wants_retraining(
    settings: Settings, windows: Sequence[tuple[datetime, bool]], last_request: datetime | None
) -> bool:
    """Return whether enough of the windows drifted, including the newest, and the last request is long enough ago."""
    if not windows or not windows[0][1]:
        return False
    if sum(drifted for _, drifted in windows) < settings.drift_violations:
        return False
    return may_ask(settings, windows[0][0], last_request)


def may_ask(settings: Settings, window_end: datetime, last_request: datetime | None) -> bool:
    """Return whether the last request is long enough ago."""
    return last_request is None or window_end - last_request >= timedelta(hours=settings.drift_cooldown_hours)


def ask_for_retraining(
    settings: Settings, warehouse: Connection, window_end: datetime, model_version: int, finding: DriftFinding
) -> str | None:
    """Save a request in `ops.retrain_requests` and return its reason; None if no retrain is needed."""
    where = {"window_end": window_end, "model_version": model_version}
    windows = warehouse.execute(
        query("monitoring/last_windows"), {**where, "windows": settings.drift_windows}
    ).fetchall()
    (last,) = warehouse.execute(query("monitoring/last_request"), [window_end]).fetchone() or (None,)
    late = warehouse.execute(query("monitoring/late_rows"), {"window_end": window_end}).fetchone()
    reasons = []
    if wants_retraining(settings, windows, last):
        drifted, until = sum(is_drifted for _, is_drifted in windows), f"{window_end:%Y-%m-%d %H:%M} UTC"
        reasons.append(f"Drift in {drifted} of the last {len(windows)} windows up to {until}: {finding.sentence}")
    if late and may_ask(settings, window_end, last):
        reasons += late
    if not reasons:
        return None
    reason = " ".join(reasons)
    warehouse.execute(query("monitoring/keep_request"), {"window_end": window_end, "reason": reason})
    return reason
