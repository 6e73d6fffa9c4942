"""Play the demo's publisher.

## What it does
Plays the demo's publisher: new articles appear, readers read what they like and what they are shown, up to the run's
moment. Only for the demo; pause it where a real publisher writes to the database. Runs every ten minutes.

## Reads and writes
Reads the live lists in `recs.current`. Writes the schema `newsroom`, on which the demo's `source` views stand.

## If it fails
The demo's news stands still; nothing else is touched. The next run plays on from where it stopped.

## Re-running
Always safe: it continues from the last moment played and does nothing when that is later than the run's.
"""

from datetime import timedelta

from airflow.sdk import CronTriggerTimetable, dag

from daybreak_airflow.defaults import DEFAULTS
from daybreak_airflow.tasks import stages


@dag(
    **DEFAULTS,
    doc_md=__doc__,
    tags=["daybreak", "demo"],
    schedule=CronTriggerTimetable("*/10 * * * *", timezone="UTC"),
    dagrun_timeout=timedelta(minutes=30),
)
def newsroom():
    """One step of the demo."""
    stages.play()


newsroom()
