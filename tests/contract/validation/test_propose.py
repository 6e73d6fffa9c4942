"""Suggested limits and drawn trends, from real runs of the tiny world."""

from __future__ import annotations

import tomllib
from datetime import timedelta
from pathlib import Path

import pytest

from include import pipeline
from include.adapters.warehouse import connect
from include.core.checks import Check
from include.core.run import Run
from include.data.snapshot import refer_to
from include.pipeline import run
from include.pipeline.run import keep_checks
from include.validation.history import checks as history
from include.validation.history import propose
from include.validation.judgement import judge_snapshot
from include.validation.limits import FILE, load_limits
from tests.parts import cli, servers
from tests.worlds import tiny

AS_OF = tiny.AS_OF
DAY = timedelta(days=1)


@pytest.fixture(scope="module")
def settings(warehouse, tmp_path_factory):
    found = warehouse.model_copy(update={"home": tmp_path_factory.mktemp("propose")})
    servers.write_env_file(found)
    return found


@pytest.fixture(scope="module")
def snapshot(settings):
    return tiny.store(settings, tiny.known_at(tiny.tiny(), AS_OF, days=5))


@pytest.fixture(scope="module")
def report(settings, snapshot):
    """The page of a validation by the real stage."""
    run = Run(settings, "run", AS_OF, "tests")
    clean = pipeline.validate(run, refer_to(settings, snapshot, "snapshot"))
    return (settings.home / "reports" / clean.facts["report"]).read_text()


@pytest.fixture(scope="module")
def proposed(settings, report):
    """Return the text that `daybreak propose` wrote."""
    before = FILE.read_bytes()
    answer = cli.say(settings, "propose")
    assert (answer.code, FILE.read_bytes()) == (0, before), "nothing loosens itself"
    return answer.out.strip()


def text(path):
    return Path(path).read_text()


def test_before_anything_was_validated_it_is_one_line(fresh_warehouse):
    servers.write_env_file(fresh_warehouse)
    answer = cli.say(fresh_warehouse, "propose")
    assert (answer.code, len(answer.error_lines)) == (1, 1)
    assert "No snapshot has been validated yet" in answer.err


def test_a_snapshot_that_is_not_there_is_one_line(fresh_warehouse):
    servers.write_env_file(fresh_warehouse)
    answer = cli.say(fresh_warehouse, "propose", "--snapshot", "foo")
    assert answer.err == (
        "daybreak: There is no snapshot foo. Hint: without --snapshot the newest validated one is used.\n"
    )


def test_the_newest_snapshot_that_was_validated_is_the_one_that_suggests(proposed, settings, snapshot):
    assert proposed == str(settings.home / "proposals" / f"limits-{snapshot.id}.toml")


def test_what_is_suggested_can_be_taken_as_it_is_and_passes_what_it_was_suggested_by(
    proposed, settings, snapshot, monkeypatch, tmp_path
):
    limits = load_limits.__wrapped__(settings.home / "proposals" / f"limits-{snapshot.id}.toml")
    monkeypatch.setattr(history, "load_limits", lambda: limits)
    found = judge_snapshot(settings, snapshot, tmp_path).checks
    assert [check for check in found if check.outcome == "failed"] == []


def test_observed_values_stand_beside_the_limits_in_force(proposed):
    """Two articles in three have no summary; every day has as many events, give or take, and 192 articles."""
    said = tomllib.loads(text(proposed))
    assert said["articles"]["words"]["category"] == sorted(tiny.CATEGORIES)
    assert said["articles"]["warn_below"] == pytest.approx(0.85), "no day had less than usual: less the room of 0.15"
    assert "warn_below = 0.85  # in force: 0.6" in text(proposed)
    assert "with 192 to 192 rows, usually 192" in text(proposed)
    assert "# word_count: 200 to 1200" in text(proposed)
    assert "ART106 allows (1, 50000)" in text(proposed)


def test_missing_values_are_suggested_for_what_is_always_missing_in_part(proposed, settings, snapshot):
    limits = load_limits().model_copy(update={"min_rows": 100})
    profile = propose.profile_snapshot(settings, snapshot)["days"]["articles"]
    lines = list(propose._null_shares(limits.articles, [day for day in profile.values() if day["rows"] >= 100]))
    (line,) = (line for line in lines if line.startswith("summary"))
    assert line.startswith("summary = 0.687  # learned so far; 66.7 % to 66.7 %")


def test_what_would_let_more_pass_is_marked():
    assert propose._line("warn_below", 0.3, 0.6, is_floor=True) == "warn_below = 0.3  # LOOSER, in force: 0.6"
    assert propose._line("warn_above", 3.0, 2.0) == "warn_above = 3  # LOOSER, in force: 2"
    assert propose._line("warn_above", 1.5, 2.0) == "warn_above = 1.5  # in force: 2"


def test_the_same_snapshot_suggests_the_same(proposed, settings):
    before = text(proposed)
    assert cli.say(settings, "propose", "--snapshot", proposed.split("limits-")[1][:-5]).code == 0
    assert text(proposed) == before


def test_a_validation_shows_the_last_runs_as_drawings(report):
    assert "The last runs" in report
    assert "reading_events: rows in 24 hours" in report
    assert "<svg" in report
    assert "<script" not in report


def check_of(observed, outcome="passed"):
    return Check("VOL102", "t", "articles", "warn", outcome, observed, "", "s")


def test_the_last_runs_go_by_the_moment_they_work_as_of_and_a_moment_counts_once(settings, report):
    """Kept out of order, one of them twice; a later moment and the run itself are not among those before."""

    def keep(run_id, as_of, *, observed, outcome="passed"):
        run = Run(settings, run_id, as_of, "tests")
        with connect(settings) as warehouse:
            warehouse.execute(
                "insert into ops.runs (run_id, stage, as_of, status, started_at)"
                " values (%s, 'validate', %s, 'done', now())",
                [run_id, as_of],
            )
        keep_checks(run, "validate", [check_of(observed, outcome)])

    keep("b", AS_OF - DAY, observed=0.2)
    keep("later", AS_OF + DAY, observed=9.0)
    keep("a", AS_OF - 2 * DAY, observed=0.1, outcome="failed")
    keep("b again", AS_OF - DAY, observed=0.3)
    _, checks = run.recall(settings, AS_OF, [check_of(0.5)])
    (series,) = (one for one in checks if one.name == "VOL102 articles")
    assert series.moments == (AS_OF - 2 * DAY, AS_OF - DAY, AS_OF)
    assert series.values == (0.1, 0.3, 0.5)
    assert series.failed == (True, False, False)
