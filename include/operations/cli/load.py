"""`bin/daybreak load FILES`: load your own log from files."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from include.core.settings import load_settings


def add_load(command: argparse.ArgumentParser) -> None:
    """Add the options of `load`."""
    command.add_argument(
        "files", nargs="+", metavar="FILE", help="a CSV, TSV, JSON lines or Parquet file, a pattern, or a folder"
    )
    command.add_argument("--mapping", type=Path, help="YAML file that maps columns to the contract (docs/mapping.md)")
    command.add_argument("--replace", action="store_true", help="remove what was loaded before")
    command.add_argument("--dry-run", action="store_true", help="read and count everything, write nothing")
    command.set_defaults(run=bring_in)


def bring_in(arguments: argparse.Namespace) -> None:
    """Load the files, or print a mapping to review."""
    from include.data import loading

    settings = load_settings()
    if arguments.mapping is None:
        print(loading.propose(settings, arguments.files))
        return

    def say(line: str) -> None:
        print(line, file=sys.stderr, flush=True)

    loaded = loading.load(
        settings,
        arguments.files,
        arguments.mapping,
        replace=arguments.replace,
        dry_run=arguments.dry_run,
        say=say,
    )
    print(loading.describe_load(loaded))
