"""A day that is judged later gets the verdict it would have got, the same every time, and changes nothing live."""

from __future__ import annotations

from datetime import timedelta

import pytest

from include import pipeline
from include.adapters import mlflow_client
from include.adapters.warehouse import connect
from include.core.run import Run
from include.judging.fresh_process import try_out
from include.models import BASELINES
from include.pipeline import deciding, judging
from tests.parts import servers
from tests.worlds import tiny
from tests.worlds.reigns import ask_for, champion_of, crown, publish

AS_OF = tiny.AS_OF
DAY = timedelta(days=1)
MODELS = ("most_read", "co_reading", "two_stage")
EASY = {  # a short hold-out is judged soon; v3's lists differ much from those of the plain models
    "holdout_hours": 6,
    "min_catalogue_kept_share": 0.0,
    "min_diversity_kept_share": 0.0,
    "min_novelty_kept_share": 0.0,
    "max_concentration_rise": 1.0,
    "max_age_rise_hours": 100.0,
    "max_publisher_rise_share": 1.0,
    "min_kept_places_share": 0.0,
}
MEASURED_HERE = ("RT112", "RT114", "RT115")  # time and memory of this machine differ by chance


@pytest.fixture(scope="module")
def installation(pristine, tmp_path_factory):
    """An installation of the module's own, with a registry of its own: fresh processes look there, too."""
    ports = {"postgres_port": servers.free_port(), "mlflow_port": servers.free_port()}
    settings = pristine.model_copy(update={"home": tmp_path_factory.mktemp("as-of"), **ports, **EASY})
    mlflow_client.reach.cache_clear()
    with servers.postgres(settings, template=pristine.home / "postgres"), servers.mlflow(settings):
        yield settings
    mlflow_client.reach.cache_clear()


@pytest.fixture(scope="module")
def versions(installation, features):
    """Three versions by number, all of the same day; v3 is better than the others."""
    runs = {number: Run(installation, f"train {number}", AS_OF, "test") for number in (1, 2, 3)}
    made = {number: pipeline.train(run, features, MODELS[number - 1]) for number, run in runs.items()}
    assert [version.id for version in made.values()] == ["1", "2", "3"]
    return made


@pytest.fixture(scope="module", autouse=True)
def tried_once():
    """Try each version in a fresh process once: what is found there depends on the version and not on its rival."""
    found = {}

    def try_once(settings, registered, scenes):
        if registered.version not in found:
            found[registered.version] = try_out(settings, registered, scenes)
        return found[registered.version]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(judging, "try_out", try_once)
        yield


@pytest.fixture
def settings(installation, versions):
    """The installation before its first verdict."""
    with connect(installation, "postgres") as server:
        server.execute("set session_replication_role = replica")  # the ledger lets nobody empty it
        for table in ("ops.answers", "ops.champions", "ops.verdicts", "ops.alerts", "ops.runs", "recs.live"):
            server.execute(f"delete from {table}")
        server.execute("update ops.models set removed_at = null")
    return installation


@pytest.fixture
def started(settings):
    """A run as of the day, started in some way."""

    def make(run_id="retrain/backfill__1", kind="backfill", may_go_live=None, **form):
        may_go_live = kind != "backfill" if may_go_live is None else may_go_live
        return Run(settings, run_id, AS_OF, "ada", "a trial", "enforce", kind, form, may_go_live)

    return make


@pytest.fixture
def judged(started, features, versions):
    """The verdict on a version in such a run."""
    return lambda number, *args, **form: pipeline.judge(started(*args, **form), versions[number], features)


def kept(settings, verdict):
    """Everything that is kept of a verdict but its time and what was measured of this machine."""
    (row,) = ask_for(
        settings,
        "select decision, champion_version, champion_seq, rival, of_record_at is not null, asked_at, metrics, checks"
        " from ops.verdicts where verdict_id = %s",
        verdict.id,
    )
    *rest, checks = row
    told = [{**check, "observed": 0, "sentence": ""} if check["code"] in MEASURED_HERE else check for check in checks]
    return (*rest, told)


def test_the_same_day_gets_the_same_verdict_whatever_was_promoted_since(settings, judged):
    crown(settings, 1, AS_OF - 2 * DAY)
    first = judged(2)
    before = kept(settings, first)
    told = "Judged against v1, the champion as of 2025-03-09 00:00 UTC (since 2025-03-07 00:00 UTC)."
    assert before[1:5] == (1, 1, told, False)
    assert first.facts["rival"] == told
    assert first.facts["sentence"].startswith("Would have kept v1: ")
    page = (settings.home / "reports" / first.facts["report"]).read_text()
    assert all(part in page for part in (told, "backfill by ada", "a trial", "enforce, promotes nothing"))
    crown(settings, 3, AS_OF + DAY)
    crown(settings, 2, AS_OF + 2 * DAY)
    ask_for(settings, "delete from ops.verdicts returning 1")  # or else what was kept before would be compared
    for run_id, kind in (("retrain/backfill__1", "backfill"), ("retrain/manual__2", "manual")):
        again = judged(2, run_id, kind)
        assert (again.id, kept(settings, again)) == (first.id, before)
        assert again.facts["sentence"] == first.facts["sentence"]


def test_a_scheduled_run_that_is_cleared_is_judged_as_it_was_the_first_time(settings, judged):
    crown(settings, 1, AS_OF - DAY)
    first = judged(2, "retrain/scheduled__1", "scheduled")
    before = kept(settings, first)
    assert before[4] is True
    crown(settings, 3, AS_OF + DAY)
    publish(settings, 3, AS_OF + timedelta(hours=1))  # live lists that the first verdict cannot have known
    again = judged(2, "retrain/scheduled__1", "scheduled")
    assert (again.id, kept(settings, again)) == (first.id, before)
    (live,) = (check for check in before[-1] if check["code"] == "RT126")
    assert live["sentence"] == "No lists are live yet."


def test_a_champion_whose_files_retention_removed_leaves_the_baselines_and_no_question(settings, judged):
    crown(settings, 1, AS_OF - DAY)
    ask_for(settings, "update ops.models set removed_at = now(), removed_why = 'old' where version = 1 returning 1")
    verdict = judged(3, may_go_live=True)
    assert verdict.facts["rival"] == (
        "Not judged against v1, the champion as of 2025-03-09 00:00 UTC (since 2025-03-08 00:00 UTC). Its files are "
        "gone (Version 1 was removed: old), so only the baselines are left."
    )
    assert (verdict.facts["champion_version"], verdict.facts["decision"]) == (None, "promote")
    assert set(kept(settings, verdict)[6]) == {"challenger", *BASELINES}
    with connect(settings) as warehouse:
        assert deciding.conclude_again(warehouse, verdict.id) == "promote"


def test_a_backfill_that_publishes_promotes_while_the_champion_of_that_day_still_is(settings, judged, started):
    crown(settings, 1, AS_OF - DAY)
    verdict = judged(3, may_go_live=True)
    assert verdict.facts["sentence"].startswith("Promoted v3: ")
    assert pipeline.promote(started(may_go_live=True, reason="a gap."), verdict).facts["changed"]
    champion = champion_of(settings)
    assert (champion.version, champion.from_version) == (3, 1)
    assert champion.why.endswith(" [RT108] Started by ada: a gap.")


def test_a_past_day_replaces_no_champion_that_it_was_not_compared_with(settings, judged, started):
    crown(settings, 1, AS_OF - DAY)
    crown(settings, 2, AS_OF + DAY)
    verdict = judged(3, may_go_live=True)
    assert verdict.facts["sentence"].startswith("Would have promoted v3: ")
    facts = pipeline.promote(started(may_go_live=True), verdict).facts
    assert (facts["changed"], champion_of(settings).version) == (False, 2)
    assert facts["sentence"].startswith(
        "Not promoted: today's champion is v2, and v3 was not compared with it. Judged against v1, the champion as of "
    )


def test_a_chained_winner_that_was_never_champion_is_followed_by_none(settings, judged, started):
    first = judged(2, chained=True)
    ask_for(settings, "update ops.verdicts set as_of = as_of - interval '1 day', decision = 'promote' returning 1")
    verdict = judged(3, may_go_live=True, chained=True)
    assert (first.facts["champion_version"], verdict.facts["champion_version"]) == (None, 2)
    assert verdict.facts["decision"] == "promote"
    facts = pipeline.promote(started(may_go_live=True, chained=True), verdict).facts
    assert (facts["changed"], champion_of(settings)) == (False, None)
    assert "there is no champion today, and v3 was not compared with it. Judged against v2, " in facts["sentence"]


def test_a_day_that_was_judged_in_a_backfill_counts_once_a_run_of_today_comes_to_the_same(settings, judged):
    backfill, chained, today = judged(3), judged(3, chained=True), judged(3, "retrain/manual__1", "manual")
    assert {chained.id, today.id} == {backfill.id}
    ((run_id, counts, is_chained),) = ask_for(
        settings, "select run_id, of_record_at is not null, chained_at is not null from ops.verdicts"
    )
    assert (run_id, counts, is_chained) == ("retrain/manual__1", True, True)
