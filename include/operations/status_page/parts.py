"""What a page is made of: a headline, cards with lines and tables, and links. Templates draw them and add no words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal
from urllib.parse import quote, urlencode

from include.core.clock import write_seconds
from include.core.html import Figure
from include.judging.intervals import Ranges
from include.operations.status_page.chart import Chart

Tone = Literal["", "good", "ask", "bad"]


@dataclass(frozen=True)
class Link:
    """Words that lead somewhere; `opens` says whether here, in Airflow's own window, or in a new one.

    One that leads to an action of a person is drawn as a button.
    """

    words: str
    address: str
    opens: Literal["here", "airflow", "new"] = "here"
    is_action: bool = False


class Moment(str):
    """A moment in words, which is kept on one line."""


Cell = str | Figure | Link | tuple[Link, ...] | None


@dataclass(frozen=True)
class Line:
    """A named fact of a card."""

    name: str
    words: str
    tone: Tone = ""
    link: Link | None = None
    actions: Sequence[Link] = ()


@dataclass(frozen=True)
class Table:
    """A table; rows beyond `shown` are folded away."""

    caption: str
    headings: tuple[str, ...]
    rows: Sequence[Sequence[Cell]]
    shown: int = 10


@dataclass(frozen=True)
class Card:
    """A part of a page under a heading of its own."""

    title: str
    lead: str = ""
    tone: Tone = ""
    lines: Sequence[Line] = ()
    tables: Sequence[Table] = ()
    chart: Chart | None = None
    ranges: Ranges | None = None
    links: Sequence[Link] = ()
    is_wide: bool = False


@dataclass(frozen=True)
class Page:
    """A page: its title, the answer in a sentence with a way on, what else is to be known at once, and its cards."""

    title: str
    lead: str
    tone: Tone = ""
    link: Link | None = None
    more: Sequence[Line] = ()
    cards: Sequence[Card] = ()


@dataclass(frozen=True)
class Places:
    """The addresses of these pages and of Airflow's own, below the path at which a browser reaches Airflow."""

    home: str
    airflow: str

    def card(self, run_id: str, words: str) -> Link:
        """Return a link to the card of a run."""
        return Link(words, f"{self.home}/runs/{quote(run_id)}")

    def run(self, run_id: str, words: str) -> Link:
        """Return a link to the run in Airflow."""
        dag_id, _, name = run_id.partition("/")
        return Link(words, f"{self.airflow}/dags/{quote(dag_id)}/runs/{quote(name, safe='')}", "airflow")

    def dag(self, dag_id: str, words: str) -> Link:
        """Return a link to a DAG in Airflow, where its runs are started."""
        return Link(words, f"{self.airflow}/dags/{quote(dag_id)}", "airflow")

    def questions(self, words: str) -> Link:
        """Return a link to the questions that wait in Airflow."""
        return Link(words, f"{self.airflow}/required_actions", "airflow")

    def report(self, path: str, words: str) -> Link:
        """Return a link to a report."""
        return Link(words, f"{self.home}/reports/{quote(path)}", "new")

    def page(self, path: str, words: str) -> Link:
        """Return a link to another of these pages."""
        return Link(words, f"{self.home}/{path}")

    def action(self, name: str, words: str, **values: str) -> Link:
        """Return a button that leads to the form of an action, with values of its fields."""
        asked = f"?{urlencode(values)}" if values else ""
        return Link(words, f"{self.home}/actions/{name}{asked}", is_action=True)

    def started(self, name: str, what: str) -> str:
        """Return the address of the page on what an action started."""
        return f"{self.home}/actions/{name}/{quote(what, safe='')}"

    def page_of(self, kind: str, name: str) -> Link:
        """Return a link to the page on a reader or an article."""
        return Link(name, f"{self.home}/{kind}/{quote(name, safe='')}")


def is_command(run_id: str) -> bool:
    """Return whether a command ran, which Airflow does not know."""
    return run_id.startswith("cli/")


def tell_moment(moment: datetime) -> Moment:
    """Return a moment to the minute."""
    return Moment(f"{moment:%Y-%m-%d %H:%M} UTC")


def tell_times(run: Mapping[str, Any]) -> str:
    """Return when a run started, and how long it took or that it goes on."""
    if not run["ended_at"]:
        return f"{tell_moment(run['started_at'])}, {run['state']}"
    return (
        f"{tell_moment(run['started_at'])}, took {write_seconds((run['ended_at'] - run['started_at']).total_seconds())}"
    )
