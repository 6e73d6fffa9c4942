"""The run record: one row per stage of a run, whatever it took."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from include.adapters.warehouse import connect
from include.core.checks import at_least
from include.core.errors import StateFolderError
from include.core.references import Reference
from include.core.run import Run
from include.pipeline.run import keep_checks, recorded
from tests.worlds import tiny


@pytest.fixture
def run(fresh_warehouse):
    return Run(fresh_warehouse, "run-1", tiny.AS_OF, "tests")


@recorded
def bake(run, what):
    """A stage."""
    if what == "stones":
        raise ValueError("Stones cannot be baked.")
    if what == "nothing":
        raise KeyboardInterrupt
    return Reference("bread", what, "uri", run.as_of, "f", (), {"loaves": 3})


def rows(run):
    with connect(run.settings) as warehouse:
        return warehouse.execute(
            "select stage, status, reference -> 'facts' ->> 'loaves', error, seconds is not null, peak_mb > 10"
            " from ops.runs where run_id = 'run-1'"
        ).fetchall()


def test_a_stage_that_is_done_is_kept_with_what_it_returned(run):
    assert bake(run, "rye").id == "rye"
    assert rows(run) == [("bake", "done", "3", None, True, True)]


def test_the_processor_time_of_a_stage_is_its_own_and_that_of_the_processes_it_waited_for(run):
    burn = "import time\nwhile time.process_time() < 0.3: pass"

    @recorded
    def knead(run, command):
        """A stage."""
        subprocess.run([sys.executable, "-I", "-S", "-c", command], check=True)
        return Reference("k", "i", "u", run.as_of, "f")

    used = []
    for command in (burn, "pass"):
        knead(run, command)
        with connect(run.settings) as warehouse:
            used += warehouse.execute("select cpu_seconds from ops.runs").fetchone()
    assert used[0] >= 0.3 > used[1] > 0, used


def test_who_started_a_run_how_why_and_with_which_form_is_kept_also_when_it_is_started_again(run):
    asked = "select kind, mode, actor, reason, form from ops.runs"
    for reason in ("the oven is new", "the oven was cold"):
        form = {"model": "most_read", "reason": reason}
        bake(replace(run, kind="manual", mode="dry_run", actor="ada", reason=reason, form=form), "rye")
        with connect(run.settings) as warehouse:
            assert warehouse.execute(asked).fetchall() == [("manual", "dry_run", "ada", reason, form)]


@pytest.mark.parametrize(
    ("what", "kind", "error"), [("stones", ValueError, "Stones cannot be baked."), ("nothing", KeyboardInterrupt, "")]
)
def test_a_stage_that_failed_is_kept_with_its_error_and_still_fails(run, what, kind, error):
    with pytest.raises(kind):
        bake(run, what)
    assert rows(run) == [("bake", "failed", None, error, True, True)]


def test_a_disk_that_is_full_is_named_and_not_taken_for_a_fault_of_the_code(run):
    @recorded
    def fill(run):
        """A stage."""
        Path("/dev/full").write_text("bread")

    with pytest.raises(StateFolderError, match=r"cannot be written: No space left on device\. Hint: make room"):
        fill(run)
    assert "No space left on device" in rows(run)[0][3]


def test_a_retry_takes_over_the_row_of_the_try_before(run):
    with pytest.raises(ValueError, match="Stones"):
        bake(run, "stones")
    bake(run, "rye")
    assert rows(run) == [("bake", "done", "3", None, True, True)]


def test_while_it_runs_a_stage_is_running(run):
    @recorded
    def look(run):
        assert [row[:2] for row in rows(run)] == [("look", "running")]
        return Reference("k", "i", "u", run.as_of, "f")

    look(run)


def test_the_checks_of_a_try_replace_those_of_the_try_before(run):
    for codes in (("X1", "X2"), ("X1",)):
        keep_checks(run, "bake", [at_least(code, "t", "s", float("nan"), 1.0, "said") for code in codes])
    with connect(run.settings) as warehouse:
        kept = warehouse.execute("select code, outcome, observed, sentence from ops.checks").fetchall()
    assert kept == [("X1", "failed", None, "said")]
