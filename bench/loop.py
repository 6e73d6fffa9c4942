"""`loop`: what each stage of a retrain and of the lists after it takes, through `include.pipeline`.

Every stage is a process of its own, as under Airflow, so what a stage imports counts as its own. There is nothing to
compare with but the same table of another day. Stages that both halves have are told apart as `recommend_…`. The second
half needs a champion, so in this throw-away installation, and nowhere else, the challenger is promoted whatever the
verdict; the progress lines show what it really was.
"""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from bench.figures import OURS, Figure, middle
from bench.ground import AS_OF, Ground, Say
from bench.measure import Work, in_child
from include.core.references import Reference
from include.core.run import Run

# name -> stage of include.pipeline, then what it is given: earlier names, or words as they are
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


def measure(ground: Ground, repeat: int, say: Say) -> list[Figure]:
    """All stages in order, each run of the loop an hour after the one before, so that none finds its work done."""
    runs: dict[str, list[Figure]] = {name: [] for name in STAGES}
    for turn in range(1, repeat + 1):
        as_of = AS_OF - timedelta(hours=repeat - turn)
        for name, done in runs.items():
            done.append(in_child("loop", "stage", ground, name, as_of.isoformat()))
            say(f"loop.{name}, {turn} of {repeat}: {done[-1].seconds:.2f} s, {done[-1].peak_mb:.0f} MB")
            if name == "judge":
                say(f"loop: {(_find(ground, name).facts or {})['sentence']}")
    return [middle(f"loop.{name}", OURS, done) for name, done in runs.items()]


def stage(ground: Ground, name: str, moment: str) -> Work:
    """One stage, on what the stages before it left; its rows are the events of the window it works on."""
    from include import pipeline
    from include.core.clock import parse_moment

    run = Run(ground.settings, f"bench/{moment}", parse_moment(moment), "bench")
    function, *given = STAGES[name]
    inputs: list[object] = [
        getattr(ground.settings, word[1:], word[1:]) if word.startswith("=") else _find(ground, word) for word in given
    ]
    if name == "promote":
        inputs = [_as_if_promoted(_find(ground, "judge"))]

    def work() -> int:
        reference: Reference = getattr(pipeline, function)(run, *inputs)
        _path(ground, name).write_text(json.dumps(reference.to_dict()))
        order = list(STAGES)
        start = SECOND_HALF if order.index(name) >= order.index(SECOND_HALF) else "extract"
        return int((_find(ground, start).facts or {})["reading_events"])

    return work


def _as_if_promoted(verdict: Reference) -> Reference:
    """The verdict with the decision that lists need to be timed at all. Only ever in the bench's own ledger."""
    return replace(verdict, facts={**(verdict.facts or {}), "decision": "promote"})


def _find(ground: Ground, name: str) -> Reference:
    return Reference.from_dict(json.loads(_path(ground, name).read_text()))


def _path(ground: Ground, name: str) -> Path:
    return ground.scratch / f"{name}.json"


VARIANTS = {"stage": stage}
