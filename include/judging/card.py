"""The card of a version: what a person should know before readers see its lists, made of recorded facts and no others.

Belongs here: gathering the facts and putting them in order. How a card looks is in `card_page.py`. It is written when a
version is trained, again when it is judged, and lies with its run in MLflow as `card/`.
"""

from __future__ import annotations

import inspect
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from include.adapters import mlflow_registry, mlflow_reports
from include.adapters.warehouse import connect, query
from include.core.checks import Check
from include.core.contract import TABLES
from include.core.errors import ArtifactDamaged
from include.core.html import save
from include.core.settings import Settings
from include.data import snapshot
from include.data.snapshot import Snapshot
from include.judging.card_page import Section, Table, as_html, as_markdown
from include.judging.checks import GateLimits
from include.judging.page import side_by_side
from include.judging.slices import is_comparable
from include.judging.verdict import Evidence, Verdict
from include.models import model_class
from include.models.registry import RegisteredModel

WEIGHT, HEAVIEST = "weight_", 15
WEIGHTS = "What its ranking hangs on: how far each feature moves it"


@dataclass(frozen=True)
class Judged:
    """What a verdict adds to a card."""

    verdict_id: str
    verdict: Verdict
    evidence: Evidence


def keep_card(settings: Settings, registered: RegisteredModel, judged: Judged | None = None) -> str:
    """Where the card lies below the reports; without a verdict, one that is there already stays."""
    report = f"cards/v{registered.version}.html"
    page = settings.home / "reports" / report
    if judged is None and page.exists():
        return report
    title, lead, sections = describe(settings, registered, judged)
    save(page.with_suffix(".md"), as_markdown(title, lead, sections))
    save(page, as_html(title, lead, sections))
    mlflow_reports.keep_card(settings, registered.version, registered.mlflow_run_id, lead, card_files(page))
    return report


def card_files(page: Path) -> list[Path]:
    """Every file of a card, given its page."""
    return [page, page.with_suffix(".md")]


def describe(settings: Settings, registered: RegisteredModel, judged: Judged | None) -> tuple[str, str, list[Section]]:
    """Title, leading sentence and sections of the card."""
    record = mlflow_registry.read_training(settings, registered.mlflow_run_id)
    try:
        clean = snapshot.find_snapshot(settings, registered.snapshot_id)
    except ArtifactDamaged:  # another machine holds it, or nobody any more
        clean = None
    about = " ".join((inspect.getdoc(inspect.getmodule(model_class(registered.model))) or "").split())
    sections: list[Section] = [
        ("The model", _tell_model(registered, record, about)),
        (
            "Data",
            _tell_data(settings, clean) if clean else (f"Snapshot {registered.snapshot_id}, not on this machine.",),
        ),
        ("Parameters", Table(("", ""), tuple(sorted(record.params.items())))),
        *_tell_weights(record),
        *(_tell_verdict(GateLimits.of(settings), judged) if judged else ()),
        ("Limits of its use", (*_tell_limits(registered, record, clean), *_tell_doubts(settings, judged))),
        ("Making it again", (f"`bin/daybreak reproduce {registered.version}` must give digest {registered.digest}.",)),
    ]
    said = judged.verdict.sentence if judged else "Not judged yet."
    lead = f"{registered.model}, as of {registered.as_of:%Y-%m-%d %H:%M} UTC. {said}"
    return f"Model card: v{registered.version}", lead, sections


def _tell_model(registered: RegisteredModel, record: mlflow_registry.Training, about: str) -> Table:
    grounds = record.grounds or {}
    until = registered.trained_until
    rows = [
        ("Model", f"{registered.model}. {about}"),
        ("Learnt from reading up to", f"{until:%Y-%m-%d %H:%M} UTC" if until else "not recorded"),
        ("Features", f"{registered.feature_version}, build {registered.features_id}"),
        ("Digest", registered.digest),
        ("Trained by run", registered.run_id),
        ("Run in MLflow", registered.mlflow_run_id),
        ("Commit of the code", grounds.get("commit") or "not recorded"),
        ("Python and machine", f"{grounds.get('python', 'not recorded')}, {grounds.get('machine', 'not recorded')}"),
    ]
    return Table(("", ""), tuple(rows))


def _tell_data(settings: Settings, clean: Snapshot) -> Table:
    """Rows of each table in the snapshot, and how many were set aside before, by the rules they broke."""
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
        ("Days without an event", len(clean.missing_days), "", ", ".join(clean.missing_days)),
    ]
    return Table(("", "rows", "set aside", "by rule"), tuple(rows))


def _tell_weights(record: mlflow_registry.Training) -> list[Section]:
    """Which features its ranking hangs on, the heaviest first; nothing of a model that does not say."""
    weights = {name.removeprefix(WEIGHT): share for name, share in record.metrics.items() if name.startswith(WEIGHT)}
    heaviest = sorted(weights.items(), key=lambda weight: (-weight[1], weight[0]))[:HEAVIEST]
    return [(WEIGHTS, Table(("feature", "share"), tuple(heaviest)))] if heaviest else []


def _tell_verdict(limits: GateLimits, judged: Judged) -> list[Section]:
    evidence, means = judged.evidence, judged.evidence.means
    gaps = [
        (name, means[name]["ndcg"], f"{gap.mean:+.4f}", f"{gap.low:+.4f} to {gap.high:+.4f}", gap.readers)
        for name, gap in evidence.gaps.items()
        if name in means
    ]
    slices = [
        (
            f"{one.kind}: {one.name}",
            one.theirs,
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
    columns = ("theirs", "difference", "95 % interval", "readers")
    return [
        ("Metrics on the hold-out", Table(("", *means), tuple(side_by_side(means)))),
        ("Time-weighted NDCG against the others", Table(("", *columns), tuple(gaps))),
        *([("Against the champion, by slice", Table(("", *columns), tuple(slices)))] if slices else []),
        (
            f"Checks of verdict {judged.verdict_id}: {judged.verdict.decision}",
            Table(("code", "check", "outcome", "severity", "observed", "limit", "numbers"), tuple(checks)),
        ),
    ]


def _number(check: Check) -> object:
    return "" if check.observed is None else float(check.observed)


def _tell_limits(registered: RegisteredModel, record: mlflow_registry.Training, clean: Snapshot | None) -> list[str]:
    """What it cannot know or do, by how it was made."""
    chosen = record.params
    days, oldest = chosen.get("lookback_days", "?"), chosen.get("article_max_age_hours", "?")
    told = [
        f"It works with features {registered.feature_version} and refuses others.",
        f"It looks back {days} days of reading, and learnt from articles of at most {oldest} hours.",
        f"It learnt from readers of this window: {chosen.get('training_data', 'not recorded')}",
    ]
    if clean and clean.missing_days:
        told.append(
            f"Nothing was read on {len(clean.missing_days)} day(s) of its window: {', '.join(clean.missing_days)}."
        )
    return told


def _tell_doubts(settings: Settings, judged: Judged | None) -> list[str]:
    """What its verdict leaves open."""
    if judged is None:
        return ["It has not been judged, so the quality of its lists is unknown; do not show them to readers."]
    end = judged.evidence.holdout_start + timedelta(hours=settings.holdout_hours)
    told = [
        f"It was judged on reading from {judged.evidence.holdout_start:%Y-%m-%d %H:%M} to {end:%Y-%m-%d %H:%M} UTC; "
        "how it does on other days is not known."
    ]
    small = [
        f"{one.kind}: {one.name}" for one in judged.evidence.slices if one.gap.readers < settings.min_slice_readers
    ]
    if small:
        told.append(f"Fewer than {settings.min_slice_readers:,} readers, so not judged apart: {', '.join(small)}.")
    for check in judged.verdict.checks:
        if check.outcome != "passed":
            told.append(f"{check.sentence} [{check.code}]")
    return told
