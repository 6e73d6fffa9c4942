"""The facts and links that every report has: on the run that made it, and to other pages.

Links are whole addresses, as in mails, so they work in Airflow, in MLflow's copies and in a file.
"""

from __future__ import annotations

from collections.abc import Mapping

from include.core.html import Link, Value
from include.core.run import MODES, Run
from include.core.settings import Settings


def about_run(run: Run) -> list[tuple[str, Value]]:
    """Return the facts on the run, for the top of a page: which one, when, how, by whom and why."""
    return [
        ("As of", f"{run.as_of:%Y-%m-%d %H:%M} UTC"),
        ("Run", link_run(run.settings, run.run_id)),
        ("Started as", run.tell_origin()),
        ("Reason", run.reason),
        (
            "Mode",
            ", ".join(filter(None, (MODES.get(run.mode, run.mode), "" if run.may_go_live else "promotes nothing"))),
        ),
        ("Form", ", ".join(f"{name} {value}" for name, value in run.form.items())),
    ]


def link_run(settings: Settings, run_id: str) -> Link:
    """Return a link to the card of a run."""
    return Link(run_id, settings.run_link(run_id))


def find_links(settings: Settings, wished: Mapping[str, str | None]) -> list[Link]:
    """Return links to those of these reports that are there, by their words, to all versions, and to all reports."""
    reports = settings.home / "reports"
    found = {words: path for words, path in wished.items() if path and (reports / path).exists()}
    links = [Link(words, settings.report_link(path)) for words, path in found.items()]
    champions = Link("Champions and versions", f"{settings.airflow_url}/daybreak/champions")
    return [*links, champions, Link("All reports", settings.report_link(""))]


def newest_verdict(settings: Settings, version: int) -> str | None:
    """Return the path of the newest page with a verdict on this version, below the reports; None if there is none."""
    pages = (settings.home / "reports" / "verdicts").glob(f"*-v{version}-after-*.html")
    newest = max(pages, key=lambda page: page.stat().st_mtime, default=None)
    return f"verdicts/{newest.name}" if newest else None
