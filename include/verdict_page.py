"""The page that shows a verdict: the decision, the differences with their intervals, every check, all numbers."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from include.champion import Champion
from include.interval_plot import interval_plot
from include.references import Reference
from include.report import bars, check_table, page, table
from include.settings import Settings
from include.verdict import Evidence, Verdict

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
