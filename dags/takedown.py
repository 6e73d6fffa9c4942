"""Take an article down from every list at once, or let lists show it again.

## What it does
Removes an article from every reader's list at once, whichever lists are live, and keeps it out of all that follow, also
after a rollback. Starts `recommend`, which makes the lists anew, so that they are full again; no model is trained.
Until then the lists that had the article are one article shorter. Runs by hand only; `bin/daybreak takedown` does the
same without Airflow.

## Reads and writes
Reads `recs.current`. Writes `ops.takedowns` and `ops.audit`, with the name of the person who started the run and the
reason. Emits the asset `takedown`, which starts `recommend`.

## If it fails
Nothing was changed: readers see the lists they saw. `bin/daybreak takedown` without an article lists what is down.

## Re-running
Always safe: an article is taken down once, and the task of a run that changes nothing is skipped.
"""

from datetime import timedelta

from airflow.sdk import Param, dag

from daybreak_airflow.defaults import BY_HAND, DEFAULTS
from daybreak_airflow.tasks import decisions

FORM = {
    "article_id": Param(type="integer", description="id of the article in the publisher's view"),
    "lift": Param(False, type="boolean", description="let lists show the article again"),
    "why": Param(type="string", minLength=3, maxLength=500, description="reason, for the record"),
}


@dag(
    **DEFAULTS,
    **BY_HAND,
    description="By hand: takes an article down from every list at once, or lets lists show it again.",
    doc_md=__doc__,
    tags=["daybreak", "decisions"],
    params=FORM,
    dagrun_timeout=timedelta(hours=2),
)
def takedown():
    """Take an article down, or lift its takedown."""
    decisions.take_down()


takedown()
