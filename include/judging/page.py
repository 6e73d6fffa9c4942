"""The page on a verdict: the decision, the numbers that decided, what failed, and all other numbers folded away."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict

from include.core.about import about_run
from include.core.html import Figure, Link, Tone, bars, check_sections, figures, folded, page, table
from include.core.numbers import write_number
from include.core.references import Reference
from include.core.run import Run
from include.judging.checks import GateLimits
from include.judging.intervals import draw_intervals
from include.judging.slices import is_comparable
from include.judging.verdict import SUBJECT, Evidence, Verdict, find_needed

# The measures of each contestant: the name that people see, and the format of its numbers (see `write_number`).
MEASURES = {
    "ndcg": ("Accuracy of the lists (time-weighted NDCG, 0 to 1)", "score"),
    "hit_share": ("Lists with an article that was read afterwards", "share"),
    "seconds_reached": ("Reading time on listed articles, seconds per reader", "tenths"),
    "mean_candidate_count": ("Candidates per list", "plain"),
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
TONES: Mapping[str, Tone] = {"promote": "good", "ask": "ask", "keep": ""}


def verdict_page(
    limits: GateLimits,
    verdict: Verdict,
    evidence: Evidence,
    model: Reference,
    run: Run,
    rival: str,
    holds: str = "",
    links: Sequence[Link] = (),
) -> str:
    """Return the verdict as HTML; `rival` tells the version to beat, `holds` a freeze or a pinned version."""
    sections, folds = check_sections(verdict.checks), {}
    if evidence.means:
        failed, *others = sections
        sections = [
            *decisive_sections(limits, evidence),
            failed,
            ("Accuracy of each contestant, the most accurate first", _accuracy(evidence)),
            *_slices(limits, evidence),
            *others,
        ]
        folds = {
            "All numbers": table(("", *_names(evidence).values()), side_by_side(evidence.means)),
            "Use in a fresh process": _works(evidence),
        }
    folds["Hold-out, data and digest"] = _details(evidence, model, run)
    sections.append(("Details", "".join(folded(summary, content) for summary, content in folds.items())))
    return page(
        f"Verdict on v{model.id}: {verdict.decision}",
        verdict.sentence,
        sections,
        tone=TONES[verdict.decision],
        more=(rival, holds),
        facts=[("Challenger", f"v{model.id}"), *about_run(run)],
        links=links,
    )


def decisive_sections(limits: GateLimits, evidence: Evidence) -> list[tuple[str, str]]:
    """Return the gain over the version to beat, or else over the best baseline, and the gain over all others.

    Whoever has seen answers is not compared: a gap to them looks like a defeat and says nothing.
    """
    names, unfair = _names(evidence), _find_unfair(evidence)
    gaps = [
        (name, gap)
        for name, gap in sorted(evidence.gaps.items(), key=lambda one: -evidence.means[one[0]]["ndcg"])
        if not unfair.keys() & {SUBJECT, name}
    ]
    gaps.sort(key=lambda one: not _is_version(one[0]))
    heading = "Gain of the challenger over each other contestant, with 95 % intervals"
    told = "".join(f"<p>{sentence}</p>" for sentence in unfair.values())
    if not gaps:
        return [(heading, told)] if told else []
    name, gap = gaps[0]
    ours, theirs = evidence.means[SUBJECT]["ndcg"], evidence.means[name]["ndcg"]
    needed = find_needed(limits, theirs) if _is_version(name) else None
    least = "" if needed is None else f"; at least {write_number(needed, 'gain')} is needed"
    certain = "" if needed is None else f"; at least {write_number(limits.ask_chance_share, 'share')} is needed"
    other = f"{names[name]}: {write_number(theirs, 'score', ours)}"
    numbers = [
        (write_number(gap.mean, "gain"), f"gain over {names[name]}{least}"),
        (write_number(gap.chance, "share"), f"chance that it is a gain{certain}"),
        (write_number(ours, "score"), f"accuracy (NDCG@{limits.list_length}); {other}"),
    ]
    drawn = draw_intervals(
        [(f"against {names[name]}", gap) for name, gap in gaps],
        limit=needed,
        limit_words="" if needed is None else f"the gain over {names[name]} that is needed",
    )
    return [(heading, told + figures(numbers) + drawn)]


def _find_unfair(evidence: Evidence) -> dict[str, str]:
    """Return the contestants that learnt from the hold-out, each with a sentence on it."""
    rival = evidence.rival
    learnt = {SUBJECT: (evidence.version, evidence.trained_until)}
    if rival:
        learnt[rival.name] = (rival.version, rival.trained_until)
    return {
        name: f"No fair comparison: v{version} learnt from reading up to {until:%Y-%m-%d %H:%M} UTC, the hold-out "
        f"starts at {evidence.holdout_start:%Y-%m-%d %H:%M} UTC."
        for name, (version, until) in learnt.items()
        if until and until > evidence.holdout_start
    }


def find_differences(limits: GateLimits, evidence: Evidence) -> list[dict[str, object]]:
    """Return the gain over the version to beat as it is drawn: over all readers and in each slice.

    Empty without a version to beat, and where one of the two has seen answers.
    """
    if evidence.rival is None or evidence.rival.name not in evidence.gaps or _find_unfair(evidence):
        return []
    rival = evidence.rival.version
    whole = {"rival": rival, "name": "all readers", "is_comparable": True, **asdict(evidence.gaps[evidence.rival.name])}
    return [
        whole,
        *(
            {
                "rival": rival,
                "name": f"{one.kind}: {one.name}",
                "is_comparable": is_comparable(limits, one),
                **asdict(one.gap),
            }
            for one in evidence.slices
        ),
    ]


def _accuracy(evidence: Evidence) -> str:
    names = _names(evidence)
    fair = evidence.means.keys() - _find_unfair(evidence).keys()
    reached = sorted(((name, evidence.means[name]) for name in fair), key=lambda one: (-one[1]["ndcg"], one[0]))
    rows = [(names[name], means["ndcg"], write_number(means["ndcg"], "score")) for name, means in reached]
    return bars(rows, names[SUBJECT])


def _slices(limits: GateLimits, evidence: Evidence) -> list[tuple[str, str]]:
    if not evidence.slices or _find_unfair(evidence):
        return []
    rows = {f"{one.kind}: {one.name}": one for one in evidence.slices}
    few = {name for name, one in rows.items() if not is_comparable(limits, one)}
    order = sorted(rows.items(), key=lambda one: (one[0] in few, one[1].kind))
    drawn = draw_intervals([(name, one.gap) for name, one in order], few)
    return [("Gain over the version to beat, by group of readers, category and part of the hold-out", drawn)]


def _works(evidence: Evidence) -> str:
    found = evidence.mechanics
    rows = [
        ("Loading from the registry", Figure(f"{write_number(found.load_seconds, 'tenths')} s")),
        ("Processor time per list", Figure(f"{write_number(found.milliseconds_per_list, 'tenths')} ms")),
        ("Memory for loading and ranking", Figure(f"{write_number(found.peak_mb, 'count')} MB")),
        ("Places that differ from this process", Figure(write_number(found.differing_share, "share"))),
    ]
    return table(("", ""), rows)


def _details(evidence: Evidence, model: Reference, run: Run) -> str:
    facts = model.facts or {}
    rows = [
        ("Hold-out", f"{evidence.holdout_start:%Y-%m-%d %H:%M} to {run.as_of:%Y-%m-%d %H:%M} UTC"),
        ("Snapshot", model.parents[1]),
        ("Training data", facts.get("training_data", "")),
        ("Digest", model.fingerprint),
    ]
    return table(("", ""), rows)


def _is_version(name: str) -> bool:
    return name in ("champion", "previous")


def _names(evidence: Evidence) -> dict[str, str]:
    """Return the contestants' names as people say them: v5, v4 (champion), most read last hour."""
    version = {
        SUBJECT: f"v{evidence.version} (challenger)",
        **({evidence.rival.name: f"v{evidence.rival.version} ({evidence.rival.name})"} if evidence.rival else {}),
    }
    return {name: version.get(name, name.replace("_", " ")) for name in evidence.means}


def side_by_side(metrics: Mapping[str, Mapping[str, float]]) -> list[tuple[str, ...]]:
    """Return a row per measure: its name, and the number of each contestant."""
    return [
        (words, *(Figure(write_number(means.get(key, float("nan")), kind)) for means in metrics.values()))
        for key, (words, kind) in MEASURES.items()
    ]
