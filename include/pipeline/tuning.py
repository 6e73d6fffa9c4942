"""Tuning: try a model's parameters under a budget, and judge each trial on a later time than it was trained on.

A trial sees only the time before the hold-out of a verdict, so parameters are not chosen on the data that a challenger
will be judged on. Each trial is saved as soon as it ends: a killed search resumes after the last one, with the same
proposals.
"""

from __future__ import annotations

import json
import math
import time
from collections.abc import Callable, Mapping
from dataclasses import astuple, dataclass
from datetime import timedelta
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from include.adapters import mlflow_reports, optuna_search
from include.adapters.warehouse import connect, query
from include.core.clock import now
from include.core.errors import ServiceError, SettingsError, SourceError
from include.core.numbers import write_count
from include.core.references import Reference
from include.core.run import Run
from include.core.settings import Settings
from include.data.store import digest_of
from include.features.scenes import Scenes, open_outcomes, open_scenes, rows_between
from include.judging.metrics import evaluate
from include.judging.trial import what_was_shown
from include.lists.arrange import ListLimits, make_lists
from include.models import budget, make_model, ranges_of, training
from include.models.tuned import Tuned
from include.pipeline.run import recorded

Say = Callable[[str], None]


@dataclass(frozen=True)
class Trial:
    """A set of parameters and the score of the model with them."""

    number: int
    parameters: Mapping[str, float]
    score: float
    seconds: float


@dataclass(frozen=True)
class Exam:
    """The data that trials learn from, and the later moments that they are judged on."""

    lesson: Scenes
    learnt: pa.Table
    scenes: Scenes
    outcomes: pa.Table
    catalogue: pa.Table


@recorded
def tune(run: Run, features: Reference, model: str, trials: int, minutes: float, say: Say) -> Reference:
    """Find the best parameters in `trials` trials, or in as many as fit into the minutes."""
    settings, build = run.settings, Path(features.uri)
    ranges = ranges_of(model)
    if not ranges:
        raise SettingsError(
            f"{model} has no tunable parameters.", hint="declare them as TUNABLE in its class, see docs/models.md."
        )
    tuning_id = digest_of(
        features.fingerprint, model, sorted((name, astuple(one)) for name, one in ranges.items()), settings.seed
    )[:12]
    about = {"tuning_id": tuning_id, "model": model, "as_of": run.as_of, "run_id": run.run_id}
    with connect(settings) as warehouse:
        warehouse.execute(query("pipeline/begin_tuning"), {**about, "snapshot_id": features.parents[0]})
    search = {"tuning_id": tuning_id, "model": model, "snapshot_id": features.parents[0], "who": run.actor}

    trouble: set[str] = set()

    def show(*, is_done: bool = False) -> None:
        told = [(one.number, one.parameters, one.score, one.seconds) for one in done]
        try:
            mlflow_reports.keep_search(settings, search, told, now(), is_done=is_done)
        except ServiceError as error:  # the trials are in the table, which the search goes on from
            if error.fact not in trouble:
                say(f"not shown in MLflow: {error.fact}")
            trouble.add(error.fact)

    done = find_trials(settings, tuning_id)
    say(f"search {tuning_id}: {len(done)} of {trials} trials are done")
    begin, worked, exam = time.perf_counter(), 0, None
    while len(done) < trials:
        spent = time.perf_counter() - begin
        if worked and spent + spent / worked > 60 * minutes:  # do not begin a trial that would not end in time
            say(f"stopping after {write_count(worked, 'trial')}: the next one would exceed the {minutes:g} minutes")
            break
        exam = exam or set_exam(settings, build, run)
        trial = _try_next(settings, model, done, exam)
        with connect(settings) as warehouse:
            kept = {**vars(trial), "parameters": json.dumps(trial.parameters), "tuning_id": tuning_id}
            warehouse.execute(query("pipeline/keep_trial"), kept)
        done, worked = [*done, trial], worked + 1
        show()
        highest = max(one.score for one in done)
        say(f"trial {trial.number}: {trial.score:.4f} in {trial.seconds:.0f} s, best {highest:.4f}")
    with connect(settings) as warehouse:
        warehouse.execute(query("pipeline/finish_tuning"), [tuning_id])
    show(is_done=True)
    best = max(done, key=lambda one: (one.score, -one.number))
    found = Tuned(tuning_id, run.as_of, features.parents[0], best.parameters, best.score, done[0].score)
    facts = {"sentence": found.sentence, "parameters": dict(found.parameters), "trials": len(done)}
    return Reference("tuning", tuning_id, "", run.as_of, digest_of(facts), (features.id,), facts)


def find_trials(settings: Settings, tuning_id: str) -> list[Trial]:
    """Return every trial of a search."""
    with connect(settings) as warehouse:
        return [Trial(*row) for row in warehouse.execute(query("pipeline/tuning_trials"), [tuning_id])]


def set_exam(settings: Settings, build: Path, run: Run) -> Exam:
    """Split the training data of a build: the last moments, as long as a verdict's hold-out, and the time before."""
    end = training.training_end(settings, run.as_of)
    start = training.holdout_start(settings, run.as_of) - timedelta(hours=settings.holdout_hours)
    until = start - timedelta(hours=settings.list_step_hours) + timedelta(microseconds=1)
    used = budget.find_budget(settings, build, until)
    scenes, outcomes = open_scenes(build), open_outcomes(build)
    long_ago = run.as_of - training.EVER
    learnt = rows_between(outcomes, long_ago, until).filter(pc.field("reader_id").isin(used.readers))
    exam = rows_between(outcomes, start, end)
    if not learnt.num_rows or not exam.num_rows:
        raise SourceError(
            f"There are {learnt.num_rows:,} outcomes to learn from before {start:%Y-%m-%d %H:%M} UTC and "
            f"{exam.num_rows:,} to judge on after it.",
            hint="tuning needs a second hold-out: raise `train_days`, or lower `holdout_hours`.",
        )
    catalogue = pq.read_table(build / "articles")
    return Exam(scenes.between(long_ago, until), learnt, scenes.between(start, end), exam, catalogue)


def _try_next(settings: Settings, model: str, done: list[Trial], exam: Exam) -> Trial:
    """Run the next trial: first the model with its defaults, then the parameters that the search proposes."""
    begin, number = time.perf_counter(), len(done)
    tried = [(one.parameters, one.score) for one in done]
    space = {name: astuple(one) for name, one in ranges_of(model).items()}
    parameters = optuna_search.propose(space, tried, settings.seed + number) if number else {}
    candidate = make_model(model, parameters)
    candidate.fit(exam.lesson, exam.learnt, seed=settings.seed)
    length, shown = settings.list_length, what_was_shown(exam.outcomes)
    lists = make_lists(ListLimits.of(settings), candidate, exam.scenes, exam.catalogue)
    order = lists if shown is None else candidate.rank(exam.scenes, length, shown)
    score = evaluate(lists, exam.scenes, exam.outcomes, length, order).means["ndcg"]
    if not math.isfinite(score):
        raise SourceError(
            f"Trial {number} of {model} cannot be judged: no reader read anything.", hint="use a longer window."
        )
    return Trial(number, parameters, score, time.perf_counter() - begin)
