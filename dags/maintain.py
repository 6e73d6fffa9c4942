"""Clean up, and look for gaps, every day.

## What it does
Removes what retention no longer keeps (batches, versions, snapshots, builds, reports, logs), reports days and
intervals that are missing, and mails alerts that are still waiting. Runs every day at 05:15 UTC, when the night's
training is over. With `dry_run` in its form it removes nothing and says for each version and snapshot what would
happen, and why.

## Reads and writes
Reads `ops.*`, MLflow and the state folder. Never removes a version that is or was champion, is pinned, newest, asked
about, has an alias or made lists that were published; nor a snapshot that such a version, or lists that are kept, refer
to. The report, behind the button of `clean_up`, names all that went.

## If it fails
Nothing that a run needs was removed. The state folder grows until it works again, so watch the free space.

## Re-running
Always safe: what is gone is gone, the rest is looked at afresh.
"""

from datetime import timedelta

from airflow.sdk import CronTriggerTimetable, Param, dag

from daybreak_airflow.defaults import DEFAULTS
from daybreak_airflow.tasks import stages


@dag(
    **DEFAULTS,
    doc_md=__doc__,
    tags=["daybreak", "upkeep"],
    params={"dry_run": Param(False, type="boolean", description="say what would be removed, remove nothing")},
    schedule=CronTriggerTimetable("15 5 * * *", timezone="UTC"),
    dagrun_timeout=timedelta(hours=2),
)
def maintain():
    """Upkeep; alerts go out whatever it finds."""
    stages.clean_up()
    stages.deliver_alerts()


maintain()
