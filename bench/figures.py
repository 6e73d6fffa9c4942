"""The measured figures: one per variant, a table for people and a file for programs."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median

OURS = "daybreak"
HEADINGS = ("bench", "variant", "rows", "seconds", "CPU s", "peak MB", "time : ours", "memory : ours", "size")
TEXTS = ("bench", "variant", "size")


@dataclass(frozen=True)
class Figure:
    """The figure of a variant of a benchmark, which handled `rows` rows; `size` is the benchmark's size in words."""

    bench: str
    variant: str
    rows: int
    seconds: float
    cpu_seconds: float
    peak_mb: float
    size: str = ""


def middle(bench: str, variant: str, runs: Sequence[Figure]) -> Figure:
    """Return the medians of time, processor time and memory, each taken separately."""
    return Figure(
        bench,
        variant,
        runs[0].rows,
        round(median(run.seconds for run in runs), 4),
        round(median(run.cpu_seconds for run in runs), 4),
        round(median(run.peak_mb for run in runs), 1),
    )


def ratios(figures: Iterable[Figure]) -> dict[tuple[str, str], tuple[float, float]]:
    """Return time and memory as multiples of ours by bench and variant, without benches that lack ours."""
    figures = list(figures)
    ours = {figure.bench: figure for figure in figures if figure.variant == OURS}
    return {
        (figure.bench, figure.variant): (_ratio(figure.seconds, own.seconds), _ratio(figure.peak_mb, own.peak_mb))
        for figure in figures
        if (own := ours.get(figure.bench)) is not None
    }


def _ratio(value: float, own: float) -> float:
    return value / own if own else float("inf")


def table(figures: Sequence[Figure]) -> str:
    """Return the figures in aligned columns, with ratios: 4.0 means four times as much as ours."""
    order = {bench: place for place, bench in enumerate(dict.fromkeys(figure.bench for figure in figures))}
    found = ratios(figures)
    rows: list[tuple[str, ...]] = [HEADINGS]
    above = ""
    for figure in sorted(figures, key=lambda one: (order[one.bench], one.variant != OURS)):
        time, memory = found.get((figure.bench, figure.variant), (None, None))
        rows.append(
            (
                figure.bench,
                figure.variant,
                f"{figure.rows:,}",
                f"{figure.seconds:.2f}",
                f"{figure.cpu_seconds:.2f}",
                f"{figure.peak_mb:.0f}",
                *("" if ratio is None or figure.variant == OURS else f"{ratio:.2f}" for ratio in (time, memory)),
                "" if figure.size == above else figure.size,
            )
        )
        above = figure.size
    widths = [max(len(row[place]) for row in rows) for place in range(len(HEADINGS))]
    return "\n".join(
        "  ".join(
            cell.ljust(width) if heading in TEXTS else cell.rjust(width)
            for heading, cell, width in zip(HEADINGS, row, widths, strict=True)
        ).rstrip()
        for row in rows
    )


def write(path: Path, figures: Iterable[Figure]) -> None:
    """Write the figures as JSON: a list of bench, variant, rows, seconds, cpu_seconds, peak_mb and size."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}")
    draft.write_text(json.dumps([asdict(figure) for figure in figures], indent=1) + "\n")
    draft.replace(path)


def from_child(bench: str, variant: str, told: Mapping[str, float], sampled_mb: float) -> Figure:
    """Return a run as its process reported it; the peak is the larger of its own and its process tree's."""
    peak_mb = max(told["peak_mb"], sampled_mb)
    return Figure(bench, variant, int(told["rows"]), told["seconds"], told["cpu_seconds"], peak_mb)
