"""The page that shows a verdict: the decision, the differences with their intervals, every check, all numbers."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from datetime import datetime
from html import escape

from include.core.html import bars, check_table, page, table
from include.core.references import Reference
from include.core.settings import Settings
from include.judging.bootstrap import Gap
from include.judging.champion import Champion
from include.judging.verdict import Evidence, Verdict

MEASURES = {
    "ndcg": "Time-weighted NDCG",
    "hit_share": "Lists with an article that was then read",
    "seconds_reached": "Seconds read that the list had, per reader",
    "mean_candidate_count": "Candidates per list",
    "article_count": "Different articles shown",
    "catalogue_share": "Share of live articles shown",
    "mean_category_count": "Categories in a list",
    "mean_diversity": "Chance that two places differ in category",
    "mean_surprise_bits": "Surprise of an article, bits",
    "concentration": "Gini coefficient of what is listed",
    "median_age_hours": "Median age of an article, hours",
    "largest_publisher_share": "Share of the largest publisher",
    "full_list_share": "Share of full lists",
}


def verdict_page(
    settings: Settings,
    verdict: Verdict,
    evidence: Evidence,
    model: Reference,
    champion: Champion | None,
    as_of: datetime,
    holds: str = "",
) -> str:
    """The verdict as HTML. `holds` says whether promotions are frozen or a version is pinned."""
    metrics = evidence.means
    names = list(metrics)
    reign = f"v{champion.version}, since {champion.at:%Y-%m-%d %H:%M} UTC" if champion else "none yet"
    found = evidence.mechanics
    about = table(
        ("", ""),
        [
            ("Challenger", f"v{model.id}"),
            ("Champion", reign),
            ("As of", f"{as_of:%Y-%m-%d %H:%M} UTC"),
            ("Hold-out", f"from {evidence.holdout_start:%Y-%m-%d %H:%M} UTC to that moment"),
            ("Snapshot", model.parents[1]),
            ("Training data", (model.facts or {}).get("training_data", "")),
            ("Digest", model.fingerprint),
            *([("Holds", holds)] if holds else []),
        ],
    )
    works = table(
        ("", ""),
        [
            ("Loaded from the registry in, seconds", found.load_seconds),
            ("A list took, milliseconds", found.milliseconds_per_list),
            ("Memory held, MB", found.peak_mb),
            ("Places that differ from this process", found.differing_share),
        ],
    )
    against = [(f"against {name}", gap) for name, gap in evidence.gaps.items()]
    slices = [(f"{one.kind}: {one.name}", one.gap) for one in evidence.slices]
    sections = [
        ("Time-weighted NDCG", bars([(name, metrics[name]["ndcg"]) for name in names], "challenger")),
        ("The challenger minus each other, with 95 % intervals", interval_plot(against)),
        ("The challenger minus the champion, by slice", interval_plot(slices)),
        ("Checks", check_table(verdict.checks)),
        ("Side by side", table(("", *names), [_measure(metrics, key, words) for key, words in MEASURES.items()])),
        ("In a fresh process", works),
        ("What was judged", about),
    ]
    if not names:
        sections = [("Checks", check_table(verdict.checks)), ("What was judged", about)]
    lead = f"{verdict.sentence} {holds}".strip()
    return page(f"Verdict on v{model.id}: {verdict.decision}", lead, sections)


def _measure(metrics: Mapping[str, Mapping[str, float]], key: str, words: str) -> tuple[object, ...]:
    return (words, *(means.get(key, float("nan")) for means in metrics.values()))


WIDTH, NAMES, ROW, MARGIN = 900, 260, 22, 20
GOOD, BAD, OPEN = "#117a3d", "#b3261e", "#56636f"


def interval_plot(rows: Sequence[tuple[str, Gap]]) -> str:
    """A dot with its interval per named difference; green lies above zero, red below, grey may be chance."""
    drawn = [(name, gap) for name, gap in rows if math.isfinite(gap.low) and math.isfinite(gap.high)]
    if not drawn:
        return "<p>There is nothing to compare.</p>"
    reach = max(max(abs(gap.low), abs(gap.high)) for _, gap in drawn) or 1.0
    middle, half = NAMES + (WIDTH - NAMES) / 2, (WIDTH - NAMES) / 2 - MARGIN

    def at(value: float) -> float:
        return round(middle + half * value / reach, 1)

    bottom = ROW * len(drawn) + MARGIN
    lines = [f'<line x1="{middle}" x2="{middle}" y1="4" y2="{bottom - MARGIN}" stroke="#9aa5b1"/>']
    for number, (name, gap) in enumerate(drawn):
        y = ROW * number + 14
        colour = GOOD if gap.low > 0 else BAD if gap.high < 0 else OPEN
        told = f"{name}: {gap.mean:+.4f} ({gap.low:+.4f} to {gap.high:+.4f}), {gap.readers:,} readers"
        lines.append(
            f"<g><title>{escape(told)}</title>"
            f'<text x="0" y="{y + 4}" fill="#1c2733">{escape(name)}</text>'
            f'<line x1="{at(gap.low)}" x2="{at(gap.high)}" y1="{y}" y2="{y}" stroke="{colour}" stroke-width="3"/>'
            f'<circle cx="{at(gap.mean)}" cy="{y}" r="4.5" fill="{colour}"/></g>'
        )
    scale = "".join(
        f'<text x="{at(value)}" y="{bottom}" text-anchor="middle" fill="#56636f">{value:+.3f}</text>'
        for value in (-reach, 0.0, reach)
    )
    return (
        f'<svg viewBox="0 0 {WIDTH} {bottom + 6}" width="100%" role="img" font-size="13" '
        f'aria-label="Differences with intervals">{"".join(lines)}{scale}</svg>'
    )
