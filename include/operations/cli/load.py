"""`bin/daybreak load FILES`: load your own log from files."""

from __future__ import annotations

import argparse
from dataclasses import asdict
from pathlib import Path

from include.core.settings import load_settings
from include.operations.cli.answer import Answer
from include.operations.cli.commands import Add
from include.operations.cli.progress import say


def add_load(add: Add) -> None:
    """Add `load` with its options."""
    command = add(
        "load",
        help="load your own log from files",
        about="Load a reading log from files into the publisher's views, in place of the demo. A mapping says which "
        "column of yours is which (docs/mapping.md); without one, `load` prints a proposal to correct.",
        example="load 'log/*.csv' --mapping mapping.yaml --dry-run",
    )
    command.add_argument(
        "files", nargs="+", metavar="FILE", help="a CSV, TSV, JSON lines or Parquet file, a pattern, or a folder"
    )
    command.add_argument("--mapping", type=Path, help="YAML file that maps columns to the contract (docs/mapping.md)")
    command.add_argument("--replace", action="store_true", help="remove what was loaded before")
    command.add_argument("--dry-run", action="store_true", help="read and count everything, write nothing")
    command.set_defaults(run=bring_in)


def bring_in(arguments: argparse.Namespace) -> Answer:
    """Load the files, or return a mapping to review."""
    from include.data import loading

    settings = load_settings()
    if arguments.mapping is None:
        proposal = loading.propose(settings, arguments.files)
        return Answer({"mapping": proposal}, proposal)
    loaded = loading.load(
        settings,
        arguments.files,
        arguments.mapping,
        replace=arguments.replace,
        dry_run=arguments.dry_run,
        say=say,
    )
    return Answer(asdict(loaded), loading.describe_load(loaded))
