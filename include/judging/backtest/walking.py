"""Walk through the steps: fit, recommend, compare with the articles read next.

Each result of a model at a step is a small file named by everything it depends on, and so is each fitted model: a
killed walk resumes where it was, and the same inputs give the same files.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from include.adapters import duck
from include.core.contract import LONGEST_COUNTED_SECONDS
from include.core.errors import ArtifactDamaged, DaybreakError
from include.core.settings import Settings
from include.data.snapshot import Snapshot
from include.data.store import digest_of, scratch, whole_folder
from include.features.build import find_lookback_days
from include.judging.backtest.asking import Lesson, Question, make_question, teach
from include.judging.backtest.ground import Ground
from include.judging.backtest.plan import CHAMPION, Plan
from include.judging.backtest.versions import Versions, find_asked
from include.lists.arrange import ListLimits, make_lists
from include.models import BASELINES, Recommender, model_class
from include.models.budget import share_readers
from include.models.provenance import code_digest, lock_digest

Say = Callable[[str], None]

NOTHING_READ = {
    "lists": "no reader reads an article that could be on a list",
    "next-read": "no session of two or more articles ends",
}


@dataclass(frozen=True)
class FixedChampion:
    """The champion, which is never refitted, and its digest."""

    model: Recommender
    digest: str


@dataclass(frozen=True)
class StepResult:
    """The result of one model at one step: a row per question, and facts about all its lists."""

    model: str
    step: datetime
    rows: pa.Table
    facts: dict[str, float]


class Walk:
    """A backtest over a snapshot."""

    def __init__(
        self, settings: Settings, plan: Plan, snapshot: Snapshot, say: Say, champion: FixedChampion | None = None
    ) -> None:
        self.settings, self.plan, self.snapshot, self.say, self.champion = settings, plan, snapshot, say, champion
        self.home = settings.home / "backtests"
        chosen = (
            *(settings.lookback_days, find_lookback_days(settings), settings.article_max_age_hours),
            *(settings.list_step_hours, settings.train_days),
            *(settings.max_per_publisher, settings.max_per_category, settings.max_train_rows, settings.seed),
        )
        shape = (plan.mode, plan.every, plan.train_window, plan.train_sample, chosen)
        self.made_by = digest_of(shape, code_digest("include/lists", "include/judging"), lock_digest())
        self._ground: Ground | None = None
        self._versions: Versions | None = None
        self._asked: dict[int, str] | None = None
        self._fitted: tuple[datetime, dict[str, Recommender]] | None = None
        self._fit_seconds: dict[datetime, float] = {}

    @property
    def id(self) -> str:
        """Return the id, which is the same for the same snapshot, plan, champion and code."""
        champion = self.champion.digest if self.champion else None
        return digest_of(self.made_by, self.snapshot.fingerprint, self.plan.to_dict(), champion)[:12]

    def results(self) -> list[StepResult]:
        """Return every model's result of every step, in order; stored results are reused."""
        found: list[StepResult] = []
        steps = self.plan.steps
        began, worked = time.perf_counter(), 0
        for number, step in enumerate(steps, 1):
            paths = {name: self._result_path(name, step) for name in self.plan.models}
            missing = [name for name, path in paths.items() if not path.exists()]
            if missing:
                self._work(step, missing, paths)
                worked += 1
                fits = len({self.plan.fitted_at(later) for later in steps[number:]} - {self.plan.fitted_at(step)})
                took = list(self._fit_seconds.values())
                left = expect_seconds(time.perf_counter() - began, took, worked, len(steps) - number, fits)
                self.say(f"step {number} of {len(steps)}: {step:%Y-%m-%d %H:%M}, about {_tell(left)} left")
            found += [_read(path, name, step) for name, path in paths.items()]
        if worked < len(steps):
            self.say(f"{len(steps) - worked} of {len(steps)} steps were already done")
        if not any(one.rows.num_rows for one in found):
            raise DaybreakError(
                f"There are no questions in any of the {len(steps)} steps from {self.plan.start:%Y-%m-%d %H:%M} to "
                f"{self.plan.end:%Y-%m-%d %H:%M} UTC: {NOTHING_READ[self.plan.mode]}.",
                hint="choose days of the log with more reading, longer steps (--every 1d) or the other --mode.",
            )
        return found

    def _work(self, step: datetime, names: list[str], paths: Mapping[str, Path]) -> None:
        ground = self._open_ground()
        models = {name: self._model(name, self.plan.fitted_at(step)) for name in names}
        question = make_question(self.settings, self.plan, ground, step)
        for name, model in models.items():
            judged = judge_step(self.settings, self.plan, name, model, step, question)
            _write(self.settings, paths[name], judged)

    def _model(self, name: str, moment: datetime) -> Recommender:
        """Return the model fitted at the moment; it is cached until another moment is requested."""
        if name == CHAMPION:
            if self.champion is None:
                raise DaybreakError("There is no champion to test.", hint="leave it out of --models.")
            return self.champion.model
        if name in BASELINES:
            return model_class(name)()
        if self._fitted is None or self._fitted[0] != moment:
            self._fitted = (moment, {})
        held = self._fitted[1]
        if name not in held:
            held[name] = self._fit(name, moment)
        return held[name]

    def _fit(self, name: str, moment: datetime) -> Recommender:
        folder = self.home / "models" / self._fit_key(name, moment)
        if not folder.exists():
            begin = time.perf_counter()
            self.say(f"fitting {name} as of {moment:%Y-%m-%d %H:%M}; this takes a minute or more on a large log")
            lesson = teach(self.settings, self.plan, self._open_ground(), moment)
            model = fit_on_lesson(self.settings, name, lesson, moment)
            with whole_folder(self.settings, folder) as draft:
                model.save(draft)
            seconds = time.perf_counter() - begin
            self._fit_seconds[moment] = self._fit_seconds.get(moment, 0.0) + seconds
            learnt_from = f"{lesson.outcomes.num_rows:,} outcomes in {seconds:.0f} s"
            self.say(f"{name} fitted as of {moment:%Y-%m-%d %H:%M} on {learnt_from}")
        return model_class(name).load(folder)

    def _result_path(self, name: str, step: datetime) -> Path:
        """Return the path of a result, named by its inputs: the model, the days the step sees and the questions."""
        if name == CHAMPION and self.champion:
            learnt: str | None = self.champion.digest
        else:
            learnt = None if name in BASELINES else self._fit_key(name, self.plan.fitted_at(step))
        seen = self._open_versions().before(step + self.plan.every)
        key = digest_of(self.made_by, name, learnt, seen, self._asked_at(step), self.plan.k, self.plan.sample, step)
        return self.home / "steps" / f"{key}.parquet"

    def _fit_key(self, name: str, moment: datetime) -> str:
        """Return a digest of a fitted model's inputs: the model itself, and the days that it learns from."""
        return digest_of(
            self.made_by, name, self._open_versions().before(moment, moment - self.plan.train_window), moment
        )

    def _asked_at(self, step: datetime) -> str | None:
        """Return a digest of a step's sessions, which may go on after the step; None for lists, which do not."""
        if self.plan.mode == "lists":
            return None
        if self._asked is None:
            self._asked = find_asked(self._open_ground(), self.plan)
        return self._asked.get((step - self.plan.start) // self.plan.every)

    def _open_ground(self) -> Ground:
        if self._ground is None:
            self._ground = Ground(self.settings, self.snapshot)
        return self._ground

    def _open_versions(self) -> Versions:
        if self._versions is None:
            self._versions = Versions(self.settings, self.snapshot)
        return self._versions


def fit_on_lesson(settings: Settings, name: str, lesson: Lesson, moment: datetime) -> Recommender:
    """Return a model fitted on the lesson, even if there is little to learn."""
    model = model_class(name)()
    used = share_readers(lesson.outcomes, lesson.scenes.readers, max_rows=settings.max_train_rows, seed=settings.seed)
    model.fit(lesson.scenes, lesson.outcomes.filter(pc.field("reader_id").isin(used.readers)), seed=settings.seed)
    return model


def judge_step(
    settings: Settings, plan: Plan, name: str, model: Recommender, step: datetime, question: Question
) -> StepResult:
    """Compare a model's answers to a step's questions with the articles read next."""
    if plan.mode == "lists":
        limits = replace(ListLimits.of(settings), list_length=plan.k)
        ordered = make_lists(limits, model, question.scenes, question.catalogue)
        # an article that was not live could not be listed by any model
        wanted = question.answers.filter(pc.is_in(question.answers.column("article_id"), question.live["article_id"]))
    else:
        ordered, wanted = model.rank(question.scenes, plan.k), question.answers
    rows, reach = place_answers(ordered, wanted, plan.k)
    who = question.who.select(["reader_id", "list_at", "who_id"])
    rows = rows.join(who, ["reader_id", "list_at"]).sort_by([("reader_id", "ascending")]).drop_columns(["list_at"])
    in_reach = pc.sum(pc.is_in(question.answers.column("article_id"), question.live["article_id"])).as_py() or 0
    facts = {
        "questions": question.who.num_rows,
        "live_count": question.live.num_rows,
        "answers": question.answers.num_rows,
        "answers_in_reach": in_reach,
        **reach,
    }
    return StepResult(name, step, rows, {key: float(value) for key, value in facts.items()})


def place_answers(ordered: pa.Table, wanted: pa.Table, k: int) -> tuple[pa.Table, dict[str, float]]:
    """Return the ranks of the wanted articles per request, and the counts of listed articles and full lists."""
    with duck.connect() as connection:
        connection.register("ordered", ordered)
        connection.register("wanted", wanted)
        parameters = {"k": k, "longest_counted_seconds": LONGEST_COUNTED_SECONDS}
        rows = duck.fetch(connection, duck.query("judging/backtest/judged"), parameters)
        return rows, duck.fetch(connection, duck.query("judging/backtest/reach"), parameters).to_pylist()[0]


def _write(settings: Settings, path: Path, judged: StepResult) -> None:
    """Write the result to its path, completely or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = scratch(settings)
    facts = {"facts": json.dumps(judged.facts, sort_keys=True)}
    pq.write_table(judged.rows.replace_schema_metadata(facts), draft, compression="zstd", compression_level=1)
    draft.replace(path)


def _read(path: Path, name: str, step: datetime) -> StepResult:
    try:
        rows = pq.read_table(path)
        return StepResult(name, step, rows, json.loads((rows.schema.metadata or {})[b"facts"]))
    except (OSError, KeyError, ValueError) as error:
        raise ArtifactDamaged(
            f"{path} cannot be read: {error}.", hint="delete it and run the backtest again."
        ) from error


def expect_seconds(seconds: float, fits: Sequence[float], worked: int, steps: int, fits_to_come: int) -> float:
    """Estimate the time for the remaining steps and fits from those before; `seconds` includes the time of `fits`."""
    fit = sum(fits) / len(fits) if fits else 0.0
    return (seconds - sum(fits)) / worked * steps + fit * fits_to_come


def _tell(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 120 else f"{seconds / 60:.0f} min"
