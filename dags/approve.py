"""Let a person decide on a challenger that is probably, but not certainly, better.

## What it does
Waits, in the UI and without holding a worker, for a person to choose between champion and a challenger whose verdict
says "ask". Started by `retrain` when there is such a verdict. Answer under *Required Actions*; the mail has the link.
Without an answer within `ask_hours` the champion stays. It is a DAG of its own so that waiting never delays the next
`retrain`.

## Reads and writes
Reads the verdict and its checks from `ops.verdicts`. Writes the answer to `ops.answers`, who gave it to `ops.audit`,
and after a yes the new champion to `ops.champions`. Emits the asset `champion`, which starts `recommend`.

## If it fails
The champion stays. The question can still be answered with `bin/daybreak approve`.

## Re-running
Always safe: the first answer counts, and a yes changes nothing if the champion has changed since the verdict.
"""

from datetime import timedelta

from airflow.sdk import dag

from daybreak_airflow.assets import CHAMPION, QUESTION
from daybreak_airflow.defaults import DEFAULTS
from daybreak_airflow.tasks import decisions


@dag(
    **DEFAULTS,
    description="On a question of retrain: lets a person decide on a challenger in doubt.",
    doc_md=__doc__,
    tags=["daybreak", "decisions"],
    schedule=[QUESTION],
    is_paused_upon_creation=False,
    dagrun_timeout=decisions.patience() + timedelta(hours=1),
)
def approve():
    """Ask, wait for the answer, and apply it."""
    question = decisions.prepare_question()
    answer = decisions.wait_for_a_person()
    question >> answer
    decisions.apply_answer.override(outlets=[CHAMPION])(question, answer.output)


approve()
