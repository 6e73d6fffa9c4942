"""Train a challenger every night and promote it when it is better.

## What it does
Waits, without holding a worker, until the window that ends at the run's moment (`as_of`) is complete: the next window's
first event has arrived, or the publisher's marker says so. Extracts that window, checks it, builds features, trains a
challenger, judges it and the champion on the same recent reading, and promotes it if the verdict says so. Runs every
night at 03:00 UTC, on a drift event from `monitor`, when the publisher says that its data have landed, by hand with a
form, and over past days as a backfill.
If the challenger is rejected, the run is green and its task `promote` is skipped, with the reason in its log. In doubt
it starts `approve`, where a person decides. A dry run writes the challenger's lists to a shadow batch that is never
shown. In a publisher's first days, while all reading lies in the hold-out, the run is skipped, and its log says from
when on there is something to learn from.

## Reads and writes
Reads `source.*`. Writes the snapshot, features and model under the state folder and in MLflow, bad rows to
`quarantine.*`, checks, verdict and champion to `ops.*`. Emits the assets `clean_snapshot` and, after a real promotion,
`champion`, which starts `recommend`.

## If it fails
Nothing was promoted; the champion stays, and the lists are still refreshed with it. On-call gets a mail that names the
task, the error and the section of `docs/runbook.md`. Remove the cause, then clear the failed task. If the window is not
complete `wait_deadline_minutes` after its end, the run fails before anything is read.

## Re-running
Always safe: every artifact's location follows from its inputs, so a second run finds the results of the first, and a
verdict promotes once. A run that is cleared is judged against the version of its first verdict. A backfill, and a run
as of a day before today's champion was made, is judged against the champion of that day by the ledger, or against the
baselines alone if there was none, so a day that runs again gets the same verdict. The form's `mode` says how far a run
goes: data only, data and features, training, verdict, promotion; what follows is skipped. A backfill trains and judges,
and promotes only with the mode `enforce` and `publish` in `confirm`, and then only while the champion of that day still
is champion. With `train_once`, only the last of its days is trained on; with `chained`, each day is judged against the
version that won the day before. A run without a date works as of the moment it was triggered. Data that have landed are
taken by one run: a second message about them, or one that comes after the nightly run, ends in a run whose first task
is skipped with the name of the run that took them.
"""

from datetime import timedelta

from airflow.sdk import AssetOrTimeSchedule, CronTriggerTimetable, Param, dag

from daybreak_airflow.assets import CHAMPION, CLEAN_SNAPSHOT, DRIFT, LANDED, QUESTION
from daybreak_airflow.defaults import TRAINING
from daybreak_airflow.forms import AS_OF, CHAINED, CONFIRM, MODE, MODEL, REASON, TRAIN_ONCE, WAIT_MINUTES
from daybreak_airflow.tasks import decisions, stages

FORM = {
    "as_of": AS_OF,
    "wait_minutes": WAIT_MINUTES,
    "window_days": Param(
        None, type=["null", "integer"], minimum=2, maximum=90, description="days of reading; empty: the setting"
    ),
    "model": MODEL,
    "mode": MODE,
    "confirm": CONFIRM,
    "train_once": TRAIN_ONCE,
    "chained": CHAINED,
    "reason": REASON,
}


@dag(
    **TRAINING,
    description="Nightly at 03:00 UTC, on drift or when data landed: trains a challenger; promotes it if it is better.",
    doc_md=__doc__,
    tags=["daybreak", "training"],
    schedule=AssetOrTimeSchedule(
        timetable=CronTriggerTimetable("0 3 * * *", timezone="UTC", interval=timedelta(days=1)), assets=DRIFT | LANDED
    ),
    params=FORM,
    dagrun_timeout=timedelta(hours=6),
)
def retrain():
    """Train on the window's reading, judge, and promote if the verdict says so."""
    complete = stages.wait_for_data()
    snapshot = stages.extract("training")
    complete >> snapshot
    clean = stages.validate.override(outlets=[CLEAN_SNAPSHOT])(snapshot)
    features = stages.build_features(clean, "training")
    model = stages.train.override(execution_timeout=timedelta(hours=3))(features)
    verdict = stages.judge(model, features)
    stages.promote.override(outlets=[CHAMPION])(verdict)
    decisions.ask.override(outlets=[QUESTION])(verdict)
    decisions.shadow(verdict)


retrain()
