"""The command line, as a user has it: words in, exit code and what was printed out."""

from __future__ import annotations

import contextlib
import io
import os
from dataclasses import dataclass
from unittest import mock

from include.adapters.warehouse import connect
from include.core.settings import Settings


@dataclass(frozen=True)
class Answer:
    """How a word ended."""

    code: int
    out: str
    err: str

    @property
    def error_lines(self) -> list[str]:
        """The lines of standard error that are not progress."""
        return [line for line in self.err.splitlines() if line.startswith("daybreak:") or "Traceback" in line]


def say(settings: Settings, *words: str, **variables: str) -> Answer:
    """`bin/daybreak WORDS` for this installation, in this process."""
    from include.operations.cli import main

    out, err = io.StringIO(), io.StringIO()
    environment = {"DAYBREAK_HOME": str(settings.home), **variables}
    code = 0
    with mock.patch.dict(os.environ, environment), contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            main(words)
        except SystemExit as end:
            code = end.code if isinstance(end.code, int) else 1
    return Answer(code, out.getvalue(), err.getvalue())


def last_run(settings: Settings, command: str) -> str:
    """The id of the newest run of a command."""
    with connect(settings) as warehouse:
        found = "select run_id from ops.runs where run_id like %s order by started_at desc limit 1"
        (run_id,) = warehouse.execute(found, [f"cli/{command}/%"]).fetchone()
    return run_id


def references(settings: Settings, run_id: str) -> dict[str, dict]:
    """What each stage of a run returned, from the run record."""
    with connect(settings) as warehouse:
        return dict(
            warehouse.execute("select stage, reference from ops.runs where run_id = %s and status = 'done'", [run_id])
        )
