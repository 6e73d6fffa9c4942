"""Rehearse: refuse any publisher but the demo, take it for oneself, play, mend, and prove that all is as before."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass

from include.adapters import mlflow_registry
from include.adapters.airflow_api import Airflow
from include.adapters.warehouse import Connection, connect, place, query
from include.alerts import rehearsing
from include.core.clock import now, parse_moment, write_seconds
from include.core.errors import DaybreakError, FormRefused
from include.core.locks import LockKey
from include.core.settings import Settings
from include.operations.demo.newsroom import Busy, play, tables
from include.operations.demo.rehearsals.descriptions import REHEARSALS, Rehearsal
from include.operations.demo.rehearsals.fingerprint import Compared, compare, look
from include.operations.demo.rehearsals.mending import LOOP, mend
from include.operations.demo.rehearsals.plays import PLAYS
from include.operations.demo.rehearsals.stage import POLL_SECONDS, Say, Stage, active_runs

REST_SECONDS = 900.0
AHEAD_SECONDS = 240.0  # a scheduled run that is due sooner goes first
SCHEDULED = ("recommend", "retrain", "monitor")


@dataclass(frozen=True)
class Outcome:
    """What a rehearsal saw, the comparison of before and after, and what it did not see, if anything."""

    name: str
    title: str
    seconds: float
    seen: Sequence[str]
    compared: Sequence[Compared]
    failure: str

    @property
    def is_as_before(self) -> bool:
        """Return whether nothing differs that counts."""
        return not any(one.counts for one in self.compared)

    @property
    def passed(self) -> bool:
        """Return whether it saw what it should, and left all as it was."""
        return not self.failure and self.is_as_before

    def tell(self) -> str:
        """Return it as text."""
        verdict = "passed" if self.passed else "FAILED"
        lines = [
            f"Rehearsal “{self.title}” {verdict} in {write_seconds(self.seconds)}.",
            *self._tell_failure(),
        ]
        if self.seen:
            lines += ["", "Seen", *(f"  {one}" for one in self.seen)]
        if self.compared:
            lines += ["", "As before" if self.is_as_before else "NOT as before"]
        return "\n".join([*lines, *(f"  {one.tell()}" for one in self.compared)])

    def _tell_failure(self) -> list[str]:
        return [self.failure] if self.failure else []


def rehearse(settings: Settings, name: str, say: Say) -> Outcome:
    """Play a rehearsal and return what it saw; whatever happens, everything is mended at the end."""
    rehearsal = REHEARSALS[name]
    with having_the_demo(settings) as newsroom:
        mend(settings, newsroom, say)
        tables.give_back(newsroom)
        with suppress(Busy):  # or its own DAG plays it just now
            play(settings, until=now(), say=say)
        tables.take(newsroom, patience_seconds=120)
        airflow = Airflow(settings)
        _refuse_paused(airflow, rehearsal)
        _wait_for_rest(airflow, say)
        begun, moment = time.monotonic(), now()
        stage = Stage(settings, airflow, newsroom, name, rehearsal.title, moment, say)
        before = look(settings, newsroom)
        say(f"Rehearsal “{rehearsal.title}”. {rehearsal.about}")
        say(f"Look: {rehearsal.look_at} Airflow: {settings.airflow_url}, mailbox: {stage.mailbox}")
        challenger = mlflow_registry.read_alias(settings, "challenger")
        mark = rehearsing.Rehearsal(
            name, rehearsal.title, rehearsal.causes, moment, moment, stage.live()[0], challenger
        )
        rehearsing.begin(settings, mark)
        failure = ""
        try:
            PLAYS[name](stage)
        except DaybreakError as error:
            failure = str(error)
        finally:
            say("  mending")
            mend(settings, newsroom, say)
        compared = compare(before, look(settings, newsroom))
        return Outcome(name, rehearsal.title, time.monotonic() - begun, stage.seen, compared, failure)


def rehearse_all(settings: Settings, say: Say) -> list[Outcome]:
    """Play every rehearsal; one that cannot begin has failed, and the others are played all the same."""
    outcomes = []
    for name, rehearsal in REHEARSALS.items():
        begun = time.monotonic()
        try:
            outcomes.append(rehearse(settings, name, say))
        except DaybreakError as error:
            outcomes.append(Outcome(name, rehearsal.title, time.monotonic() - begun, (), (), str(error)))
    return outcomes


def clean(settings: Settings, say: Say) -> str:
    """Mend what a rehearsal left that was killed; return a sentence."""
    with having_the_demo(settings) as newsroom:
        left = rehearsing.going_on(settings)
        mend(settings, newsroom, say)
    return f"Rehearsal “{left.title}” is mended." if left else "No rehearsal was left; nothing had to be mended."


@contextmanager
def having_the_demo(settings: Settings) -> Iterator[Connection]:
    """Take the demo for one rehearsal; it is not played meanwhile, and catches up afterwards."""
    strangers = {place(settings, "daybreak_extract"), *_read_by_airflow(settings)} - {place(settings, "newsroom")}
    if strangers:
        raise _no_demo(f"Daybreak reads another publisher's database ({', '.join(sorted(strangers))})")
    with connect(settings, "newsroom", autocommit=True) as newsroom:
        if not tables.exists(newsroom) or tables.load_state(newsroom) is None:
            raise _no_demo("There is no demo newsroom")
        if not tables.is_shown(newsroom):
            raise _no_demo("The views show another log than the demo's")
        if not _take(newsroom, LockKey.REHEARSAL):
            left = rehearsing.going_on(settings)
            raise FormRefused(
                f"Another rehearsal is going on{f': {left.title}' if left else ''}.", hint="wait until it has ended."
            )
        tables.take(newsroom, patience_seconds=120)
        yield newsroom


def _read_by_airflow(settings: Settings) -> list[str]:
    """Return the publisher's address by Airflow's own connection, which people may edit; empty before there is one."""
    with connect(settings, "airflow") as database:
        if database.execute("select to_regclass('connection') is not null").fetchone() != (True,):
            return []
        rows = database.execute(query("operations/launcher/connections"), [["daybreak_source"]]).fetchall()
    return [f"{host}:{port}/{schema}" for _, host, port, _, schema in rows]


def _take(newsroom: Connection, key: LockKey) -> bool:
    row = newsroom.execute("select pg_try_advisory_lock(%s)", [key]).fetchone()
    return bool(row and row[0])


def _no_demo(why: str) -> FormRefused:
    return FormRefused(
        f"{why}, and rehearsals break things: they run on the demo only.",
        hint="rehearse on an installation of its own: `DAYBREAK_HOME=FOLDER make up`.",
    )


def _refuse_paused(airflow: Airflow, rehearsal: Rehearsal) -> None:
    paused = [dag_id for dag_id in rehearsal.needs if airflow.get(f"dags/{dag_id}")["is_paused"]]
    if paused:
        raise FormRefused(
            f"{', '.join(paused)} is paused, so its runs would only queue.", hint="unpause it in Airflow, then repeat."
        )


def _wait_for_rest(airflow: Airflow, say: Say) -> None:
    """Wait until no run of the loop goes on and none is due soon, which would meet what is broken."""
    end, told = time.monotonic() + REST_SECONDS, ""
    while busy := ", ".join(active_runs(airflow, LOOP) or _due(airflow)):
        if told != busy:
            say(f"waiting for {busy}")
            told = busy
        if time.monotonic() > end:
            raise DaybreakError(
                f"{busy} has not ended within {write_seconds(REST_SECONDS)}.", hint="repeat this later."
            )
        time.sleep(POLL_SECONDS)


def _due(airflow: Airflow) -> list[str]:
    found = [airflow.get(f"dags/{dag_id}") for dag_id in SCHEDULED]
    return [
        f"the scheduled run of {dag['dag_id']}"
        for dag in found
        if not dag["is_paused"]
        and dag["next_dagrun_run_after"]
        and (parse_moment(dag["next_dagrun_run_after"]) - now()).total_seconds() < AHEAD_SECONDS
    ]
