"""Bring quarantined rows back, after they were corrected or the rule was changed.

## What it does
Tries the rows quarantined from one snapshot again: in their place it takes what the publisher shows under their keys
today, or the row as it was, and judges the whole by today's rules. What passes becomes a new version of the clean
snapshot. With `retrain` in the form it goes on to features, a challenger and a verdict on that version, as of the
snapshot's own moment; nothing is promoted. Runs by hand only.

## Reads and writes
Reads the raw snapshot, `quarantine.*` and, as the extract's role, the rows' present content in `source.*`. Writes the
new clean snapshot, what became of each row in `quarantine.replays`, checks in `ops.checks`. Emits the asset
`clean_snapshot` when there is a new version. The raw snapshot is never changed.

## If it fails
No row came back and nothing else changed: the rows stay quarantined. When too many are still broken the error names the
checks, and the report of the task `replay` shows them.

## Re-running
Always safe: the same rows and rules make the same version, so a second run ends without a second one. `dry_run` says
what would come back.
"""

from datetime import timedelta

from airflow.sdk import Param, dag

from daybreak_airflow.assets import CLEAN_SNAPSHOT
from daybreak_airflow.defaults import DEFAULTS
from daybreak_airflow.forms import REASON
from daybreak_airflow.tasks import replays, stages

FORM = {
    "snapshot": Param(
        None,
        type=["null", "string"],
        pattern=r"^$|^\d{8}T\d{6}Z-[0-9a-f]{12}$",
        description="the raw snapshot, as `bin/daybreak quarantine list` names it; empty: the newest with such rows",
    ),
    "table": Param(
        None,
        type=["null", "string"],
        enum=[None, "subscribers", "articles", "reading_events"],
        values_display={"null": "all"},
        description="rows of this table only",
    ),
    "code": Param(
        None,
        type=["null", "string"],
        pattern=r"^$|^[A-Z]{2,3}\d{3}$",
        description="rows quarantined by this check only, for example ART103; empty: all",
    ),
    "dry_run": Param(False, type="boolean", description="say what would come back, change nothing"),
    "retrain": Param(False, type="boolean", description="then train and judge a challenger on the new version"),
    "reason": REASON,
}


@dag(
    **DEFAULTS,
    doc_md=__doc__,
    tags=["daybreak", "data"],
    schedule=None,
    is_paused_upon_creation=False,  # it waits for a person anyway; paused, a run of theirs would only queue
    params=FORM,
    dagrun_timeout=timedelta(hours=6),
)
def replay_quarantine():
    """From quarantined rows to a new version of the snapshot, and to a verdict if the form asks for one."""
    version = replays.replay()
    replays.announce.override(outlets=[CLEAN_SNAPSHOT])(version)
    chosen = replays.train_on(version)
    features = stages.build_features(chosen, "training")
    model = stages.train.override(execution_timeout=timedelta(hours=3))(features)
    stages.judge(model, features)


replay_quarantine()
