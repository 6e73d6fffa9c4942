"""`bin/daybreak doctor`: print a table of diagnoses with fixes; exit with 1 when something must be fixed."""

from __future__ import annotations

import argparse

from include.core.clock import now
from include.core.settings import load_settings
from include.operations.cli.answer import Answer
from include.operations.cli.commands import Add


def add_doctor(add: Add) -> None:
    """Add `doctor`."""
    add(
        "doctor",
        help="check everything a run depends on, with a fix for each fault",
        about="Check services, databases, views, rights and the publisher's data, change nothing, and print a row for "
        "each check (fine, note, FIX, unknown) with its fix. Ends with code 1 when something has to be fixed.",
        example="doctor",
    ).set_defaults(run=look)


def look(arguments: argparse.Namespace) -> Answer:
    """Return the diagnoses; with code 1 if something must be fixed."""
    from include.operations.doctor import examine, is_healthy, render_table
    from include.operations.doctor.probes import PROBES

    diagnoses = examine(load_settings(), now(), PROBES)
    return Answer(
        [one.to_dict() for one in diagnoses],
        render_table(diagnoses),
        code=0 if is_healthy(diagnoses) else 1,
        marks={"FIX": "red", "unknown": "yellow", "note": "yellow"},
    )
