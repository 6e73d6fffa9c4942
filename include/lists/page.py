"""The page on a batch of lists: its failed checks, its contents, and how it differs from the live lists."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from pathlib import Path

from include.adapters import duck
from include.core.about import about_run, find_links, newest_verdict
from include.core.checks import Check, blocking
from include.core.html import bars, check_sections, figures, folded, page, save
from include.core.numbers import write_number
from include.core.references import Reference
from include.core.run import Run
from include.core.trend import Series, trend_section
from include.data.snapshot import find_validation
from include.data.store import read_json
from include.lists.beside_live import BesideLive, compare_with_live

SHOWN = 10  # names per kind
KINDS = {"category": "By category", "publisher": "By publisher", "age": "By age", "reason": "By reason"}


def report_lists(
    run: Run,
    batch: Reference,
    features: str,
    checks: Sequence[Check],
    lately: list[Series],
) -> str:
    """Save the page on a written batch and return its path below the report folder.

    `features` is the build the batch was scored from, `lately` earlier runs.
    """
    settings, about = run.settings, read_json(Path(batch.uri) / "batch.json")
    beside, version = compare_with_live(settings, batch.id), about["model_version"]
    failed, *others = check_sections(checks) if checks else [("", "")]
    numbers = [
        (f"{beside.readers:,}", "readers"),
        (f"{beside.articles:,}", "different articles in all lists"),
        *(
            [(write_number(beside.kept_share, "share"), "of the live places stay the same")]
            if beside.live_places
            else []
        ),
    ]
    sections = [
        ("Compared with the live lists", figures(numbers) + f"<p>{beside.sentence}</p>"),
        *([failed] if checks else []),
        *(
            (KINDS[kind], bars([(name, share, write_number(share, "share")) for name, share in shares[:SHOWN]]))
            for kind, shares in _mix(batch, features).items()
        ),
        *others,
        ("Details", folded("The last runs", trend_section([], lately))),
    ]
    pages = {
        "Model card": f"cards/v{version}.html" if version else None,
        "Verdict": newest_verdict(settings, version) if version else None,
        "Validation of the data": find_validation(settings, about["snapshot_id"]),
    }
    path = f"lists/{batch.id}.html"
    html = page(
        f"{'Lists' if checks else 'Shadow lists'} of {batch.as_of:%Y-%m-%d %H:%M} UTC",
        _lead(checks, beside),
        sections,
        tone="" if not checks else "bad" if blocking(checks) else "good",
        more=[(batch.facts or {}).get("sentence", "")],
        facts=[*about_run(run), ("Batch", batch.id)],
        links=find_links(settings, pages),
    )
    save(settings.home / "reports" / path, html)
    return path


def _lead(checks: Sequence[Check], beside: BesideLive) -> str:
    stopped = blocking(checks)
    told = f"{beside.readers:,} readers, {beside.articles:,} different articles."
    if not checks:
        return f"A shadow batch, never shown to readers: {told}"
    if stopped:
        return f"Refused: {len(stopped)} of {len(checks)} checks block the batch. {told}"
    return f"Passed: {told}"


def _mix(batch: Reference, features: str) -> dict[str, list[tuple[str, float]]]:
    """Return the shares of all places by kind and name, largest first."""
    with duck.connect() as connection:
        connection.read_parquet(str(Path(batch.uri) / "lists.parquet")).create_view("listed")
        connection.read_parquet(str(Path(features) / "articles" / "part.parquet")).create_view("articles")
        rows = duck.fetch(connection, duck.query("lists/mix")).to_pylist()
    grouped = groupby(rows, key=lambda row: str(row["kind"]))
    return {kind: [(str(row["name"]), float(row["share"])) for row in rows] for kind, rows in grouped}
