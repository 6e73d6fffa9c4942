"""Play the demo's publisher.

## What it does
Plays the demo's publisher up to the run's moment: new articles appear, and readers read what they like and what they
are shown. Only for the demo; pause it where a real publisher writes to the database. Runs every ten minutes.

## Reads and writes
Reads the live lists in `recs.current`. Writes the schema `newsroom`, which the demo's `source` views read.

## If it fails
The demo's news stops; nothing else is touched. The next run continues where it stopped.

## Re-running
Always safe: it continues from the last moment played and does nothing if that is later than the run's.
"""

from datetime import timedelta

from airflow.sdk import CronTriggerTimetable, dag

from daybreak_airflow.defaults import DEFAULTS
from daybreak_airflow.tasks import stages


@dag(
    **DEFAULTS,
    description="Every ten minutes, in the demo only: plays the publisher.",
    doc_md=__doc__,
    tags=["daybreak", "demo"],
    schedule=CronTriggerTimetable("*/10 * * * *", timezone="UTC"),
    dagrun_timeout=timedelta(minutes=30),
)
def newsroom():
    """Play one step of the demo."""
    stages.play()


newsroom()
