"""`bin/daybreak doctor`: a table of findings, each with its fix; exit code 1 when something must be fixed."""

from __future__ import annotations

import argparse
import json
import sys

from include.core.clock import now
from include.core.settings import load_settings


def add_doctor(word: argparse.ArgumentParser) -> None:
    """Add the options of `doctor`."""
    word.add_argument("--json", action="store_true", help="as JSON")
    word.set_defaults(run=look)


def look(arguments: argparse.Namespace) -> None:
    """Print the findings; exit with 0 when nothing has to be fixed, else with 1."""
    from include.operations.doctor import examine, is_healthy, tell
    from include.operations.doctor.questions import QUESTIONS

    findings = examine(load_settings(), now(), QUESTIONS)
    if arguments.json:
        print(json.dumps([finding.to_dict() for finding in findings], indent=1, default=str))
    else:
        print(tell(findings))
    if not is_healthy(findings):
        sys.exit(1)
