"""The page on a verdict: the decision, the differences with their intervals, every check, all numbers."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from html import escape

from include.core.html import Figure, bars, check_table, page, table
from include.core.numbers import write_number
from include.core.references import Reference
from include.core.run import Run
from include.judging.bootstrap import Gap
from include.judging.checks import GateLimits
from include.judging.slices import is_comparable
from include.judging.verdict import Evidence, Verdict

# The measures of each contestant: the name that people see, and the format of its numbers (see `write_number`).
MEASURES = {
    "ndcg": ("Accuracy of the lists (time-weighted NDCG, 0 to 1)", "score"),
    "hit_share": ("Lists with an article that was read afterwards", "share"),
    "seconds_reached": ("Reading time on listed articles, seconds per reader", "tenths"),
    "mean_candidate_count": ("Candidates per list", "tenths"),
    "article_count": ("Different articles in all lists", "count"),
    "catalogue_share": ("Live articles that are in at least one list", "share"),
    "mean_category_count": ("Categories per list", "tenths"),
    "mean_diversity": ("Chance that two articles of a list differ in category", "share"),
    "mean_surprise_bits": ("Novelty of a listed article, bits (one bit more: half as popular)", "plain"),
    "concentration": ("Concentration on a few articles (Gini coefficient, 0 to 1)", "plain"),
    "median_age_hours": ("Median age of the listed articles, hours", "tenths"),
    "largest_publisher_share": ("Share of the largest publisher", "share"),
    "full_list_share": ("Full lists", "share"),
}


def verdict_page(
    limits: GateLimits,
    verdict: Verdict,
    evidence: Evidence,
    model: Reference,
    run: Run,
    rival: str,
    holds: str = "",
) -> str:
    """Return the verdict as HTML; `rival` tells the version to beat, `holds` a freeze or a pinned version."""
    metrics = evidence.means
    names = list(metrics)
    found = evidence.mechanics
    about = table(
        ("", ""),
        [
            ("Challenger", f"v{model.id}"),
            ("As of", f"{run.as_of:%Y-%m-%d %H:%M} UTC"),
            ("Hold-out", f"{evidence.holdout_start:%Y-%m-%d %H:%M} to {run.as_of:%Y-%m-%d %H:%M} UTC"),
            ("Run", run.run_id),
            ("Started as", run.tell_origin()),
            ("Reason", run.reason),
            ("Mode", run.mode if run.may_go_live else f"{run.mode}, promotes nothing"),
            ("Form", ", ".join(f"{name} {value}" for name, value in run.form.items()) or "empty"),
            ("Snapshot", model.parents[1]),
            ("Training data", (model.facts or {}).get("training_data", "")),
            ("Digest", model.fingerprint),
            *([("Holds", holds)] if holds else []),
        ],
    )
    works = table(
        ("", ""),
        [
            ("Loading from the registry", Figure(f"{write_number(found.load_seconds, 'tenths')} s")),
            ("Processor time per list", Figure(f"{write_number(found.milliseconds_per_list, 'tenths')} ms")),
            ("Memory for loading and ranking", Figure(f"{write_number(found.peak_mb, 'count')} MB")),
            ("Places that differ from this process", Figure(write_number(found.differing_share, "share"))),
        ],
    )
    against = [(f"against {name}", gap) for name, gap in evidence.gaps.items()]
    slices = [(f"{one.kind}: {one.name}", one.gap) for one in evidence.slices]
    few = {f"{one.kind}: {one.name}" for one in evidence.slices if not is_comparable(limits, one)}
    sections = [
        (
            f"Accuracy: time-weighted NDCG@{limits.list_length}",
            bars([(name, metrics[name]["ndcg"]) for name in names], "challenger"),
        ),
        ("Difference between the challenger and each other model, with 95 % intervals", interval_plot(against)),
        ("Difference between the challenger and the champion, by slice", interval_plot(slices, few)),
        ("Checks", check_table(verdict.checks)),
        ("All numbers", table(("", *names), side_by_side(metrics))),
        ("Use in a fresh process", works),
        ("Details", about),
    ]
    if not names:
        sections = [("Checks", check_table(verdict.checks)), ("Details", about)]
    lead = f"{verdict.sentence} {rival} {holds}".strip()
    return page(f"Verdict on v{model.id}: {verdict.decision}", lead, sections)


def side_by_side(metrics: Mapping[str, Mapping[str, float]]) -> list[tuple[str, ...]]:
    """Return a row per measure: its name, and the number of each contestant."""
    return [
        (words, *(Figure(write_number(means.get(key, float("nan")), kind)) for means in metrics.values()))
        for key, (words, kind) in MEASURES.items()
    ]


WIDTH, NAMES, WORDS, ROW, MARGIN = 960, 250, 130, 22, 28
GOOD, BAD, OPEN = "#117a3d", "#b3261e", "#56636f"


def interval_plot(rows: Sequence[tuple[str, Gap]], few: Collection[str] = ()) -> str:
    """Draw each named difference as a dot with its interval, labelled better, worse, or may be chance.

    Names in `few` (too few readers) and differences without a finite interval are labelled not comparable instead.
    """
    apart = {name for name, gap in rows if name in few or not (math.isfinite(gap.low) and math.isfinite(gap.high))}
    drawn = [gap for name, gap in rows if name not in apart]
    if not drawn:
        return "<p>There is nothing to compare.</p>"
    reach = max(max(abs(gap.low), abs(gap.high)) for gap in drawn) or 1.0
    left = NAMES + WORDS
    middle, half = left + (WIDTH - left) / 2, (WIDTH - left) / 2 - MARGIN

    def at(value: float) -> float:
        return round(middle + half * value / reach, 1)

    bottom = ROW * len(rows) + MARGIN
    lines = [f'<line x1="{middle}" x2="{middle}" y1="4" y2="{bottom - MARGIN}" stroke="#9aa5b1"/>']
    for number, (name, gap) in enumerate(rows):
        y = ROW * number + 14
        if name in apart:
            lines.append(
                f'<g fill="{OPEN}"><text x="0" y="{y + 4}">{escape(name)}</text><text x="{NAMES}" y="{y + 4}" '
                f'font-style="italic">not comparable</text></g>'
            )
            continue
        word, colour = ("better", GOOD) if gap.low > 0 else ("worse", BAD) if gap.high < 0 else ("may be chance", OPEN)
        told = f"{name}: {gap.mean:+.4f} ({gap.low:+.4f} to {gap.high:+.4f}), {gap.readers:,} readers"
        lines.append(
            f"<g><title>{escape(told)}</title>"
            f'<text x="0" y="{y + 4}" fill="#1c2733">{escape(name)}</text>'
            f'<line x1="{at(gap.low)}" x2="{at(gap.high)}" y1="{y}" y2="{y}" stroke="{colour}" stroke-width="3"/>'
            f'<circle cx="{at(gap.mean)}" cy="{y}" r="4.5" fill="{colour}"/>'
            f'<text x="{NAMES}" y="{y + 4}" fill="{colour}">{word}</text></g>'
        )
    scale = "".join(
        f'<text x="{at(value)}" y="{bottom}" text-anchor="middle" fill="#56636f">{value:+.3f}</text>'
        for value in (-reach, 0.0, reach)
    )
    return (
        f'<div class="wide"><svg viewBox="0 0 {WIDTH} {bottom + 6}" role="img" font-size="13" '
        f'aria-label="Differences with intervals">{"".join(lines)}{scale}</svg></div>'
    )
