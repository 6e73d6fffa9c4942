"""Tables behind the mails: the meaning of each DAG's failure, and the remedy for each kind of error.

Belongs here: severity, unchanged parts, the next step and the section of `docs/runbook.md`. Does not belong here:
the text of a mail (wording.py) or how it is sent (outbox.py).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Severity = Literal["page", "ticket"]


@dataclass(frozen=True)
class Guide:
    """A guide to one DAG's failure: unchanged parts, next step, section of the runbook, and when it becomes a page.

    A failure is a page when readers are or will soon be worse off: once `pages_after` runs in a row have failed, None
    for never. While a DAG that serves readers fails, stale lists make a page of it, too, and so does a first failure
    whose cause lasts.
    """

    done: str
    next_step: str
    section: str
    pages_after: int | None = None
    serves_readers: bool = False


SENTINEL = "sentinel"  # no DAG, but a run that fails like one: it cannot look
AGAIN = "Then clear the failed task in Airflow (Grid, the red square, Clear): the run goes on from there."
GUIDES = {
    "retrain": Guide(
        "Nothing was promoted: what makes the lists stays the same, and they are refreshed every hour.",
        f"Read the error above and remove its cause. {AGAIN}",
        "retrain-failed",
        pages_after=3,
    ),
    "recommend": Guide(
        "Nothing was published: the last good lists stay live. The next hourly run tries again.",
        f"Read the error above and remove its cause before the lists grow stale. {AGAIN}",
        "recommend-failed",
        pages_after=2,
        serves_readers=True,
    ),
    "monitor": Guide(
        "Champion and lists stay as they are. The next hourly run measures again.",
        f"Until it works, drift goes unseen. Read the error above and remove its cause. {AGAIN}",
        "monitor-failed",
    ),
    "maintain": Guide(
        "Champion and lists stay as they are. Nothing that a run needs was removed.",
        f"Watch the free space until it works. {AGAIN}",
        "maintain-failed",
    ),
    "replay_quarantine": Guide(
        "No row was brought back: the rows stay quarantined, snapshots and champion are as they were.",
        "Read the error above and remove its cause, then trigger `replay_quarantine` again.",
        "replay-failed",
    ),
    "approve": Guide(
        "The champion stays until a person decides.",
        "Answer with `bin/daybreak approve` (with --keep to say no), or clear the failed task.",
        "approve-failed",
    ),
    "rollback": Guide(
        "Nothing was changed: champion and lists are as they were.",
        f"Read the error above: it names the version that could not be used; name another in the form. {AGAIN}",
        "rollback-failed",
    ),
    "hold": Guide(
        "No hold was set or lifted: promotions are as free as they were.",
        f"Read the error above and remove its cause. {AGAIN} Or use `bin/daybreak freeze`, `unfreeze`, `pin`, `unpin`.",
        "hold-failed",
    ),
    "takedown": Guide(
        "Nothing was changed: readers see the lists they saw.",
        "If an article has to go, `bin/daybreak takedown ARTICLE --reason …` does it without Airflow.",
        "takedown-failed",
    ),
    "tune": Guide(
        "Readers see no change: champion and lists stay, and `retrain` keeps using the parameters it had.",
        f"Read the error above and remove its cause. {AGAIN} The search continues after its last trial.",
        "tune-failed",
    ),
    SENTINEL: Guide(
        "Champion and lists stay as they are. The sentinel tries again every minute.",
        "Read the error above and `bin/daybreak logs sentinel`. Until it can look, a dead Airflow is not told of.",
        "sentinel-failed",
        pages_after=1,
    ),
    "newsroom": Guide(
        "The demo publisher has stopped; the next run continues from there.",
        "Do nothing if the next run is green: this is the demo, not a real publisher.",
        "newsroom-failed",
    ),
    "rehearse": Guide(
        "Everything that the rehearsal broke was mended, unless the error says otherwise.",
        "Read in the log what it did not see, or what is not as before. After a kill, `bin/daybreak rehearse --clean` "
        "mends.",
        "rehearse-failed",
    ),
}
ANY_RUN = Guide(
    "Unknown: Daybreak has no guide for this DAG.",
    f"Read the log and remove the cause. {AGAIN}",
    "run-failed",
    pages_after=1,
)
SERVING = frozenset(dag_id for dag_id, guide in GUIDES.items() if guide.serves_readers)


@dataclass(frozen=True)
class Cause:
    """The next step for one kind of error, in any DAG; one that `lasts` will fail the next run, too."""

    next_step: str
    section: str
    lasts: bool = False


# By the error's class. A cause's next step is more precise than the DAG's, so it takes precedence.
CAUSES = {
    "ValidationBlocked": Cause(
        "Open the report: it names the check, the share of bad rows and examples. Have the rows corrected at their "
        "source, then clear the task `extract` with everything after it, so that the corrected rows are read; or bring "
        "them into this snapshot with `replay_quarantine`.",
        "validation-blocked",
        lasts=True,
    ),
    "SourceLate": Cause(
        "Ask the publisher when the rest will arrive. Once it is there, clear the task `wait_for_data`: the run "
        "goes on from there. To train on the data that is there, trigger `retrain` with this as_of and wait_minutes 0.",
        "data-awaited",
    ),
    "SourceError": Cause(
        "Correct the view or the data that the error names, then clear the task `extract` with everything after it.",
        "source-unusable",
        lasts=True,
    ),
    "ServiceError": Cause(
        f"See which service is down with `bin/daybreak status`, read `bin/daybreak logs NAME`, start it. {AGAIN}",
        "service-down",
    ),
    "AuditFailed": Cause(
        "The report says which check refused the batch. The next hourly run makes a new one; if that is refused too, "
        "look at the newest articles and at the champion.",
        "audit-failed",
    ),
    "ArtifactDamaged": Cause(
        "Clear the task that makes the artifact named in the error, with everything after it: it is made again.",
        "artifact-damaged",
        lasts=True,
    ),
    "StateFolderError": Cause(
        f"Make room, or make the state folder writable. {AGAIN}", "state-folder-unusable", lasts=True
    ),
    "SettingsError": Cause(
        "Correct the setting that the error names in the environment or in daybreak.env, then restart the services.",
        "setting-wrong",
        lasts=True,
    ),
    "AirflowTaskTimeout": Cause(
        f"Compare the task's duration with earlier runs, and see whether the machine is busy. {AGAIN}",
        "too-slow",
    ),
    "": Cause(
        f"Read the end of the log, then check whether the machine ran out of memory (`dmesg`) or restarted. {AGAIN}",
        "task-killed",
    ),
}
# Conditions without a failed run (conditions.py), by name.
CONDITIONS = {
    "ListsStale": Cause(
        "See with `bin/daybreak status` whether the scheduler runs, and in Airflow whether `recommend` is paused or "
        "waits for a slot. `bin/daybreak recommend` makes and publishes lists without Airflow.",
        "lists-stale",
    ),
    "RowsQuarantined": Cause(
        "`bin/daybreak quarantine list` counts the rows by check, `quarantine show` shows them. Have the publisher "
        "correct them, then bring them back with `bin/daybreak quarantine replay`.",
        "rows-quarantined",
    ),
    "ChampionOld": Cause(
        "Look at the last verdicts (`bin/daybreak versions`): they say why no challenger was promoted. If promotions "
        "are frozen or pinned, ask whether they still have to be.",
        "champion-old",
    ),
    "ChallengersKeepLosing": Cause(
        "Open the newest verdict: the same check usually fails each night. More reading per reader, a longer "
        "`lookback_days` or a search with `tune` may help.",
        "challengers-keep-losing",
    ),
    "QuestionUnanswered": Cause(
        "Read the verdict and answer in Airflow under Required Actions, or with `bin/daybreak approve` (with --keep to "
        "keep the champion).",
        "question-unanswered",
    ),
    "PromotionHeld": Cause(
        "Ask whoever set the hold whether it is still needed. `bin/daybreak unfreeze` or `unpin` lifts it.",
        "promotion-held",
    ),
}
# What Airflow cannot tell of itself, so that a process outside it looks (`include/operations/sentinel`).
OUTSIDE = {
    "AirflowSilent": Cause(
        "See which services run with `bin/daybreak status`, read `bin/daybreak logs NAME`, and start them: `make up`, "
        "on a server `docker compose up -d`. `bin/daybreak recommend` makes and publishes lists without Airflow.",
        "airflow-silent",
    ),
    "MonitorSilent": Cause(
        "See in Airflow whether `monitor` is paused, and how its latest run stands. Until it works, drift goes unseen, "
        "and stale lists, quarantined rows and forgotten holds are not told of.",
        "monitor-silent",
    ),
    "TasksWaiting": Cause(
        "See in Airflow under Admin, Pools whether the pool has slots. If it has, restart the scheduler: `make down` "
        "and `make up`, on a server `docker compose restart scheduler`.",
        "tasks-waiting",
    ),
    "DagPaused": Cause(
        "Ask whoever paused it whether it still has to be; Airflow's audit log (Browse, Audit Log) says who. Unpause "
        "it in Airflow; `bin/daybreak gaps` lists the runs that it missed.",
        "dag-paused",
    ),
    "RunMissing": Cause(
        "Read `bin/daybreak logs scheduler`, and see in Airflow whether the DAG has an import error. "
        "`bin/daybreak gaps` lists the missing runs with the command that closes the gap.",
        "run-missing",
    ),
}
# What `monitor` finds in a window of reading (`include/pipeline/watching.py`).
WATCHED = {
    "DriftStays": Cause(
        "Open the window's page: it says what moved, from what to what. If the data are wrong, have the publisher "
        "correct them; if the world did change, read the newest verdict.",
        "drift-stays",
    ),
}
# What is wrong with a message of the publisher's (`include/pipeline/landing.py`).
HEARD = {
    "MessageUnreadable": Cause(
        "Tell the publisher what the message has to look like (docs/mapping.md). If the data have landed, trigger "
        "`retrain` with the moment as as_of. The ticket closes with the next message that can be read.",
        "message-unreadable",
    ),
}
# Tasks that change the live champion or lists. A failed one may have finished its work before it failed.
SWITCHES = {"promote", "publish"}
SWITCH = (
    "The switch is one transaction: it happened completely or not at all, and `bin/daybreak status` shows which. "
    "Clearing the task is safe either way."
)
