"""`bin/daybreak doctor`: a table of what was found, with a fix per row; exit code 1 when something must be fixed."""

from __future__ import annotations

import argparse
import json
import sys

from include.clock import now
from include.doctor import Question, database, examine, is_healthy, rows, services, tell, views
from include.settings import load_settings

QUESTIONS = (
    Question("DR101", "PostgreSQL lets everybody in", database.let_in),
    Question("DR102", "The warehouse is up to date", database.up_to_date, ("DR101",)),
    Question("DR103", "The extract may read, no more", database.rights, ("DR101",)),
    Question("DR104", "Clocks agree", database.clocks, ("DR101",)),
    Question("DR105", "The three views are there", views.are_there, ("DR101",)),
    Question("DR106", "Columns are as promised", views.columns, ("DR105",)),
    Question("DR107", "Times are plausible", rows.times, ("DR106",)),
    Question("DR108", "Keys are unique", rows.keys, ("DR106",)),
    Question("DR109", "Rows are plausible", rows.rows, ("DR106",)),
    Question("DR110", "A day is found by an index", views.indexes, ("DR106",)),
    Question("DR111", "There is space on the disk", services.disk),
    Question("DR112", "Mail is taken", services.mail),
    Question("DR113", "MLflow answers", services.mlflow),
    Question("DR114", "Airflow is healthy", services.airflow),
    Question("DR115", "Feast knows the declarations", services.feast, ("DR101",)),
)


def add_doctor(word: argparse.ArgumentParser) -> None:
    """The options of `doctor`."""
    word.add_argument("--json", action="store_true", help="as JSON")
    word.set_defaults(run=look)


def look(arguments: argparse.Namespace) -> None:
    """Prints the findings and ends with 0 when nothing has to be fixed, else 1."""
    findings = examine(load_settings(), now(), QUESTIONS)
    if arguments.json:
        print(json.dumps([finding.to_dict() for finding in findings], indent=1, default=str))
    else:
        print(tell(findings))
    if not is_healthy(findings):
        sys.exit(1)
