"""Go back to the previous champion, lists included, in one action.

## What it does
Makes the last sound champion, or the version in the form, champion again: its files are loaded and checked first, then
the ledger and the live lists change in one transaction. The lists are the newest batch of that version; if none is
left, they are made again. Runs by hand only; `bin/daybreak rollback` does the same without Airflow.

## Reads and writes
Reads `ops.champions`, the version's files in MLflow and `recs.batches`. Writes `ops.champions`, `recs.live`,
`ops.audit` and MLflow's aliases. Emits the asset `champion`, which starts `recommend` and so brings the lists up to
date.

## If it fails
Nothing was changed: champion and lists are as they were. The error names the version that could not be used; name
another.

## Re-running
Always safe: clearing a run that already went back changes nothing. A new run goes back one more.
"""

from datetime import timedelta

from airflow.sdk import Param, dag

from daybreak_airflow.assets import CHAMPION
from daybreak_airflow.defaults import BY_HAND, DEFAULTS
from daybreak_airflow.tasks import decisions

FORM = {
    "to": Param(None, type=["null", "integer"], minimum=1, description="version; empty: the last sound one"),
    "why": Param(type="string", minLength=3, maxLength=500, description="reason, for the ledger"),
}


@dag(
    **DEFAULTS,
    **BY_HAND,
    description="By hand: goes back to the champion before, lists included.",
    doc_md=__doc__,
    tags=["daybreak", "decisions"],
    params=FORM,
    dagrun_timeout=timedelta(hours=2),
)
def rollback():
    """Roll back champion and lists."""
    decisions.roll_back.override(outlets=[CHAMPION])()


rollback()
