"""Bringing in a log of your own: files in, with a mapping; the views of the contract over them out.

Belongs here: the order of things, and what a person is told. A load reads everything before it writes anything, refuses
when too many rows are bad, and takes over in one transaction (tables.py), so the same files can be loaded again at any
time and add nothing.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from include.adapters import duck
from include.core.errors import ValidationBlocked
from include.core.settings import Settings
from include.data.loading import tables
from include.data.loading.files import Source, assign, open_files
from include.data.loading.guess import propose
from include.data.loading.intake import Count, Intake, open_intake
from include.data.loading.mapping import Section, read_mapping
from include.data.loading.tables import Shown
from include.data.store import digest_of

__all__ = ["Loaded", "load", "propose", "tell"]

SECONDS_BETWEEN_LINES = 2.0
MOST_REASONS = 3

Say = Callable[[str], None]


@dataclass(frozen=True)
class Loaded:
    """What became of every row that was read; `shown` is None after a trial."""

    counts: dict[str, Count]
    added: dict[str, int]
    rejects: Path | None
    shown: Shown | None


def load(
    settings: Settings, given: Sequence[str], mapping: Path, *, replace: bool = False, dry_run: bool = False, say: Say
) -> Loaded:
    """The files' rows in schema `loaded`, and the views of `source` over it. Nothing is written when `dry_run`.

    Above `quarantine_cap_share` of bad rows in a section it is a `ValidationBlocked`, and nothing has changed.
    """
    sections = read_mapping(mapping)
    with open_files(settings, given) as sources:
        files = assign(list(sections.values()), sources)
        sections = {name: section for name, section in sections.items() if files[name]}
        intake = open_intake(sections)
        _read(intake, sections, files, say)
        rejects = _keep_rejects(settings, intake, [str(mapping), *given])
        _refuse_too_many(settings, intake, rejects)
        if dry_run:
            return Loaded(intake.counts, {}, rejects, None)
        with tables.only_one(settings) as publisher:
            say("load: writing to PostgreSQL")
            tables.write_drafts(settings, publisher, intake, sections)
            added, shown = tables.take_over(publisher, sections, replace=replace)
    return Loaded(intake.counts, added, rejects, shown)


def _read(intake: Intake, sections: dict[str, Section], files: dict[str, list[Source]], say: Say) -> None:
    begun, told = time.perf_counter(), 0.0
    work = [(section, source) for name, section in sections.items() for source in files[name]]
    for done, (section, source) in enumerate(work, 1):
        intake.read(section, source)
        seconds = time.perf_counter() - begun
        if seconds - told > SECONDS_BETWEEN_LINES or done == len(work):
            told, rows = seconds, sum(count.read for count in intake.counts.values())
            say(f"load: {done:,} of {len(work):,} files  {rows:,} rows  {rows / max(seconds, 1e-9):,.0f}/s")


def _keep_rejects(settings: Settings, intake: Intake, named: list[str]) -> Path | None:
    """The file of refused rows, named after what was loaded; None when there are none."""
    path = settings.home / "rejects" / f"{digest_of(named)[:12]}.csv"
    path.unlink(missing_ok=True)
    if not any(count.rejected for count in intake.counts.values()):
        return None
    path.parent.mkdir(parents=True, exist_ok=True)
    rows = intake.connection.sql(duck.query("data/loading/rejects"))
    rows.write_csv(str(path), header=True)
    return path


def _refuse_too_many(settings: Settings, intake: Intake, rejects: Path | None) -> None:
    cap = settings.quarantine_cap_share
    for name, count in intake.counts.items():
        if count.rejected <= cap * count.read:
            continue
        reasons = intake.connection.execute(
            duck.query("data/loading/reasons"), {"section": name, "most": MOST_REASONS}
        ).fetchall()
        told = "; ".join(f"{rows:,} like {file} line {line}: {reason}" for rows, file, line, reason in reasons)
        raise ValidationBlocked(
            f"{count.rejected:,} of {count.read:,} {name} ({count.rejected / count.read:.1%}) cannot be used; "
            f"{cap:.1%} may (quarantine_cap_share). Nothing was loaded. {told}.",
            hint=f"correct the mapping or the files; all of these rows are in {rejects}.",
        )


def tell(loaded: Loaded) -> str:
    """The outcome in lines for people."""
    lines = []
    for name, count in loaded.counts.items():
        if loaded.shown:
            new = loaded.added[name]
            kept = f"{new:,} loaded + {count.kept - new:,} there already"
        else:
            kept = f"{count.kept:,} could be loaded"
        lines.append(
            f"{name:<9} {count.read:,} read from {count.files:,} file(s) = {kept} + {count.left_out:,} left out"
            f" + {count.rejected:,} rejected"
        )
        if count.without_dwell:
            lines.append(f"          {count.without_dwell:,} reads without dwell_seconds count as clicks")
    if loaded.rejects:
        lines.append(f"rejects   {loaded.rejects}")
    if loaded.shown is None:
        return "\n".join([*lines, "a trial  nothing was written"])
    shown = loaded.shown
    lines.append(
        f"source.*  now shows the loaded log: {shown.events:,} events, {shown.articles:,} articles, {shown.readers:,} "
        f"readers, {shown.first_at:%Y-%m-%d %H:%M} to {shown.last_at:%Y-%m-%d %H:%M} UTC"
    )
    if shown.articles_by_id_only:
        lines.append(
            f"          {shown.articles_by_id_only:,} articles are known by their events only; first sight stands in"
            " for their time"
        )
    if shown.articles_without_time:
        lines.append(f"          {shown.articles_without_time:,} articles have neither a time nor an event; they wait")
    if shown.events_too_early:
        lines.append(
            f"          {shown.events_too_early:,} events lie before their article’s published_at: validate sets them"
            " aside; `first_sight: if_earlier` under articles: lets the first event count instead"
        )
    lines.append("the demo  stands still; `bin/daybreak newsroom return` shows it in source.* again")
    lines.append(f"next      bin/daybreak retrain --as-of {shown.last_at:%Y-%m-%dT%H:00Z}")
    return "\n".join(lines)
