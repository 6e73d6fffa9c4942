"""What a rehearsal may do and see: start real runs over Airflow's API, wait for them and for mails, tell.

Every wait has an end, and what does not come is an error: a rehearsal that does not see what it should see has failed.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypeVar

from psycopg.rows import dict_row

from include.adapters.airflow_api import Airflow, Json
from include.adapters.warehouse import Connection, connect, query
from include.alerts import rehearsing
from include.alerts.rehearsing import PREFIX, REASON
from include.core.clock import compact, now, parse_moment
from include.core.errors import DaybreakError
from include.core.settings import Settings
from include.operations.launcher import ports

PATIENCE_SECONDS = 900.0  # a busy machine is no fault
POLL_SECONDS = 1.0
PAGE = re.compile(r"report at (\S+\.html)")

Say = Callable[[str], None]
Found = TypeVar("Found")


class NotSeen(DaybreakError):
    """A rehearsal did not see what it should have seen."""


@dataclass(frozen=True)
class Stage:
    """The demo during a rehearsal: its publisher's connection, Airflow, and what was seen so far."""

    settings: Settings
    airflow: Airflow
    newsroom: Connection
    name: str
    title: str
    begun_at: datetime
    say: Say
    seen: list[str] = field(default_factory=list)

    def see(self, sentence: str) -> None:
        """Note what was seen, and say it."""
        self.seen.append(sentence)
        self.say(f"  saw: {sentence}")

    def start(self, dag_id: str, **form: Any) -> str:
        """Start a run with the rehearsal as its reason; return its id."""
        moment = now()
        run_id = f"{PREFIX}{self.name}__{compact(moment)}_{moment:%f}"
        self.airflow.trigger(dag_id, {**form, "reason": f"{REASON}{self.title}"}, run_id)
        self.say(f"  {dag_id} runs: {self.airflow.link(dag_id, run_id)}")
        return run_id

    def expect(self, dag_id: str, run_id: str, state: str) -> None:
        """Wait for the end of a run; raise `NotSeen` if it does not end in this state."""
        run = self.airflow.wait_for_run(dag_id, run_id, patience_seconds=PATIENCE_SECONDS, watch=self._renew)
        tasks = self.airflow.task_instances(dag_id, run_id)
        failed = [str(task["task_id"]) for task in tasks if task["state"] == "failed"]
        at = f" at {failed[0]}" if failed else ""
        self.see(f"{dag_id}: {run['state']}{at}, {self.airflow.link(dag_id, run_id, *failed[:1])}")
        if run["state"] != state:
            raise NotSeen(
                f"{dag_id} should have ended as {state} and ended as {run['state']}{at}.",
                hint=f"open {self.airflow.link(dag_id, run_id)}.",
            )

    def repeat(self, dag_id: str, run_id: str, task_id: str) -> None:
        """Clear a task with everything after it, as the mail says, and wait until the run is green."""
        self.say(f"  clearing {task_id} of {dag_id} with everything after it, as the mail says")
        self.airflow.clear(dag_id, run_id, task_id)
        self.expect(dag_id, run_id, "success")

    def expect_mail(self, *words: str) -> None:
        """Wait for a mail of this rehearsal with these words in its subject."""
        [subject, *_] = self.wait_for(
            f"a mail with {' and '.join(words)} in its subject",
            lambda: [one for one in self.subjects() if all(word in one for word in words)],
        )
        self.see(f"mail “{subject}”, {self.mailbox}")

    def subjects(self, *, had_to_wait: bool = False) -> list[str]:
        """Return the subjects of the rehearsal's mails that were sent, or that had to wait; newest first."""
        with connect(self.settings) as warehouse:
            asked = {"since": self.begun_at, "had_to_wait": had_to_wait}
            return [subject for (subject,) in warehouse.execute(query("operations/rehearsal_mails"), asked)]

    @property
    def mailbox(self) -> str:
        """Return where the mails are: the demo's mailbox, else the address of on-call."""
        if ports.catches_mail(self.settings):
            return f"http://127.0.0.1:{self.settings.mailbox_port}/"
        return self.settings.mail_to

    def recall(self, run_id: str, stage: str) -> Mapping[str, Any]:
        """Return what a stage of a run recorded: its `id`, `facts` and `error`."""
        with connect(self.settings) as warehouse, warehouse.cursor(row_factory=dict_row) as cursor:
            rows = cursor.execute(query("operations/run_stages"), {"run_id": run_id}).fetchall()
        [found] = [row for row in rows if row["stage"] == stage]
        return found

    def see_page(self, run_id: str, stage: str, what: str) -> None:
        """Note the page that a stage of a run wrote, or named in its error."""
        row = self.recall(run_id, stage)
        told = PAGE.search(row["error"] or "")
        self.see(f"{what}: {self.settings.report_link(row['facts'].get('report') or (told[1] if told else ''))}")

    def wait_for(self, what: str, look: Callable[[], Found], seconds: float = PATIENCE_SECONDS) -> Found:
        """Return what `look` finds once it finds something."""
        end = time.monotonic() + seconds
        while not (found := look()):
            rehearsing.renew(self.settings, now())
            if time.monotonic() > end:
                raise NotSeen(f"There was no {what} within {seconds:.0f} s.", hint="see `bin/daybreak alerts list`.")
            time.sleep(POLL_SECONDS)
        return found

    def _renew(self, _tasks: list[Json]) -> None:
        rehearsing.renew(self.settings, now())

    def live(self) -> tuple[str, datetime]:
        """Return the live batch and the moment it is as of."""
        with connect(self.settings) as warehouse:
            row = warehouse.execute(query("lists/live")).fetchone()
        if row is None:
            raise DaybreakError("No lists are live yet.", hint="run `make up`, which makes the first.")
        return str(row[0]), row[1]

    def need(self, holds: bool, sentence: str) -> None:
        """Raise `NotSeen` with the sentence unless the condition holds."""
        if not holds:
            raise NotSeen(sentence, hint="this is a fault of Daybreak or of the rehearsal; nothing stays broken.")


def active_runs(airflow: Airflow, dag_ids: Iterable[str], prefix: str = "") -> list[str]:
    """Return the runs that are queued or running, of these DAGs and with this beginning of their ids."""
    runs = airflow.get("dags/~/dagRuns", state=["queued", "running"], limit=100)["dag_runs"]
    return [
        f"{run['dag_id']}/{run['dag_run_id']}"
        for run in runs
        if run["dag_id"] in dag_ids and run["dag_run_id"].startswith(prefix)
    ]


def requested_runs(airflow: Airflow, since: datetime) -> list[Json]:
    """Return the runs that followed from requests of `monitor` during a rehearsal, with their states."""
    asked = {"source_dag_id": "monitor", "timestamp_gte": since.isoformat(), "limit": 100}
    return [
        run
        for event in airflow.get("assets/events", **asked)["asset_events"]
        if str((event["extra"] or {}).get("reason", "")).startswith(REASON)
        for run in event["created_dagruns"]
    ]


def requests_to_come(airflow: Airflow, since: datetime) -> list[str]:
    """Return the events that no run of `retrain` has taken yet."""
    queued = airflow.get("dags/retrain/assets/queuedEvents")["queued_events"]
    return ["a request for retrain" for event in queued if parse_moment(event["created_at"]) >= since]
