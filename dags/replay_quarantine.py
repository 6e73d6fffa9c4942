"""Bring quarantined rows back after they were corrected or the rule was changed.

## What it does
Tries the rows quarantined from one snapshot again: it replaces each with the publisher's current row of the same key,
or keeps the row as it was, and judges the whole snapshot by today's rules. If it passes, it becomes a new version of
the clean snapshot. With `retrain` in the form, the run continues with features, a challenger and a verdict on that
version, as of the snapshot's own moment; nothing is promoted. Runs by hand only.

## Reads and writes
Reads the raw snapshot, `quarantine.*` and, as the extract's role, the rows' current content in `source.*`. Writes the
new clean snapshot, the outcome for each row to `quarantine.replays`, and checks to `ops.checks`. Emits the asset
`clean_snapshot` when there is a new version. The raw snapshot is never changed.

## If it fails
No row came back and nothing else changed: the rows stay quarantined. If too many are still broken, the error names the
checks, and the report of the task `replay` shows them.

## Re-running
Always safe: the same rows and rules give the same version, so a second run makes no second version. `dry_run` lists
what would come back.
"""

from datetime import timedelta

from airflow.sdk import Param, dag

from daybreak_airflow.assets import CLEAN_SNAPSHOT
from daybreak_airflow.defaults import BY_HAND, TRAINING
from daybreak_airflow.forms import REASON
from daybreak_airflow.tasks import replays, stages

FORM = {
    "snapshot": Param(
        None,
        type=["null", "string"],
        pattern=r"^$|^\d{8}T\d{6}Z-[0-9a-f]{12}$",
        description="raw snapshot, from `bin/daybreak quarantine list`; empty: the newest with quarantined rows",
    ),
    "table": Param(
        None,
        type=["null", "string"],
        enum=[None, "subscribers", "articles", "reading_events"],
        values_display={"null": "all"},
        description="only rows of this table",
    ),
    "code": Param(
        None,
        type=["null", "string"],
        pattern=r"^$|^[A-Z]{2,3}\d{3}$",
        description="only rows quarantined by this check, for example ART103; empty: all",
    ),
    "dry_run": Param(False, type="boolean", description="list what would come back, change nothing"),
    "retrain": Param(False, type="boolean", description="afterwards train and judge a challenger on the new version"),
    "reason": REASON,
}


@dag(
    **TRAINING,
    **BY_HAND,
    description="By hand: brings quarantined rows back, as a new version of their snapshot.",
    doc_md=__doc__,
    tags=["daybreak", "data"],
    params=FORM,
    dagrun_timeout=timedelta(hours=6),
)
def replay_quarantine():
    """Turn quarantined rows into a new version of the snapshot; train and judge on it if the form asks for that."""
    version = replays.replay()
    replays.announce.override(outlets=[CLEAN_SNAPSHOT])(version)
    chosen = replays.train_on(version)
    features = stages.build_features(chosen, "training")
    model = stages.train.override(execution_timeout=timedelta(hours=3))(features)
    stages.judge(model, features)


replay_quarantine()
