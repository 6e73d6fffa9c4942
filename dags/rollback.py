"""Go back to the champion before, lists included, in one action.

## What it does
Makes the last sound champion champion again, or the version that the form names: its files are loaded and checked
first, then the ledger and the live lists change in one transaction. The lists are the newest batch of that version, or
are made anew when none is left. Runs by hand only; `bin/daybreak rollback` does the same without Airflow.

## Reads and writes
Reads `ops.champions`, the version's files in MLflow, `recs.batches`. Writes `ops.champions`, `recs.live`, `ops.audit`,
MLflow's aliases. Emits the asset `champion`, which starts `recommend` and so brings the lists up to date.

## If it fails
Nothing was changed: champion and lists are as they were. The error says which version could not be used; name another.

## Re-running
Always safe: a run that went back already changes nothing when it is cleared. A new run goes back once more.
"""

from datetime import timedelta

from airflow.sdk import Param, dag

from daybreak_airflow.assets import CHAMPION
from daybreak_airflow.defaults import DEFAULTS
from daybreak_airflow.tasks import decisions

FORM = {
    "to": Param(None, type=["null", "integer"], minimum=1, description="version; empty: the last sound one"),
    "why": Param(type="string", minLength=3, maxLength=500, description="reason, for the ledger"),
}


@dag(
    **DEFAULTS,
    doc_md=__doc__,
    tags=["daybreak", "decisions"],
    schedule=None,
    is_paused_upon_creation=False,
    params=FORM,
    dagrun_timeout=timedelta(hours=2),
)
def rollback():
    """One action."""
    decisions.roll_back.override(outlets=[CHAMPION])()


rollback()
