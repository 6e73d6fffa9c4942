"""Measure the live lists, and request a new model when readers or news have changed.

## What it does
Measures the live lists (reading that came from them, by slice). Holds reading, news and the time spent with the lists
against the same hours of the days that the champion was trained on, and so learns what is usual. Evidently draws both
sides, and compares the champion's lists with its first ones and their features with those of the training. Requests a
new model from `retrain` when a column that the ranking hangs on moved in enough of the last windows: once a week for
a column, once a day, and not while a training runs. Opens a ticket when that did not help, or when a retrain cannot
help. Goes back to the previous champion when readers spend clearly less time with the new one's lists. Looks for
conditions that no failed run shows (stale lists, quarantined rows, forgotten holds), closes incidents that are over,
and mails alerts that are still waiting. Runs every hour at half past. Before the first promotion it measures the lists
only.

## Reads and writes
Reads `source.*`, `recs.*`, the files of published lists and the champion's training data. Writes `ops.health`,
`ops.drift`, `ops.checks` (SKW), `ops.retrain_requests`, `ops.incidents` and a page per window, linked from the task
`watch`, with Evidently's charts and, beside it, its numbers as JSON. Emits the asset `drift`, with the reason on the
event.

## If it fails
Champion and lists are not touched; drift goes unseen until `monitor` works again. If `deliver_alerts` fails, the
warehouse does not answer. A mail server that is down fails no task: alerts wait in `ops.deliveries`.

## Re-running
Always safe: a window that is measured again replaces its own rows, and a request for a retrain is made once per window.
A backfill measures past windows against the champion of then, as they were measured. It fills in the history, and
requests no retrain, rolls nothing back and raises no alert.
"""

from datetime import timedelta

from airflow.sdk import CronTriggerTimetable, dag

from daybreak_airflow.assets import CHAMPION, DRIFT
from daybreak_airflow.defaults import WATCHING
from daybreak_airflow.forms import REASON
from daybreak_airflow.tasks import decisions, stages


@dag(
    **WATCHING,
    description="Every hour at half past: measures how the lists do, and asks for a model if readers or news changed.",
    doc_md=__doc__,
    tags=["daybreak", "monitoring"],
    schedule=CronTriggerTimetable("30 * * * *", timezone="UTC"),
    params={"reason": REASON},
    dagrun_timeout=timedelta(hours=2),
)
def monitor():
    """Measure the window and act on it; alerts are mailed even if that fails."""
    health = stages.watch()
    stages.request_retrain.override(outlets=[DRIFT])(health)
    decisions.guard.override(outlets=[CHAMPION])(health)
    stages.deliver_alerts()


monitor()
