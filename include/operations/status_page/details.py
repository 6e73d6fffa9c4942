"""The pages that the status page leads to: champions, a reader, an article, a run."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

from include.core.clock import in_words
from include.core.html import Figure
from include.core.numbers import write_count, write_number
from include.operations.status import tell_maker
from include.operations.status_page.actions import Offer
from include.operations.status_page.facts import ArticleFacts, ReaderFacts, Row, RunFacts
from include.operations.status_page.parts import (
    Card,
    Cell,
    Line,
    Link,
    Page,
    Places,
    Table,
    Tone,
    is_command,
    tell_moment,
    tell_times,
)

# stage -> its part of a run's card; several stages may tell one part
PARTS = {
    "What went in": ("extract",),
    "Quarantined": ("validate", "replay"),
    "Features": ("build_features",),
    "Trained": ("train", "tune"),
    "Judged": ("judge", "ask"),
    "Promoted": ("promote", "answer", "roll_back"),
    "Published": ("score", "write_batch", "audit", "publish", "shadow"),
    "Held": ("hold",),
    "Taken down": ("take_down",),
    "Watched": ("watch", "guard"),
    "Cleaned up": ("clean_up", "clean_airflow"),
    "Gaps": ("look_for_gaps",),
    "Looked back": ("backtest", "reproduce"),
    "Backfill": ("report_backfill",),
}
# stage -> the numbers among its facts that people ask for, with their words
COUNTED = {
    "extract": {"reading_events": "reading events", "articles": "articles", "subscribers": "subscribers"},
    "validate": {"quarantined": "rows quarantined"},
    "replay": {"came_back": "rows came back", "still_broken": "rows still break a rule"},
    "build_features": {"requests": "lists to learn from or to make"},
    "write_batch": {"readers": "readers", "rows": "places"},
}
SAID = ("sentence", "rival", "training_data", "tuned", "late")


def build_champions_page(reigns: Sequence[Row], versions: Sequence[Row], places: Places, moment: datetime) -> Page:
    """Return every reign with its reason and quality, and every version with its verdict."""
    if not reigns:
        lead = "No version has been promoted yet."
    else:
        lead = f"v{reigns[0]['version']} is champion, {in_words(moment - reigns[0]['since'])} so far."
    told = Table(
        "Reigns, newest first",
        ("Version", "From", "To", "How", "Why", "Verdict", "Reading per article"),
        [_tell_reign(reign, places, moment) for reign in reigns],
    )
    trained = Table(
        "Versions, newest first",
        ("Version", "Trained", "Model", "Verdict", "Now", "Size"),
        [_tell_version(version, places) for version in versions],
    )
    cards = [Card("Reigns", tables=[told], is_wide=True)] if reigns else []
    cards += [Card("Versions", tables=[trained], is_wide=True)] if versions else []
    return Page("Champions", lead, cards=cards)


def _tell_reign(reign: Mapping[str, Any], places: Places, moment: datetime) -> tuple[Cell, ...]:
    length = in_words((reign["until"] or moment) - reign["since"])
    seconds = reign["seconds_per_article"]
    return (
        f"v{reign['version']}",
        tell_moment(reign["since"]),
        f"{tell_moment(reign['until'])}, after {length}" if reign["until"] else f"still, {length}",
        f"{'rolled back' if reign['action'] == 'rollback' else 'promoted'} by {reign['actor']}",
        reign["why"],
        places.report(reign["page"], "Verdict") if reign["page"] else None,
        Figure(f"{seconds:.1f} s") if seconds else "not measured",
    )


def _tell_version(version: Mapping[str, Any], places: Places) -> tuple[Cell, ...]:
    verdict = version["verdict"] or "none"
    return (
        f"v{version['version']}",
        tell_moment(version["registered_at"]),
        version["model"],
        places.report(version["page"], verdict) if version["page"] else verdict,
        f"{version['state']}{', pinned' if version['is_pinned'] else ''}",
        None if version["size_bytes"] is None else Figure(f"{version['size_bytes'] / 1e6:,.1f} MB"),
    )


def build_reader_page(facts: ReaderFacts, places: Places) -> Page:
    """Return a reader's list with reasons, what changed in a day, and what they read last."""
    live = facts.live
    made_by = tell_maker(live)
    earlier = {row["article_id"]: row["rank"] for row in facts.earlier}
    listed = Table(
        "The list that the reader has now",
        ("Place", "Article", "Category", "Publisher", "Reason", *(["A day before"] if facts.earlier_at else [])),
        [
            (
                Figure(f"{row['rank']}"),
                _article(row, places),
                row["category"],
                row["publisher"],
                row["reason"],
                *([_tell_place(earlier.get(row["article_id"]), row["rank"])] if facts.earlier_at else []),
            )
            for row in facts.listed
        ],
        shown=100,
    )
    cards = [Card("List", tables=[listed], is_wide=True), _compare(facts, places), _tell_reads(facts, places)]
    lead = f"{write_count(len(facts.listed), 'article')} by {made_by}, as of {tell_moment(live['generated_at'])}."
    return Page(f"Reader {facts.name}", lead, cards=cards)


def _article(row: Mapping[str, Any], places: Places) -> Link:
    return places.page(f"articles/{row['article_id']}", row["title"] or f"article {row['name'] or row['article_id']}")


def _tell_place(before: int | None, now: int) -> str:
    if before is None:
        return "new"
    return "same place" if before == now else f"was {before}"


def _compare(facts: ReaderFacts, places: Places) -> Card:
    if facts.earlier_at is None:
        return Card("A day before", "Lists of a day before are not kept.")
    if not facts.earlier:
        return Card("A day before", f"The reader had no list as of {tell_moment(facts.earlier_at)}.")
    now = {row["article_id"] for row in facts.listed}
    gone = [row for row in facts.earlier if row["article_id"] not in now]
    lead = f"{len(facts.earlier) - len(gone)} of {len(facts.earlier)} articles of {tell_moment(facts.earlier_at)} stay."
    table = Table(
        "Articles that left the list",
        ("Place then", "Article", "Category"),
        [(Figure(f"{row['rank']}"), _article(row, places), row["category"]) for row in gone],
        shown=100,
    )
    return Card("A day before", lead, tables=[table] if gone else (), is_wide=True)


def _tell_reads(facts: ReaderFacts, places: Places) -> Card:
    if not facts.reads:
        return Card("Read lately", "Nothing that the lists' features know of.")
    table = Table(
        "What the lists' features know, newest first",
        ("Read", "Article", "Category"),
        [(tell_moment(row["read_at"]), _article(row, places), row["category"]) for row in facts.reads],
        shown=100,
    )
    return Card("Read lately", tables=[table], is_wide=True)


def build_article_page(facts: ArticleFacts, places: Places, may: Collection[str] = ()) -> Page:
    """Return to how many readers an article is listed, by place and by reason, with its takedown."""
    article, live = facts.article, facts.live
    readers = sum(row["readers"] for row in facts.places)
    share = f" ({write_number(readers / live['readers'], 'share')})" if live["readers"] else ""
    lead = (
        f"In the lists of {readers:,} of {live['readers']:,} readers{share}, as of {tell_moment(live['generated_at'])}."
    )
    about = [Line(name, article[name.lower()] or "unknown") for name in ("Category", "Publisher")]
    if facts.takedown:
        lead = f"{facts.takedown.tell()} No list shows it."
    title = article["title"] or f"Article {article['name'] or article['article_id']}"
    choice = "lift-takedown" if facts.takedown else "takedown"
    links = Offer(places, may).of(choice, article=str(article["article_id"]))
    cards = [Card("Article", f"Id {article['name'] or article['article_id']}.", lines=about, links=links)]
    for name, key in (("Place", "rank"), ("Reason", "reason")):
        counts: dict[Any, int] = {}
        for row in facts.places:
            counts[row[key]] = counts.get(row[key], 0) + row["readers"]
        order = (
            sorted(counts.items()) if key == "rank" else sorted(counts.items(), key=lambda item: (-item[1], item[0]))
        )
        rows = [(f"{value}", Figure(f"{count:,}")) for value, count in order]
        if rows:
            cards.append(
                Card(f"By {name.lower()}", tables=[Table(f"Readers by {name.lower()}", (name, "Readers"), rows)])
            )
    return Page(title, lead, cards=cards)


def build_run_page(facts: RunFacts, places: Places) -> Page:
    """Return the card of a run: what went in, was quarantined, trained, judged and published."""
    run = facts.run
    lines = [
        Line("Run", run["run_id"]),
        Line("How", run["how"]),
        Line("As of", tell_moment(run["as_of"])),
        Line("Started", tell_times(run)),
    ]
    if run["reason"]:
        lines.append(Line("Reason", run["reason"]))
    links = [] if is_command(run["run_id"]) else [places.run(run["run_id"], "The run in Airflow")]
    cards = [Card("Run", lines=lines, links=links)]
    for title, stages in PARTS.items():
        found = [stage for stage in run["stages"] if stage["stage"].split("/")[0] in stages]
        if found:
            cards.append(_tell_part(title, found, facts.checks, places))
    tone: Tone = {"failed": "bad", "success": "good"}.get(run["state"], "ask")  # type: ignore[assignment]
    return Page(f"Run of {run['name']}", run["outcome"], tone, cards=cards)


def _tell_part(title: str, stages: Sequence[Row], checks: Mapping[str, Row], places: Places) -> Card:
    """Return what stages of one kind did: their sentences, counts, failed checks and pages."""
    told: dict[str, None] = {}
    counts: list[str] = []
    lines: dict[str, Line] = {}
    links: dict[str, Link] = {}
    tone: Tone = ""
    for stage in stages:
        facts, name = stage["facts"], stage["stage"].split("/")[0]
        told |= {str(facts[key]): None for key in SAID if facts.get(key)}
        if stage["error"]:
            told[stage["error"].partition(" Hint: ")[0]] = None
            tone = "bad" if stage["status"] == "failed" else "ask"
        counts += [f"{facts[key]:,} {words}" for key, words in COUNTED.get(name, {}).items() if key in facts]
        if name == "publish" and facts:
            told["They are live." if facts.get("changed") else "They stay unpublished."] = None
        if name in checks:
            row = checks[name]
            lines[f"Checks {name}"] = Line("Checks", f"{row['passed']:,} passed, {row['failed']:,} failed")
            lines |= {f"failed {said}": Line("Failed", said, "ask") for said in row["told"]}
        for page in stage["pages"]:
            links[page] = places.report(page, KINDS.get(page.split("/")[0], "Report"))
    if counts:
        told = {f"{', '.join(counts)}.": None, **told}
    return Card(title, " ".join(told), tone, tuple(lines.values()), links=tuple(links.values()))


KINDS = {
    "validation": "Validation report",
    "verdicts": "Verdict",
    "cards": "Model card",
    "lists": "Lists report",
    "drift": "Drift report",
    "retention": "Retention report",
    "backtests": "Backtest",
    "backfills": "Report of the backfill",
}


WITH_REPORTS = ("recommend", "retrain", "monitor", "maintain", "replay_quarantine", "backfill", "backtest")


def build_started_page(title: str, run: Mapping[str, Any], places: Places, begun: str) -> Page:
    """Return that an action has begun this run ("started"), or moved it on ("answered"), and what it has come to."""
    lines = [
        Line("Run", run["run_id"]),
        Line("How", run["how"]),
        Line("Started", tell_times(run)),
        Line("So far", run["outcome"]),
    ]
    links = [
        places.run(run["run_id"], "The run in Airflow"),
        places.card(run["run_id"], "Its card"),
        places.page("", "Status"),
    ]
    states: dict[str, tuple[str, Tone]] = {
        "success": ("is done", "good"),
        "failed": ("failed", "bad"),
        "queued": (f"was {begun} and waits for its turn", "ask"),
    }
    told, tone = states.get(run["state"], (f"was {begun}", "ask"))
    more = "" if run["state"] in ("success", "failed") else " Reload this page to see how it goes on."
    return Page(title, f"The run of {run['name']} {told}.{more}", tone, cards=[Card("Run", lines=lines, links=links)])


def build_reports_page(runs: Sequence[Row], shown: str | None, places: Places) -> Page:
    """Return the latest runs with their outcomes and reports, and a way to those of one DAG or command.

    `shown` names it if only its runs are given.
    """
    choices = [
        *([places.page("reports/", "all")] if shown else []),
        *(places.page(f"reports/?of={name}", name) for name in WITH_REPORTS if name != shown),
    ]
    rows = [
        (
            tell_moment(run["started_at"]),
            places.card(run["run_id"], run["name"]),
            tell_moment(run["as_of"]),
            run["outcome"],
            tuple(places.report(page, KINDS.get(page.split("/")[0], "Report")) for page in run["pages"]),
        )
        for run in runs
    ]
    of = f" of {shown}" if shown else ""
    table = Table(f"Runs{of}, newest first", ("Started", "Run", "As of", "Outcome", "Reports"), rows, shown=25)
    lead = f"{write_count(len(rows), 'run')}{of} left reports lately." if rows else f"No reports{of} yet."
    cards = [Card("Show", links=choices, is_wide=True)]
    return Page("Reports", lead, cards=[*cards, *([Card("Runs", tables=[table], is_wide=True)] if rows else [])])
