"""Clean up, and look for gaps, every day.

## What it does
Removes what retention no longer keeps, reports days and intervals that are missing, and mails alerts that are still
waiting. Runs every day at 05:15 UTC, when the night's training is over.

## Reads and writes
Reads `ops.*` and the state folder. Removes old snapshots, batches and reports; never the champion, the previous
champion or anything that the live lists refer to.

## If it fails
Nothing that a run needs was removed. The state folder grows until it works again, so watch the free space.

## Re-running
Always safe: what is gone is gone, the rest is looked at afresh.
"""

from datetime import timedelta

from airflow.sdk import CronTriggerTimetable, dag

from daybreak_airflow import stages
from daybreak_airflow.defaults import DEFAULTS


@dag(
    **DEFAULTS,
    doc_md=__doc__,
    tags=["daybreak", "upkeep"],
    schedule=CronTriggerTimetable("15 5 * * *", timezone="UTC"),
    dagrun_timeout=timedelta(hours=2),
)
def maintain():
    """Upkeep; alerts go out whatever it finds."""
    stages.clean_up()
    stages.deliver_alerts()


maintain()
