"""Feast imported without its side effects on the process."""

from __future__ import annotations

import subprocess
import sys

from include.core.settings import PROJECT

WARN = """
import warnings
from include.adapters.quiet_feast import import_feast
import_feast()
warnings.warn_explicit("old function", DeprecationWarning, "ibis/duckdb.py", 332, "ibis.duckdb")
"""


def test_deprecations_within_other_libraries_are_not_shown_because_feast_was_imported():
    done = subprocess.run([sys.executable, "-c", WARN], cwd=PROJECT, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")


UNCHECKED = """
import typeguard
checked = typeguard.typechecked
from include.adapters.quiet_feast import import_feast
feast = import_feast()
assert typeguard.typechecked is checked
for kind in (feast.Entity, feast.FeatureView, feast.FeatureService):
    assert "typeguard" not in kind.__init__.__code__.co_names, kind
"""


def test_no_function_of_feast_is_compiled_anew_and_who_else_checks_types_still_does():
    done = subprocess.run([sys.executable, "-c", UNCHECKED], cwd=PROJECT, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
