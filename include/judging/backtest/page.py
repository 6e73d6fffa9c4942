"""The reports of a backtest: a table for the terminal, a page, and the figures as CSV and JSON."""

from __future__ import annotations

import csv
import json
import math
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from include.core.about import about_run, find_links
from include.core.html import Figure, Link, bars, folded, lines, page, save, table
from include.core.numbers import write_number
from include.core.run import Run
from include.judging.backtest.figures import MEASURES, Figures
from include.judging.backtest.plan import Plan
from include.judging.intervals import draw_intervals

WORDS = {
    "ndcg": "NDCG@{k}",
    "hit_rate": "Hit rate@{k}",
    "mrr": "MRR@{k}",
    "recall": "Recall@{k}",
    "time_ndcg": "Time NDCG@{k}",
    "coverage": "Coverage",
    "full_share": "Full lists",
}


def sentence(plan: Plan, figures: Figures) -> str:
    """Return the result in one sentence with numbers."""
    what = "sessions" if plan.mode == "next-read" else "reader lists"
    leader = max(figures.means, key=lambda name: (figures.means[name]["ndcg"], name))
    score = write_number(figures.means[leader]["ndcg"], "score")
    text = f"{leader} leads {figures.questions:,} {what} with NDCG@{plan.k} {score}"
    if leader not in figures.differences:
        return f"{text}; the best baseline is ahead of every model."
    best = figures.best_baseline
    return f"{text}, {_difference(figures, leader)} against {best}, the best baseline."


def as_text(plan: Plan, figures: Figures) -> str:
    """Return the table for a terminal."""
    shown = _shown(plan, figures)
    headings = ["model", *(WORDS[name].format(k=plan.k) for name in shown), f"against {figures.best_baseline or '-'}"]
    rows = [
        [model, *(write_number(figures.means[model][name], "score") for name in shown), _difference(figures, model)]
        for model in figures.means
    ]
    widths = [max(len(row[place]) for row in [headings, *rows]) for place in range(len(headings))]
    text = [
        "  ".join(
            cell.ljust(width) if place in (0, len(widths) - 1) else cell.rjust(width)
            for place, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in [headings, *rows]
    ]
    return "\n".join([*text, _reach(plan, figures), sentence(plan, figures)])


def write_report(run: Run, folder: Path, plan: Plan, figures: Figures, about: Iterable[tuple[str, Any]]) -> None:
    """Write `index.html`, `steps.csv` and `summary.json` to a folder."""
    about = list(about)
    ordered = sorted(figures.means, key=lambda name: -figures.means[name]["ndcg"])
    steps = sorted({row["step"] for row in figures.steps})
    per_step = {(row["model"], row["step"]): row["ndcg"] for row in figures.steps}
    reached = [(name, figures.means[name]["ndcg"]) for name in ordered]
    sections = [
        (
            f"Mean NDCG@{plan.k}, the best first",
            bars([(_name(name), value, write_number(value, "score")) for name, value in reached]),
        ),
        *_against_best(figures, ordered),
        (
            f"NDCG@{plan.k} by step",
            lines(
                [f"{step:%Y-%m-%d %H:%M}" for step in steps],
                {_name(model): [per_step[model, step] for step in steps] for model in ordered},
            ),
        ),
        ("All numbers", _numbers(plan, figures, ordered) + f"<p>{_reach(plan, figures)}</p>"),
        *_shorter(figures),
        ("Details", folded("Plan and data", table(("", ""), [*plan.to_dict().items(), *about]))),
    ]
    html = page(
        f"Backtest {plan.start:%Y-%m-%d %H:%M} to {plan.end:%Y-%m-%d %H:%M} UTC",
        sentence(plan, figures),
        sections,
        facts=about_run(run),
        links=[
            Link("Steps as CSV", "steps.csv"),
            Link("Summary as JSON", "summary.json"),
            *find_links(run.settings, {}),
        ],
    )
    save(folder / "index.html", html)
    with (folder / "steps.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["step", "model", "questions", *MEASURES])
        for row in figures.steps:
            writer.writerow([row["step"].isoformat(), row["model"], int(row["questions"]), *(row[m] for m in MEASURES)])
    (folder / "summary.json").write_text(json.dumps(summary(plan, figures, about), indent=1, allow_nan=False) + "\n")


def summary(plan: Plan, figures: Figures, about: Iterable[tuple[str, Any]]) -> dict[str, Any]:
    """Return the figures as JSON-ready data; NaN becomes null."""
    return {
        "plan": plan.to_dict(),
        "about": {name: str(value) for name, value in about},
        "questions": figures.questions,
        "reachable_share": _number(figures.reachable_share),
        "best_baseline": figures.best_baseline,
        "means": {
            model: {key: _number(value) for key, value in means.items()} for model, means in figures.means.items()
        },
        "shorter": {
            str(length): {
                model: {key: _number(value) for key, value in means.items()} for model, means in by_model.items()
            }
            for length, by_model in figures.shorter.items()
        },
        "against_best_baseline": {
            model: {
                "ndcg": _number(gap.mean),
                "low": _number(gap.low),
                "high": _number(gap.high),
                "readers": gap.readers,
            }
            for model, gap in figures.differences.items()
        },
    }


def _against_best(figures: Figures, ordered: Sequence[str]) -> list[tuple[str, str]]:
    """Return a section with each model's difference to the best baseline, drawn; none without a baseline."""
    if figures.best_baseline is None:
        return []
    gaps = [(_name(model), figures.differences[model]) for model in ordered if model in figures.differences]
    heading = f"Difference to {_name(figures.best_baseline)}, the best baseline, with 95 % intervals"
    return [(heading, draw_intervals(gaps))]


def _numbers(plan: Plan, figures: Figures, ordered: Sequence[str]) -> str:
    shown = _shown(plan, figures)
    return table(
        ("", *(WORDS[name].format(k=plan.k) for name in shown)),
        [
            (_name(model), *(Figure(write_number(figures.means[model][name], _kind(name))) for name in shown))
            for model in ordered
        ],
    )


def _kind(measure: str) -> str:
    """Return the format of a measure's numbers, see `write_number`."""
    return "share" if measure in ("hit_rate", "coverage", "full_share") else "score"


def _name(model: str) -> str:
    return model.replace("_", " ")


def _shorter(figures: Figures) -> list[tuple[str, str]]:
    """Return a section on the first articles of each list, if the lists are longer than usual in publications."""
    columns = [
        (
            WORDS[name].format(k=length),
            {model: Figure(write_number(means[name], _kind(name))) for model, means in by_model.items()},
        )
        for length, by_model in figures.shorter.items()
        for name in ("ndcg", "hit_rate", "mrr")
        if all(math.isfinite(means[name]) for means in by_model.values())
    ]
    if not columns:
        return []
    rows = [(_name(model), *(values[model] for _, values in columns)) for model in figures.means]
    return [("The first articles of each list", table(("", *(heading for heading, _ in columns)), rows))]


def _shown(plan: Plan, figures: Figures) -> list[str]:
    """Return the useful measures: with one answer, recall equals the hit rate; time needs dwell seconds."""
    no_news = {"recall", "full_share"} if plan.mode == "next-read" else set()
    return [
        name
        for name in MEASURES
        if name not in no_news and any(math.isfinite(means[name]) for means in figures.means.values())
    ]


def _difference(figures: Figures, model: str) -> str:
    gap = figures.differences.get(model)
    if gap is None or figures.best_baseline is None:
        return "best baseline" if model == figures.best_baseline else ""
    theirs = figures.means[figures.best_baseline]["ndcg"]
    share = f"{100 * gap.mean / theirs:+.1f} % " if theirs else ""
    return f"{share}({gap.mean:+.4f}, {gap.low:+.4f} to {gap.high:+.4f})"


def _reach(plan: Plan, figures: Figures) -> str:
    rest = "the others count as missed" if plan.mode == "next-read" else "the others are not judged"
    share = write_number(figures.reachable_share, "share")
    return f"{share} of the articles read next were live at their step; {rest}."


def _number(value: float) -> float | None:
    return value if math.isfinite(value) else None
