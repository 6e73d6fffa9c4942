"""Freeze promotions or pin the champion, or allow promotions again.

## What it does
Sets or lifts a hold: a freeze stops all promotions for some hours, a pin keeps the present champion until it is
unpinned. `retrain` goes on judging meanwhile. Runs by hand only; `bin/daybreak freeze`, `unfreeze`, `pin` and `unpin`
do the same without Airflow.

## Reads and writes
Reads `ops.champions`. Writes `ops.holds` and `ops.audit`, with the name of the person who started the run and the
reason.

## If it fails
Nothing was changed: promotions are as free as they were. `bin/daybreak status` shows the holds in force.

## Re-running
Always safe: a freeze ends as many hours after the run's start as its form says, however often the run is cleared.
"""

from datetime import timedelta

from airflow.sdk import Param, dag

from daybreak_airflow.defaults import BY_HAND, DEFAULTS
from daybreak_airflow.tasks import decisions

FORM = {
    "action": Param("freeze", type="string", enum=["freeze", "unfreeze", "pin", "unpin"], description="what to do"),
    "hours": Param(24, type="number", exclusiveMinimum=0, maximum=8784, description="length of a freeze, in hours"),
    "why": Param(type="string", minLength=3, maxLength=500, description="reason, for the record"),
}


@dag(
    **DEFAULTS,
    **BY_HAND,
    description="By hand: freezes promotions or pins the champion, or lifts either.",
    doc_md=__doc__,
    tags=["daybreak", "decisions"],
    params=FORM,
    dagrun_timeout=timedelta(hours=2),
)
def hold():
    """Set or lift a hold."""
    decisions.hold()


hold()
