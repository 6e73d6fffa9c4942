"""A walk through the past: no step sees what came after it, what was done stays done, the figures come out again."""

from __future__ import annotations

from dataclasses import fields
from datetime import timedelta
from functools import cache
from typing import ClassVar

import pyarrow as pa
import pyarrow.compute as pc
import pytest

from include.core.contract import MOMENT
from include.core.errors import ArtifactDamaged, DaybreakError
from include.core.settings import Settings
from include.judging.backtest import ground, walking
from include.judging.backtest.asking import make_question, teach
from include.judging.backtest.figures import add_up
from include.judging.backtest.ground import Ground
from include.judging.backtest.plan import Plan
from include.judging.backtest.walking import FixedChampion, Walk
from include.models.kinds.co_reading import CoReading
from include.models.kinds.two_stage.examples import find_examples
from tests.worlds import sessions, tiny

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
DAYS = 3
END = sessions.end_of(DAYS)
STEP = END - 9 * HOUR  # there is reading after the last step, which no step may see
COUNTING = ("co_reading", "most_read_last_hour", "most_read_last_day")
MODES = ("next-read", "lists")


@pytest.fixture(scope="module")
def settings(tmp_path_factory):
    return Settings(home=tmp_path_factory.mktemp("backtest"), lookback_days=2, train_days=1, min_free_mb=0)


@pytest.fixture(scope="module")
def log():
    return sessions.session_log(DAYS, 7000, 450)


def walk_over(settings, world, plan, **more):
    said = []
    return Walk(settings, plan, tiny.store(settings, world, END, DAYS), said.append, **more), said


def a_plan(mode="next-read", **changes):
    values = {"start": STEP, "end": STEP + 3 * HOUR, "every": HOUR, "train_window": 2 * DAY, "refit": DAY, "k": 20}
    return Plan(**{**values, "mode": mode, "models": COUNTING, "sample": 200, "train_sample": 400, **changes})


def rows_of(results):
    return [(one.model, one.step, one.facts, one.rows.to_pylist()) for one in results]


# What it finds


def test_what_was_read_together_tells_more_than_what_is_popular(settings, log):
    walk, said = walk_over(settings, log, a_plan())
    figures = add_up(walk.results(), seed=7)
    assert figures.best_baseline == "co_reading"
    assert figures.questions > 200
    assert figures.differences["most_read_last_hour"].high < 0
    assert figures.means["most_read_last_hour"]["ndcg"] > figures.means["most_read_last_day"]["ndcg"] > 0
    assert figures.means["co_reading"]["hit_rate"] < figures.reachable_share < 1
    assert [line.split(":")[0] for line in said] == ["step 1 of 3", "step 2 of 3", "step 3 of 3"]


def test_in_lists_mode_each_reader_gets_a_full_list(settings, log):
    walk, _ = walk_over(settings, log, a_plan("lists"))
    means = add_up(walk.results(), seed=7).means
    assert {figures["full_share"] for figures in means.values()} == {1.0}
    assert all(0 < figures["ndcg"] < 1 for figures in means.values())


# What is asked


@pytest.fixture(scope="module")
def question(settings, log):
    return make_question(settings, a_plan(), Ground(settings, tiny.store(settings, log, END, DAYS)), STEP)


def test_a_session_is_told_up_to_its_last_read_and_asked_for_that(question, log):
    """Counted from the rows: every read of the reader before the one that is asked for, and that one in no table."""
    clicks = log["reading_events"].to_pylist()
    who = {row["reader_id"]: row["who_id"] for row in question.who.to_pylist()}
    told = {}
    for row in question.scenes.reads.to_pylist():
        told.setdefault(row["reader_id"], set()).add(row["article_id"])
    answers = question.answers.to_pylist()
    assert len(answers) > 50
    for answer in answers:
        own = {row["article_id"]: row["occurred_at"] for row in clicks if row["reader_id"] == who[answer["reader_id"]]}
        asked_at = own[answer["article_id"]]
        assert STEP <= asked_at < STEP + HOUR
        session = {article for article, at in own.items() if asked_at - HOUR / 2 < at < asked_at}
        before = {article for article, at in own.items() if STEP - 2 * DAY <= at < STEP}
        assert session <= told[answer["reader_id"]] <= before | {a for a, at in own.items() if at < asked_at}
        assert answer["article_id"] not in told[answer["reader_id"]]


def test_every_request_of_a_session_is_described(question):
    keys = question.scenes.requests.to_pylist()
    assert question.scenes.readers.select(["reader_id", "list_at"]).to_pylist() == keys
    assert len({row["reader_id"] for row in keys}) == len(keys)
    assert max(row["reader_id"] for row in keys) < 0  # nobody takes a session for a reader


def test_what_a_session_is_told_counts_for_nobody_else(question):
    """The crowd is who had read before the step; sessions of the step are not among it."""
    assert min(question.scenes.all_reads.column("reader_id").to_pylist()) > 0
    assert set(question.scenes.reads.column("reader_id").to_pylist()) <= set(question.who["reader_id"].to_pylist())


def test_what_is_read_next_is_learnt_as_such_however_long_it_was_read(settings, log):
    """A log that says how long: the question is which article, so every answer is worth the same."""
    rows = log["reading_events"].to_pylist()
    timed = [{**row, "kind": "read", "dwell_seconds": 5.0 + row["event_id"] % 300} for row in rows]
    world = tiny.changed(log, "reading_events", timed)
    opened = Ground(settings, tiny.store(settings, world, END, DAYS))
    examples = find_examples(teach(settings, a_plan(), opened, STEP).outcomes)
    assert examples.num_rows > 100
    assert set(examples.column("is_read").to_pylist()) == {True}
    assert set(examples.column("read_seconds").to_pylist()) == {None}


# Nothing from the future


class Spy(CoReading):
    """Notes the latest moment in every table it is shown."""

    seen: ClassVar[dict[tuple[str, str], object]] = {}

    def look(self, scenes, **more):
        tables = {field.name: getattr(scenes, field.name) for field in fields(scenes)} | more
        for name, table in tables.items():
            for column in table.schema:
                if not pa.types.is_timestamp(column.type):
                    continue
                latest = pc.max(table.column(column.name)).as_py()
                if latest is not None:
                    Spy.seen[name, column.name] = max(Spy.seen.get((name, column.name), latest), latest)

    def fit(self, scenes, outcomes, *, seed):
        self.look(scenes, outcomes=outcomes)
        return {}

    def rank(self, scenes, depth, candidates=None):
        self.look(scenes)
        return super().rank(scenes, depth, candidates)


@pytest.mark.parametrize("mode", MODES)
def test_a_model_that_looks_everywhere_finds_nothing_later_than_the_step(settings, log, mode):
    snapshot = tiny.store(settings, log, END, DAYS)
    opened, plan = Ground(settings, snapshot), a_plan(mode)
    Spy.seen = {}
    Spy().rank(make_question(settings, plan, opened, STEP).scenes, 20)
    assert len(Spy.seen) >= 6
    list_at = {key: at for key, at in Spy.seen.items() if key[1] == "list_at"}
    assert set(list_at.values()) == {STEP}
    assert max(at for key, at in Spy.seen.items() if key not in list_at) < STEP
    Spy.seen = {}
    lesson = teach(settings, plan, opened, STEP)
    assert lesson.outcomes.num_rows > 50
    Spy().fit(lesson.scenes, lesson.outcomes, seed=1)
    assert max(Spy.seen.values()) < STEP


def readers_of_other_hours(log):
    """Readers who click nothing in the judged hour: what they do changes no answer."""
    events = log["reading_events"]
    at = pc.field("occurred_at")
    around = events.filter((at >= pa.scalar(STEP - 3 * HOUR, MOMENT)) & (at < pa.scalar(STEP + HOUR, MOMENT)))
    busy = set(around.column("reader_id").to_pylist())
    return [reader for reader in log["subscribers"].column("reader_id").to_pylist() if reader not in busy][:300]


def planted(log, occurred, ingested):
    """The log with sixty of its articles read by 300 readers more, so often that every count would tell."""
    articles = log["reading_events"].column("article_id").to_pylist()
    popular = list(dict.fromkeys(articles[-8000:]))[:60]
    rows = [
        {
            "event_id": 9_000_000 + 10 * n + m,
            "reader_id": reader,
            "article_id": popular[(n + m) % 60],
            "kind": "click",
            "occurred_at": occurred + m * timedelta(seconds=30),
            "ingested_at": ingested + m * timedelta(seconds=30),
        }
        for n, reader in enumerate(readers_of_other_hours(log))
        for m in range(4)
    ]
    return tiny.changed(log, "reading_events", rows)


PLANTED = {
    "read after the step": (STEP + 1.5 * HOUR, STEP + 1.5 * HOUR),
    "read before the step, known after it": (STEP - 2.5 * HOUR, STEP + 1.5 * HOUR),
    "read after the step, said to be known before it": (STEP + 1.5 * HOUR, STEP - 2.5 * HOUR),
}


def knowledge(settings, world, mode, models=COUNTING):
    """Everything about the step: its questions, what each model answers, and what there is to learn."""
    plan = a_plan(mode, sample=0, train_sample=0)
    opened = Ground(settings, tiny.store(settings, world, END, DAYS))
    question, lesson = make_question(settings, plan, opened, STEP), teach(settings, plan, opened, STEP)
    answers = {n: walking.judge_step(settings, plan, n, walking.model_class(n)(), STEP, question) for n in models}
    return (
        {name: (one.rows.to_pylist(), one.facts) for name, one in answers.items()},
        lesson.outcomes.to_pylist(),
        [getattr(lesson.scenes, name).to_pylist() for name in ("requests", "readers", "co_reads", "reads")],
    )


@pytest.fixture(scope="module")
def known(settings, log):
    return cache(lambda mode: knowledge(settings, log, mode))


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("when", PLANTED.values(), ids=PLANTED)
def test_what_comes_later_changes_no_figure_and_no_lesson(settings, log, known, when, mode):
    assert knowledge(settings, planted(log, *when), mode) == known(mode)


@pytest.mark.parametrize("mode", MODES)
def test_what_came_in_time_does_change_them(settings, log, known, mode):
    """The planted reads are not without effect: known in time, every count tells."""
    before = known(mode)
    after = knowledge(settings, planted(log, STEP - 2.5 * HOUR, STEP - 2.5 * HOUR), mode)
    for ours, theirs in zip(before, after, strict=True):
        assert ours != theirs
    assert all(before[0][name] != after[0][name] for name in ("co_reading", "most_read_last_day"))


# In next-read mode a read that is dated ahead finds no way in even then: sessions are asked for up to the moment only.
KNOWN = ("judging/backtest/known_events", "judging/backtest/known_lately")
LEAKS = [
    ("occurred_at < $moment", "read after the step, said to be known before it", "lists"),
    ("ingested_at < $moment", "read before the step, known after it", "lists"),
    ("ingested_at < $moment", "read before the step, known after it", "next-read"),
]


@pytest.mark.parametrize(("condition", "when", "mode"), LEAKS)
def test_a_step_that_looks_ahead_would_be_noticed(settings, log, known, monkeypatch, condition, when, mode):
    """The same comparison, on a query from which one condition was taken: it must find the leak."""
    real = ground.duck.query
    assert all(condition in real(name) for name in KNOWN)

    def leaky(name):
        return real(name).replace(condition, "true") if name in KNOWN else real(name)

    monkeypatch.setattr(ground.duck, "query", leaky)
    assert knowledge(settings, planted(log, *PLANTED[when]), mode) != known(mode)


# What is done stays done


def test_a_walk_that_was_killed_goes_on_where_it_was(settings, log, tmp_path, monkeypatch):
    own = settings.model_copy(update={"home": tmp_path})
    walk, said = walk_over(own, log, a_plan(models=("co_reading",)))
    asked = []

    def dies_at_the_third(settings, plan, opened, step):
        asked.append(step)
        if len(asked) == 3:
            raise KeyboardInterrupt
        return make_question(settings, plan, opened, step)

    monkeypatch.setattr(walking, "make_question", dies_at_the_third)
    with pytest.raises(KeyboardInterrupt):
        walk.results()
    again, said = walk_over(own, log, a_plan(models=("co_reading",)))
    found = again.results()
    assert asked == [STEP, STEP + HOUR, STEP + 2 * HOUR, STEP + 2 * HOUR]
    assert said[-1] == "2 of 3 steps were already done"
    anew = walk_over(settings, log, a_plan(models=("co_reading",)))[0].results()
    assert rows_of(found) == rows_of(anew)


def test_a_model_that_joins_later_is_all_that_is_worked_out(settings, log, tmp_path):
    own = settings.model_copy(update={"home": tmp_path})
    walk_over(own, log, a_plan(models=("co_reading",)))[0].results()
    first = {path.name: path.stat().st_mtime_ns for path in (tmp_path / "backtests" / "steps").iterdir()}
    walk_over(own, log, a_plan(models=("co_reading", "most_read_last_hour")))[0].results()
    after = {path.name: path.stat().st_mtime_ns for path in (tmp_path / "backtests" / "steps").iterdir()}
    assert len(first) == 3
    assert len(after) == 6
    assert first.items() <= after.items()


def test_the_same_walk_anew_gives_the_same_bytes(settings, log, tmp_path):
    files = []
    for home in (tmp_path / "once", tmp_path / "twice"):
        home.mkdir()
        walk_over(settings.model_copy(update={"home": home}), log, a_plan(models=("co_reading",)))[0].results()
        files.append({path.name: path.read_bytes() for path in (home / "backtests" / "steps").iterdir()})
    assert len(files[0]) == 3
    assert files[0] == files[1]


def test_a_damaged_result_is_named(settings, log, tmp_path):
    own = settings.model_copy(update={"home": tmp_path})
    walk_over(own, log, a_plan())[0].results()
    hurt = next((tmp_path / "backtests" / "steps").iterdir())
    hurt.write_bytes(b"PAR1")
    with pytest.raises(ArtifactDamaged, match=hurt.name):
        walk_over(own, log, a_plan())[0].results()


@pytest.mark.parametrize(("mode", "hours"), [("next-read", 0), ("next-read", 1), ("lists", 1)])
def test_where_there_is_nothing_to_learn_from_every_model_gives_lists_all_the_same(settings, log, mode, hours):
    start = sessions.START + hours * HOUR
    early = a_plan(mode, models=("two_stage", "factors", "co_reading"), start=start, end=start + HOUR)
    walk, said = walk_over(settings, log, early)
    means = add_up(walk.results(), seed=7).means
    assert sum("on 0 outcomes" in line for line in said) == 2
    assert all((figures["ndcg"] > 0) == (hours > 0) for figures in means.values())


@pytest.mark.parametrize(("mode", "said"), [("next-read", "no session"), ("lists", "no reader reads an article")])
def test_when_nobody_can_be_asked_that_is_said_and_no_figure_given(settings, log, mode, said):
    after = a_plan(mode, start=END + HOUR, end=END + 3 * HOUR)
    with pytest.raises(DaybreakError, match=f"any of the 2 steps.*{said}"):
        walk_over(settings, log, after)[0].results()


def test_the_champion_walks_as_it_is(settings, log):
    walk, _ = walk_over(
        settings, log, a_plan(models=("co_reading", "champion")), champion=FixedChampion(CoReading(), "d1")
    )
    ours, theirs = (add_up(walk.results(), 7).means[name] for name in ("co_reading", "champion"))
    assert ours == theirs
