"""Loading a publisher's own log from files, with a mapping to the contract's views.

Belongs here: the order of the steps, and the texts for people. A load reads all files before it writes, stops when too
many rows are bad, and switches over in one transaction (tables.py). Loading the same files again adds nothing.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from include.adapters import duck
from include.core.errors import ValidationBlocked
from include.core.numbers import write_count, write_number
from include.core.settings import Settings
from include.data.loading import tables
from include.data.loading.files import Source, assign, open_files
from include.data.loading.guess import propose
from include.data.loading.intake import Count, Intake, open_intake
from include.data.loading.mapping import Section, read_mapping
from include.data.loading.tables import Shown
from include.data.store import digest_of

__all__ = ["Loaded", "describe_load", "load", "propose"]

SECONDS_BETWEEN_LINES = 2.0
MOST_REASONS = 3

Say = Callable[[str], None]


@dataclass(frozen=True)
class Loaded:
    """The outcome of a load; `shown` is None after a dry run."""

    counts: dict[str, Count]
    added: dict[str, int]
    rejects: Path | None
    shown: Shown | None


def load(
    settings: Settings, given: Sequence[str], mapping: Path, *, replace: bool = False, dry_run: bool = False, say: Say
) -> Loaded:
    """Load the files into schema `loaded` and point the views of `source` to it; a `dry_run` writes nothing.

    If a section's share of bad rows exceeds `quarantine_cap_share`, raise `ValidationBlocked` and change nothing.
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
    """Write the rejected rows to a file named after the load, and return its path; None if there are none."""
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
        share = count.rejected / count.read
        raise ValidationBlocked(
            f"{count.rejected:,} of {count.read:,} {name} ({write_number(share, 'share', cap)}) cannot be used; "
            f"at most {write_number(cap, 'share')} is allowed (quarantine_cap_share). Nothing was loaded. {told}.",
            hint=f"correct the mapping or the files; {rejects} lists these rows.",
        )


def describe_load(loaded: Loaded) -> str:
    """Return the outcome in lines for people."""
    lines = []
    for name, count in loaded.counts.items():
        if loaded.shown:
            new = loaded.added[name]
            kept = f"{new:,} loaded + {count.kept - new:,} already there"
        else:
            kept = f"{count.kept:,} could be loaded"
        lines.append(
            f"{name:<9} {count.read:,} read from {write_count(count.files, 'file')} = {kept} + "
            f"{count.left_out:,} left out + {count.rejected:,} rejected"
        )
        if count.without_dwell:
            lines.append(f"          {count.without_dwell:,} reads without dwell_seconds count as clicks")
    if loaded.rejects:
        lines.append(f"rejects   {loaded.rejects}")
    if loaded.shown is None:
        return "\n".join([*lines, "dry run   nothing was written"])
    shown = loaded.shown
    lines.append(
        f"source.*  now shows the loaded log: {shown.events:,} events, {shown.articles:,} articles, {shown.readers:,} "
        f"readers, {shown.first_at:%Y-%m-%d %H:%M} to {shown.last_at:%Y-%m-%d %H:%M} UTC"
    )
    if shown.articles_by_id_only:
        lines.append(
            f"          {shown.articles_by_id_only:,} articles are known only from events; their first event counts as"
            " published_at"
        )
    if shown.articles_without_time:
        lines.append(f"          {shown.articles_without_time:,} articles have neither a time nor an event: not shown")
    if shown.events_too_early:
        lines.append(
            f"          {shown.events_too_early:,} events are earlier than their article’s published_at: validate"
            " quarantines them; with `first_sight: if_earlier` under articles: the first event counts instead"
        )
    lines.append("the demo  is paused; `bin/daybreak newsroom return` shows it in source.* again")
    lines.append(f"next      bin/daybreak retrain --as-of {shown.last_at:%Y-%m-%dT%H:00Z}")
    return "\n".join(lines)
