"""`bin/daybreak doctor`: print a table of diagnoses with fixes; exit with 1 when something must be fixed."""

from __future__ import annotations

import argparse
import json
import sys

from include.core.clock import now
from include.core.settings import load_settings


def add_doctor(command: argparse.ArgumentParser) -> None:
    """Add the options of `doctor`."""
    command.add_argument("--json", action="store_true", help="print as JSON")
    command.set_defaults(run=look)


def look(arguments: argparse.Namespace) -> None:
    """Print the diagnoses; exit with 1 if something must be fixed."""
    from include.operations.doctor import examine, is_healthy, render_table
    from include.operations.doctor.probes import PROBES

    diagnoses = examine(load_settings(), now(), PROBES)
    if arguments.json:
        print(json.dumps([one.to_dict() for one in diagnoses], indent=1, default=str))
    else:
        print(render_table(diagnoses))
    if not is_healthy(diagnoses):
        sys.exit(1)
