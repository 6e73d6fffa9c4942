"""Search for better model parameters once a week; `retrain` uses the result every night.

## What it does
Extracts and checks the training window, builds its features, and tries parameters of the model within a budget of
trials and minutes. Trials learn from the first part of the window and are judged on later moments, all before the
hold-out that a verdict uses. `retrain` uses the best parameters, or the model as it is if none were better, for
`tuned_max_age_days`. The DAG is paused until a person turns it on, and until then runs by hand wait; it runs on Sundays
at 05:00 UTC, or by hand with a form.

## Reads and writes
Reads `source.*`. Writes the snapshot and features under the state folder, and each trial to `ops.tuning_trials`. No
version is registered and nothing that readers see is touched.

## If it fails
Nothing is lost: `retrain` keeps using the parameters it had. Remove the cause named in the task's log, then clear the
failed task: the search continues after its last trial.

## Re-running
Always safe: the same moment and model are the same search, which keeps its trials. More trials in the form add to them.
"""

from datetime import timedelta

from airflow.sdk import CronTriggerTimetable, Param, dag

from daybreak_airflow.defaults import SEARCHING
from daybreak_airflow.forms import AS_OF, MODEL, REASON
from daybreak_airflow.tasks import stages, tunings

FORM = {
    "as_of": AS_OF,
    "model": MODEL,
    "trials": Param(20, type="integer", minimum=2, maximum=500, description="total number of trials"),
    "minutes": Param(
        30,
        type="integer",
        minimum=1,
        maximum=170,
        description="budget in minutes; a trial that would end later is not started",
    ),
    "reason": REASON,
}


@dag(
    **SEARCHING,
    description="Sundays at 05:00 UTC once it is unpaused, or by hand: searches for better parameters of the model.",
    doc_md=__doc__,
    tags=["daybreak", "training"],
    schedule=CronTriggerTimetable("0 5 * * 0", timezone="UTC", interval=timedelta(days=7)),
    params=FORM,
    is_paused_upon_creation=True,
    dagrun_timeout=timedelta(hours=5),
)
def tune():
    """Search the training window for parameters that `retrain` uses."""
    snapshot = stages.extract("training")
    features = stages.build_features(stages.validate(snapshot), "training")
    tunings.tune.override(execution_timeout=timedelta(hours=3))(features)


tune()
