"""Clean up and look for gaps every day.

## What it does
Removes what retention no longer keeps (batches, versions, snapshots, builds, reports, logs, old alerts) and old rows of
Airflow's own database (`airflow db clean`). Looks for gaps: scheduled runs of the loop that did not start or failed,
and a model that late data has outdated. Mails alerts that are still waiting, and a digest: last night's verdict, lists,
readers, quarantined rows, incidents, and what waits for a person. Runs every day at 05:15 UTC, after the night's
training. With `dry_run` in its form it removes nothing and says what would happen to each version and snapshot and why.

## Reads and writes
Reads `ops.*`, MLflow, the state folder and Airflow's database. Never removes a version that is or was champion, is
pinned, is the newest, waits for a decision, has an alias or made published lists, nor a snapshot that such a version or
kept lists refer to, nor a row of Airflow that a running or waiting run needs. The report, behind the button of
`clean_up`, lists everything that was removed; the log of `clean_airflow` counts the rows by table, and the
log of `look_for_gaps` names the gaps. `bin/daybreak gaps` lists them with the command that closes each.

## If it fails
Nothing that a run needs was removed. The state folder grows until `maintain` works again, so watch the free space.

## Re-running
Always safe: removed items stay removed, and the rest is checked again.
"""

from datetime import timedelta

from airflow.sdk import CronTriggerTimetable, Param, dag

from daybreak_airflow.defaults import DEFAULTS
from daybreak_airflow.tasks import stages


@dag(
    **DEFAULTS,
    description="Daily at 05:15 UTC: removes what is old, looks for gaps, mails waiting alerts and a digest.",
    doc_md=__doc__,
    tags=["daybreak", "upkeep"],
    params={"dry_run": Param(False, type="boolean", description="list what would be removed, remove nothing")},
    schedule=CronTriggerTimetable("15 5 * * *", timezone="UTC"),
    dagrun_timeout=timedelta(hours=2),
)
def maintain():
    """Clean up; alerts and the digest are mailed even if that fails."""
    stages.clean_up()
    stages.clean_airflow()
    stages.look_for_gaps()
    stages.deliver_alerts()
    stages.mail_digest()


maintain()
