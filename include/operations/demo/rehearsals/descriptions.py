"""The rehearsals as data: what each does, what to look at meanwhile, and the causes of the incidents it opens.

Belongs here: words that the command line and Airflow's form show, so nothing is imported. `plays.py` has their course.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Rehearsal:
    """A rehearsal: its plain name, what it does in one sentence, what to look at, and what it needs.

    `causes` are those of `alerts/guides.py`, each with what it is about; `needs` are DAGs that must not be paused.
    """

    name: str
    title: str
    about: str
    look_at: str
    causes: tuple[tuple[str, str], ...]
    needs: tuple[str, ...] = ("recommend",)


REHEARSALS = {
    one.name: one
    for one in (
        Rehearsal(
            "bad-data",
            "bad data",
            "The publisher sends so many rows of unknown readers that the run is blocked; they are corrected, and the "
            "run goes on.",
            "In Airflow `recommend` turns red at validate, then green. On the page Daybreak an incident opens and "
            "closes. The mailbox gets two mails.",
            (("ValidationBlocked", "reading_events"),),
        ),
        Rehearsal(
            "quarantine",
            "rows quarantined above a warning",
            "The publisher sends more bad rows than usual, too few to block; a ticket tells of them, and they are "
            "brought back after the correction.",
            "In Airflow every run is green. `bin/daybreak quarantine list` counts the rows. The mailbox gets two "
            "mails.",
            (("RowsQuarantined", "reading_events"),),
            ("recommend", "monitor", "replay_quarantine"),
        ),
        Rehearsal(
            "outage",
            "outage of the source",
            "The publisher's database refuses Daybreak; the run is tried three times, on-call is told, and the run "
            "goes on when the database is back.",
            "In Airflow `extract` of `recommend` is up for retry twice, then red, then green. The mailbox gets two "
            "mails.",
            (("ServiceError", "source database"),),
        ),
        Rehearsal(
            "crash",
            "crash in the middle of publishing",
            "The task that publishes is killed between its two writes; readers keep their lists, and Airflow repeats "
            "the task.",
            "In Airflow `publish` of `recommend` is up for retry, then green at its second try. There is no mail.",
            (("killed", "recommend"),),
        ),
        Rehearsal(
            "bad-article",
            "a bad article taken out of the lists",
            "An editor marks an article as disputed that is in many lists; the next lists are without it.",
            "In Airflow `recommend` is green. Its lists report, and `bin/daybreak show READER`, are without the "
            "article. There is no mail.",
            (),
        ),
        Rehearsal(
            "late-data",
            "late data",
            "The publisher's data comes after the deadline of a training; on-call is told, and the training goes on "
            "when the data is there.",
            "In Airflow `wait_for_data` of `retrain` is deferred for a minute or two, then red, then green. The "
            "mailbox gets two mails.",
            (("SourceLate", "source"),),
            ("retrain",),
        ),
        Rehearsal(
            "mail-away",
            "mail server away",
            "A run is blocked while the mail server does not answer; the mail waits and arrives later.",
            "`recommend` turns red at validate. The mailbox's page does not answer at first, and then has two mails.",
            (("ValidationBlocked", "reading_events"),),
        ),
        Rehearsal(
            "mlflow-away",
            "MLflow away",
            "MLflow answers nothing; lists go on with the champion, a training fails and goes on when MLflow is back.",
            "In Airflow `recommend` is green; `train` of `retrain` is up for retry twice, then red, then green. The "
            "mailbox gets two mails.",
            (("ServiceError", "MLflow"),),
            ("recommend", "retrain"),
        ),
        Rehearsal(
            "worse-model",
            "a worse model",
            "A challenger that is worse than the champion is trained and judged; the champion stays.",
            "In Airflow `retrain` is green and its `promote` is skipped; the task `judge` links to the verdict. There "
            "is no mail.",
            (),
            ("retrain",),
        ),
        Rehearsal(
            "drift",
            "drift",
            "The publisher counts the words of new articles otherwise; two windows in a row differ from the training, "
            "and a retrain is requested, trained and judged in a dry run.",
            "In Airflow `monitor` is green and links to the window's page; its event starts `retrain`, green, with "
            "`promote` skipped. The mailbox gets two mails about what no retrain can help.",
            (("DriftStays", "reads.word_count"), ("DriftStays", "news.word_count")),
            ("monitor", "retrain"),
        ),
    )
}
