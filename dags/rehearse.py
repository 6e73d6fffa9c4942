"""Rehearse trouble on the demo: break it for real, watch, mend it, and show that all is as before.

## What it does
Breaks the demo in the way that its form names, starts the runs that meet it, waits for the mails, mends everything and
compares: champion, live lists, every row of the publisher, windows of `monitor`, holds, open incidents. Its log says
what to look at meanwhile and what it saw. Runs by hand, on the demo only; `bin/daybreak rehearse` does the same, and
[rehearsals.md](rehearsals.md) describes each.

## Reads and writes
Writes wrong rows to the demo's database or shuts a role out of it, kills a task, halts the mail server: what the
rehearsal is about. Starts runs of `recommend`, `monitor`, `retrain` and `replay_quarantine`. Puts back every row, role
and the lists that were live.

## If it fails
It did not see what it should have seen, or something is not as before: the log says what. Everything is mended all the
same; after a kill, the next rehearsal or `bin/daybreak rehearse --clean` does that.

## Re-running
Always safe: it first mends what an earlier one may have left. One rehearsal runs at a time.
"""

from datetime import timedelta

from airflow.sdk import Param, dag

from daybreak_airflow.defaults import BY_HAND, DEFAULTS
from daybreak_airflow.tasks import rehearsals

FORM = {
    "name": Param(
        "bad-data",
        type="string",
        enum=list(rehearsals.LABELS),
        values_display=rehearsals.LABELS,
        description="what to rehearse",
    ),
}


@dag(
    **DEFAULTS,
    **BY_HAND,
    description="By hand, in the demo only: rehearses trouble and shows that all is as before.",
    doc_md=__doc__,
    tags=["daybreak", "demo"],
    params=FORM,
    dagrun_timeout=timedelta(hours=2),
)
def rehearse():
    """Play one rehearsal."""
    rehearsals.rehearse()


rehearse()
