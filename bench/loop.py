"""`loop`: time each stage of a retrain and of the following recommend, through `include.pipeline`.

Every stage runs in its own process, as under Airflow, so its imports count. Compare the table only with one of another
day. Stages that both halves have are named `recommend_…` in the second. The second half needs a champion, so in this
throw-away installation, and nowhere else, the challenger is promoted whatever the verdict; the progress lines show the
real verdict.
"""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from bench.figures import OURS, Figure, middle
from bench.installation import AS_OF, Installation, Say
from bench.measure import Work, in_child
from include.core.references import Reference
from include.core.run import Run

# name -> stage of include.pipeline, then its inputs: earlier names, or plain words
STAGES: dict[str, tuple[str, ...]] = {
    "extract": ("extract", "=window_days"),
    "validate": ("validate", "extract"),
    "build_features": ("build_features", "validate", "=training"),
    "train": ("train", "build_features", "=model"),
    "judge": ("judge", "train", "build_features"),
    "promote": ("promote", "judge"),
    "recommend_extract": ("extract", "=lookback_days"),
    "recommend_validate": ("validate", "recommend_extract"),
    "recommend_build_features": ("build_features", "recommend_validate", "=scoring"),
    "score": ("score", "recommend_build_features"),
    "write_batch": ("write_batch", "score"),
    "audit": ("audit", "write_batch"),
    "publish": ("publish", "audit"),
}

SECOND_HALF = "recommend_extract"


def measure(installation: Installation, repeat: int, say: Say) -> list[Figure]:
    """Return the figures of all stages; each run of the loop is an hour after the last, so that no work is reused."""
    runs: dict[str, list[Figure]] = {name: [] for name in STAGES}
    for turn in range(1, repeat + 1):
        as_of = AS_OF - timedelta(hours=repeat - turn)
        for name, done in runs.items():
            done.append(in_child("loop", "stage", installation, name, as_of.isoformat()))
            say(f"loop.{name}, {turn} of {repeat}: {done[-1].seconds:.2f} s, {done[-1].peak_mb:.0f} MB")
            if name == "judge":
                say(f"loop: {(_find(installation, name).facts or {})['sentence']}")
    return [middle(f"loop.{name}", OURS, done) for name, done in runs.items()]


def stage(installation: Installation, name: str, moment: str) -> Work:
    """Run a stage on the results of earlier stages; its rows are the events of its window."""
    from include import pipeline
    from include.core.clock import parse_moment

    run = Run(installation.settings, f"bench/{moment}", parse_moment(moment), "bench")
    function, *given = STAGES[name]
    inputs: list[object] = [
        getattr(installation.settings, word[1:], word[1:]) if word.startswith("=") else _find(installation, word)
        for word in given
    ]
    if name == "promote":
        inputs = [_as_if_promoted(_find(installation, "judge"))]

    def work() -> int:
        reference: Reference = getattr(pipeline, function)(run, *inputs)
        _path(installation, name).write_text(json.dumps(reference.to_dict()))
        order = list(STAGES)
        start = SECOND_HALF if order.index(name) >= order.index(SECOND_HALF) else "extract"
        return int((_find(installation, start).facts or {})["reading_events"])

    return work


def _as_if_promoted(verdict: Reference) -> Reference:
    """Return the verdict as a promotion, so that lists can be timed; only in the benchmark's own ledger."""
    return replace(verdict, facts={**(verdict.facts or {}), "decision": "promote"})


def _find(installation: Installation, name: str) -> Reference:
    return Reference.from_dict(json.loads(_path(installation, name).read_text()))


def _path(installation: Installation, name: str) -> Path:
    return installation.scratch / f"{name}.json"


VARIANTS = {"stage": stage}
