"""The model card of a version: the recorded facts that people need before readers see its lists.

This file gathers and arranges the facts; `card_page.py` renders them. The card is written when a version is trained and
again when it is judged, and is kept with its MLflow run as `card/`.
"""

from __future__ import annotations

import inspect
import shutil
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from include.adapters import mlflow_registry, mlflow_reports
from include.adapters.warehouse import connect, query
from include.core.about import find_links, link_run
from include.core.checks import Check
from include.core.contract import TABLES
from include.core.errors import ArtifactDamaged
from include.core.html import Figure, Value, bars, save
from include.core.numbers import write_count, write_number
from include.core.settings import Settings
from include.data import snapshot
from include.data.snapshot import Snapshot
from include.data.store import scratch
from include.judging.card_page import Section, Table, as_html, as_markdown
from include.judging.checks import GateLimits
from include.judging.page import TONES, decisive_sections, side_by_side
from include.judging.slices import is_comparable
from include.judging.verdict import Evidence, Verdict
from include.models import model_class
from include.models.registry import RegisteredModel

NOT_JUDGED = "Not judged yet."
WEIGHT, HEAVIEST = "weight_", 15
WEIGHTS = "Feature weights: each feature's share of the influence on the ranking"


@dataclass(frozen=True)
class Judged:
    """A verdict with its evidence, as added to a card."""

    verdict_id: str
    verdict: Verdict
    evidence: Evidence


def keep_card(settings: Settings, registered: RegisteredModel, judged: Judged | None = None) -> str:
    """Save the card and return its path below the reports; without a verdict, an existing card is kept.

    Its page is saved last, so that a card that exists is in MLflow, too.
    """
    report = f"cards/v{registered.version}.html"
    page = settings.home / "reports" / report
    if judged is None and page.exists():
        return report
    title, lead, sections = describe(settings, registered, judged)
    sentence = judged.verdict.sentence if judged else NOT_JUDGED
    texts = as_markdown(title, lead, sections), _render_page(settings, registered, judged, title, sections)
    draft = scratch(settings) / page.name
    try:
        _save(draft, *texts)
        mlflow_reports.keep_card(settings, registered.version, registered.mlflow_run_id, sentence, card_files(draft))
    finally:
        shutil.rmtree(draft.parent, ignore_errors=True)
    _save(page, *texts)
    return report


def _save(page: Path, markdown: str, html: str) -> None:
    for file, text in zip(card_files(page), (markdown, html), strict=True):
        save(file, text)


def _render_page(
    settings: Settings, registered: RegisteredModel, judged: Judged | None, title: str, sections: list[Section]
) -> str:
    """Return the card as a page: what was decided and by which gain, the limitations, and all else folded away."""
    until = registered.trained_until
    facts: list[tuple[str, Value]] = [
        ("Model", registered.model),
        ("As of", f"{registered.as_of:%Y-%m-%d %H:%M} UTC"),
        ("Trained on reading up to", f"{until:%Y-%m-%d %H:%M} UTC" if until else "not recorded"),
        ("Trained by run", link_run(settings, registered.run_id)),
    ]
    pages = {
        "Verdict": f"verdicts/{judged.verdict_id}.html" if judged else None,
        "Validation of its data": snapshot.find_validation(settings, registered.snapshot_id),
    }
    weights = dict(sections).get(WEIGHTS)
    drawn = decisive_sections(GateLimits.of(settings), judged.evidence) if judged else []
    if isinstance(weights, Table):
        heaviest = [
            (str(name), float(str(share)), write_number(float(str(share)), "share")) for name, share in weights.rows
        ]
        drawn.append((WEIGHTS, bars(heaviest)))
    return as_html(
        title,
        judged.verdict.sentence if judged else NOT_JUDGED,
        [section for section in sections if section[0] != WEIGHTS],
        tone=TONES[judged.verdict.decision] if judged else "",
        facts=facts,
        links=find_links(settings, pages),
        drawn=drawn,
    )


def card_files(page: Path) -> list[Path]:
    """Return every file of a card, given its page, which comes last."""
    return [page.with_suffix(".md"), page]


def describe(settings: Settings, registered: RegisteredModel, judged: Judged | None) -> tuple[str, str, list[Section]]:
    """Return title, leading sentence and sections of the card."""
    record = mlflow_registry.read_training(settings, registered.mlflow_run_id)
    try:
        clean = snapshot.find_snapshot(settings, registered.snapshot_id)
    except ArtifactDamaged:  # it was deleted, or another machine has it
        clean = None
    about = " ".join((inspect.getdoc(inspect.getmodule(model_class(registered.model))) or "").split())
    sections: list[Section] = [
        ("The model", _tell_model(registered, record, about)),
        (
            "Data",
            _tell_data(settings, clean) if clean else (f"Snapshot {registered.snapshot_id} is not on this machine.",),
        ),
        ("Parameters", Table(("", ""), tuple(sorted(record.params.items())))),
        *_tell_weights(record),
        *(_tell_verdict(GateLimits.of(settings), judged) if judged else ()),
        ("Limitations", (*_tell_limits(registered, record, clean), *_tell_doubts(settings, judged))),
        ("Reproducing it", (f"`bin/daybreak reproduce {registered.version}` must give digest {registered.digest}.",)),
    ]
    said = judged.verdict.sentence if judged else NOT_JUDGED
    lead = f"{registered.model}, as of {registered.as_of:%Y-%m-%d %H:%M} UTC. {said}"
    return f"Model card: v{registered.version}", lead, sections


def _tell_model(registered: RegisteredModel, record: mlflow_registry.Training, about: str) -> Table:
    grounds = record.grounds or {}
    until = registered.trained_until
    rows = [
        ("Model", f"{registered.model}. {about}"),
        ("Trained on reading up to", f"{until:%Y-%m-%d %H:%M} UTC" if until else "not recorded"),
        ("Features", f"{registered.feature_version}, build {registered.features_id}"),
        ("Digest", registered.digest),
        ("Trained by run", registered.run_id),
        ("MLflow run", registered.mlflow_run_id),
        ("Code commit", grounds.get("commit") or "not recorded"),
        ("Python and machine", f"{grounds.get('python', 'not recorded')}, {grounds.get('machine', 'not recorded')}"),
    ]
    return Table(("", ""), tuple(rows))


def _tell_data(settings: Settings, clean: Snapshot) -> Table:
    """Return the rows of each table in the snapshot, and the rows quarantined before, by rule."""
    try:
        raw = snapshot.find_snapshot(settings, clean.parent) if clean.parent else clean
    except ArtifactDamaged:
        raw = clean
    with connect(settings) as warehouse:
        found = warehouse.execute(query("judging/set_aside"), [clean.parent or clean.id]).fetchall()
    codes = {
        name: ", ".join(f"{code} {count:,}" for table, code, count in found if table == name) for name, *_ in found
    }
    rows: list[tuple[object, ...]] = [
        (table.name, clean.rows(table.name), raw.rows(table.name) - clean.rows(table.name), codes.get(table.name, ""))
        for table in TABLES
    ]
    window = f"{clean.window_start:%Y-%m-%d %H:%M} to {clean.as_of:%Y-%m-%d %H:%M} UTC"
    rows += [
        ("Snapshot", clean.id, "", f"made from {clean.parent}" if clean.parent else ""),
        ("Window", window, "", ""),
        ("Days without events", len(clean.missing_days), "", ", ".join(clean.missing_days)),
    ]
    return Table(("", "rows", "quarantined", "by rule"), tuple(rows))


def _tell_weights(record: mlflow_registry.Training) -> list[Section]:
    """Return the features with the most weight in the ranking; empty for a model that records no weights."""
    weights = {name.removeprefix(WEIGHT): share for name, share in record.metrics.items() if name.startswith(WEIGHT)}
    heaviest = sorted(weights.items(), key=lambda weight: (-weight[1], weight[0]))[:HEAVIEST]
    return [(WEIGHTS, Table(("feature", "share"), tuple(heaviest)))] if heaviest else []


def _tell_verdict(limits: GateLimits, judged: Judged) -> list[Section]:
    evidence, means = judged.evidence, judged.evidence.means
    gaps = [
        (name, _score(means[name]["ndcg"]), f"{gap.mean:+.4f}", f"{gap.low:+.4f} to {gap.high:+.4f}", gap.readers)
        for name, gap in evidence.gaps.items()
        if name in means
    ]
    slices = [
        (
            f"{one.kind}: {one.name}",
            _score(one.theirs),
            *(
                (f"{one.gap.mean:+.4f}", f"{one.gap.low:+.4f} to {one.gap.high:+.4f}")
                if is_comparable(limits, one)
                else ("not comparable", "too few readers")
            ),
            one.gap.readers,
        )
        for one in evidence.slices
    ]
    checks = [
        (c.code, c.title, c.outcome, c.severity, _number(c), c.limit_is, c.sentence) for c in judged.verdict.checks
    ]
    columns = ("other's NDCG", "difference", "95 % interval", "readers")
    return [
        ("Metrics on the hold-out", Table(("", *means), tuple(side_by_side(means)))),
        ("Time-weighted NDCG compared with the others", Table(("", *columns), tuple(gaps))),
        *([("Compared with the champion, by slice", Table(("", *columns), tuple(slices)))] if slices else []),
        (
            f"Checks of verdict {judged.verdict_id}: {judged.verdict.decision}",
            Table(("code", "check", "outcome", "severity", "observed", "limit", "numbers"), tuple(checks)),
        ),
    ]


def _score(value: float) -> Figure:
    return Figure(write_number(value, "score"))


def _number(check: Check) -> object:
    return "" if check.observed is None else float(check.observed)


def _tell_limits(registered: RegisteredModel, record: mlflow_registry.Training, clean: Snapshot | None) -> list[str]:
    """Return the limitations that follow from how the version was trained."""
    chosen = record.params
    days, oldest = chosen.get("lookback_days", "?"), chosen.get("article_max_age_hours", "?")
    told = [
        f"It requires features {registered.feature_version}.",
        f"Loaded by MLflow, it knows the articles of {registered.as_of:%Y-%m-%d %H:%M} UTC and none that came later, "
        "and puts no cap on publishers or categories.",
        f"It uses {days} days of reading history and was trained on articles up to {oldest} hours old.",
        f"Training data: {chosen.get('training_data', 'not recorded')}",
    ]
    if clean and clean.missing_days:
        days = write_count(len(clean.missing_days), "day")
        told.append(f"Its window has {days} without events: {', '.join(clean.missing_days)}.")
    return told


def _tell_doubts(settings: Settings, judged: Judged | None) -> list[str]:
    """Return the limits of the verdict, and the checks that did not pass."""
    if judged is None:
        return ["It has not been judged: the quality of its lists is unknown; do not show them to readers."]
    end = judged.evidence.holdout_start + timedelta(hours=settings.holdout_hours)
    told = [
        f"It was judged on reading from {judged.evidence.holdout_start:%Y-%m-%d %H:%M} to {end:%Y-%m-%d %H:%M} UTC; "
        "its quality on other days is unknown."
    ]
    small = [
        f"{one.kind}: {one.name}" for one in judged.evidence.slices if one.gap.readers < settings.min_slice_readers
    ]
    if small:
        told.append(f"Not judged separately (fewer than {settings.min_slice_readers:,} readers): {', '.join(small)}.")
    for check in judged.verdict.checks:
        if check.outcome != "passed":
            told.append(f"{check.sentence} [{check.code}]")
    return told
