"""The page that shows a verdict: the decision, every check, and the contestants side by side."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from include.champion import Champion
from include.references import Reference
from include.report import bars, check_table, page, table
from include.settings import Settings
from include.verdict import Verdict

MEASURES = {
    "ndcg": "Time-weighted NDCG",
    "hit_share": "Lists with an article that was then read",
    "seconds_reached": "Seconds read that the list had, per reader",
    "article_count": "Different articles shown",
    "mean_category_count": "Categories in a list",
    "median_age_hours": "Median age of an article, hours",
    "largest_publisher_share": "Share of the largest publisher",
    "full_list_share": "Share of full lists",
}


def verdict_page(
    settings: Settings,
    verdict: Verdict,
    metrics: Mapping[str, Mapping[str, float]],
    model: Reference,
    champion: Champion | None,
    as_of: datetime,
) -> str:
    """The verdict as HTML."""
    names = list(metrics)
    reign = f"v{champion.version}, since {champion.at:%Y-%m-%d %H:%M} UTC" if champion else "none yet"
    about = table(
        ("", ""),
        [
            ("Challenger", f"v{model.id}"),
            ("Champion", reign),
            ("As of", f"{as_of:%Y-%m-%d %H:%M} UTC"),
            ("Hold-out", f"the {settings.holdout_hours} hours before"),
            ("Snapshot", model.parents[1]),
            ("Digest", model.fingerprint),
        ],
    )
    return page(
        f"Verdict on v{model.id}: {verdict.decision}",
        verdict.sentence,
        [
            ("Time-weighted NDCG", bars([(name, metrics[name]["ndcg"]) for name in names], "challenger")),
            ("Checks", check_table(verdict.checks)),
            (
                "Side by side",
                table(
                    ("", *names), [(words, *(metrics[name][key] for name in names)) for key, words in MEASURES.items()]
                ),
            ),
            ("What was judged", about),
        ],
    )
