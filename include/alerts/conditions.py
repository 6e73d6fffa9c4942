"""Conditions that hold although no run failed, and that a person should know of.

Belongs here: finding them in the warehouse, and the sentence with their numbers. Does not belong here: the next step
(`guides.py`) and the incident that each becomes (`reporting.py`).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from statistics import median

from include.adapters.warehouse import Connection, query
from include.alerts.guides import CONDITIONS, HEARD, OUTSIDE, SERVING, WATCHED, Severity
from include.alerts.incidents import open_incidents
from include.alerts.wording import LiveLists, Trouble, describe, title_of
from include.core.clock import FORMAT, in_words
from include.core.settings import Settings

USUAL_DAYS = 7
FEWEST_ROWS = 50  # fewer new rows in a day are never told of
ANSWER_BY = 0.5  # share of the time to answer after which a question is told of again


@dataclass(frozen=True)
class Condition:
    """A condition that holds now: its name in the guides, what it is about, and the numbers in a sentence.

    The title stays the same as long as it holds, so it has no numbers.
    """

    name: str
    subject: str
    title: str
    fact: str
    done: str
    severity: Severity = "ticket"
    links: Mapping[str, str] = field(default_factory=dict)

    def to_trouble(self, settings: Settings) -> Trouble:
        """Return what mails about it say."""
        guide = (CONDITIONS | OUTSIDE | WATCHED | HEARD)[self.name]
        return Trouble(
            cause=self.name,
            subject=self.subject,
            title=title_of(self.title),
            what_broke=self.fact,
            done=self.done,
            next_step=guide.next_step,
            links={**self.links, "Runbook": settings.runbook_link(guide.section)},
        )


def find_conditions(
    settings: Settings, warehouse: Connection, lists: LiveLists | None, moment: datetime
) -> Iterator[Condition]:
    """Yield the conditions that hold now."""
    yield from _find_stale_lists(warehouse, lists, moment)
    rows = warehouse.execute(query("alerts/new_quarantined"), {"moment": moment, "days": USUAL_DAYS + 1}).fetchall()
    yield from find_jumps(rows, settings.quarantine_usual_times)
    yield from _find_old_champion(settings, warehouse, moment)
    yield from _find_streak(settings, warehouse)
    yield from _find_questions(settings, warehouse, moment)
    yield from _find_holds(settings, warehouse, moment)


def _find_stale_lists(warehouse: Connection, lists: LiveLists | None, moment: datetime) -> Iterator[Condition]:
    """Find stale lists of which no failure tells; after a standstill `recommend` first gets its next turn."""
    if lists is None or not lists.is_stale(moment):
        return
    if any(
        SERVING & one.stopped.keys() and one.trouble["is_live"] and not one.is_quiet
        for one in open_incidents(warehouse)
    ):
        return
    turns = {"since": moment - timedelta(minutes=135), "until": moment - timedelta(minutes=30)}
    if warehouse.execute(query("alerts/watched"), turns).fetchone() is None:
        return
    fact = f"No run failed, and yet lists are stale. {describe(lists, moment)}"
    done = "Readers keep the last good lists."
    yield Condition("ListsStale", "lists", "Readers' lists are stale.", fact, done, "page")


def find_jumps(rows: Iterable[tuple[str, int, int]], usual_times: float) -> Iterator[Condition]:
    """Yield the tables with more new quarantined rows than usual, from (table, age in days, rows)."""
    by_table: dict[str, dict[int, int]] = {}
    for table, age, count in rows:
        by_table.setdefault(table, {})[age] = count
    for table, days in sorted(by_table.items()):
        new, usual = days.get(0, 0), median(days.get(age, 0) for age in range(1, USUAL_DAYS + 1))
        if new >= FEWEST_ROWS and new > usual_times * usual:
            fact = f"{new:,} rows were quarantined within a day; {usual:,.0f} are usual."
            done = "The runs went on without these rows; nothing is lost, and they can be brought back."
            yield Condition("RowsQuarantined", table, f"Many rows of {table} were quarantined.", fact, done)


def _find_old_champion(settings: Settings, warehouse: Connection, moment: datetime) -> Iterator[Condition]:
    row = warehouse.execute(query("alerts/champion_age")).fetchone()
    if row is None or moment - row[1] < timedelta(days=settings.champion_max_age_days):
        return
    version, until = row
    fact = f"v{version} has learnt from reading until {until.strftime(FORMAT)}, {in_words(moment - until)} ago."
    done = "The champion goes on making the lists."
    yield Condition("ChampionOld", "champion", f"v{version} has learnt nothing new for a long time.", fact, done)


def _find_streak(settings: Settings, warehouse: Connection) -> Iterator[Condition]:
    (lost,) = warehouse.execute(query("alerts/rejections")).fetchone() or (0,)
    if lost >= settings.rejection_streak:
        fact = f"The last {lost:,} challengers were rejected."
        done = "The champion goes on making the lists."
        yield Condition("ChallengersKeepLosing", "champion", "Challengers keep losing.", fact, done)


def _find_questions(settings: Settings, warehouse: Connection, moment: datetime) -> Iterator[Condition]:
    for verdict_id, version, _, asked_at in warehouse.execute(query("pipeline/open_questions")).fetchall():
        if moment - asked_at >= ANSWER_BY * timedelta(hours=settings.ask_hours):
            title = f"The question whether to promote v{version} waits for an answer."
            fact = f"It has waited for {in_words(moment - asked_at)}."
            links = {
                "Answer": f"{settings.airflow_url}/required_actions",
                "Verdict": settings.report_link(f"verdicts/{verdict_id}.html"),
            }
            yield Condition("QuestionUnanswered", f"v{version}", title, fact, "The champion stays.", links=links)


def _find_holds(settings: Settings, warehouse: Connection, moment: datetime) -> Iterator[Condition]:
    for kind, _, _, reason, actor, set_at in warehouse.execute(query("judging/active_holds"), {"moment": moment}):
        if moment - set_at >= timedelta(days=settings.hold_reminder_days):
            title = f"Promotions are on hold ({kind})."
            fact = f"{actor} set it {in_words(moment - set_at)} ago: {reason.rstrip('.')}."
            yield Condition("PromotionHeld", kind, title, fact, "Challengers are judged and not promoted.")
