"""Write every reader's next ten articles, every hour and after each promotion.

## What it does
Writes every active reader's next ten articles with the current champion: extracts and checks the last days, builds
features, scores, writes a batch, audits it, and makes it live in one transaction. Runs every hour and after each
promotion. Before the first promotion the best baseline of the newest verdict makes the lists, and page, log, status and
mails say so.

## Reads and writes
Reads `source.*` and the champion. Writes `recs.batches` and `recs.recommendations`, then one row of `recs.live`. Emits
the asset `published_lists`.

## If it fails
Readers keep the last good lists, which grow older; on-call gets a mail with their age. A batch that did not pass its
audit was never live. The next hourly run tries again.

## Re-running
Always safe: a batch that is written again is the same batch, and lists of an older moment never replace newer ones
(the task `publish` is then skipped). A backfill makes the lists of a past hour with the champion of then, and publishes
only if its form says `publish` in `confirm` and that version still is champion.
"""

from datetime import timedelta

from airflow.sdk import AssetOrTimeSchedule, CronTriggerTimetable, dag

from daybreak_airflow.assets import CHAMPION, PUBLISHED_LISTS, TAKEDOWN
from daybreak_airflow.defaults import LISTS
from daybreak_airflow.forms import AS_OF, CONFIRM, REASON
from daybreak_airflow.tasks import stages


@dag(
    **LISTS,
    description="Every hour, with a new champion or after a takedown: writes every reader's next ten articles.",
    doc_md=__doc__,
    tags=["daybreak", "lists"],
    schedule=AssetOrTimeSchedule(
        timetable=CronTriggerTimetable("0 * * * *", timezone="UTC"), assets=CHAMPION | TAKEDOWN
    ),
    params={"as_of": AS_OF, "confirm": CONFIRM, "reason": REASON},
    dagrun_timeout=timedelta(hours=2),
)
def recommend():
    """Turn the last days' reading into live lists."""
    snapshot = stages.extract("scoring")
    clean = stages.validate(snapshot)
    features = stages.build_features(clean, "scoring")
    lists = stages.score(features)
    batch = stages.write_batch(lists)
    audited = stages.audit(batch)
    stages.publish.override(outlets=[PUBLISHED_LISTS])(audited)


recommend()
