"""Who goes back: rollbacks by people and by what readers do, on a real PostgreSQL and MLflow."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from include import pipeline
from include.adapters.warehouse import connect
from include.core.clock import now
from include.core.errors import DaybreakError, FormRefused
from include.judging import champion as champions
from include.judging import holds
from include.lists import batch as batches
from tests.worlds.reigns import AS_OF, ask_for, champion_of, live_model, publish, register, reign


@pytest.fixture
def run(decision):
    return decision


@pytest.fixture
def three(settings):
    """Three champions in turn; the third one's lists are live."""
    digests = {version: register(settings, version) for version in (1, 2, 3)}
    reign(settings, 1, 2, 3)
    return digests


def test_a_rollback_brings_model_and_lists_back_in_one_action(settings, run, three):
    facts = pipeline.roll_back(run, None, "its lists are old").facts
    champion = champion_of(settings)
    assert (champion.version, champion.from_version, champion.action, champion.actor) == (2, 3, "rollback", "ada")
    assert champion.why == "Rolled back from v3 to v2: its lists are old."
    assert champion.snapshot_id == "snapshot of 2"
    assert live_model(settings) == [(2,)]
    assert facts["batch_id"] == "batch_of_2_01"
    assert ask_for(settings, "select actor, action, detail ->> 'to' from ops.audit") == [("ada", "rollback", "2")]


def test_the_same_rollback_run_again_changes_nothing_more(settings, run, three):
    pipeline.roll_back(run, None, "its lists are old")
    pipeline.roll_back(run, None, "its lists are old")
    assert ask_for(settings, "select count(*) from ops.champions where action = 'rollback'") == [(1,)]


def test_another_rollback_goes_back_once_more_and_never_to_what_was_left(settings, run, three):
    pipeline.roll_back(run, None, "bad")
    pipeline.roll_back(replace(run, run_id="test/2"), None, "bad too")
    assert (champion_of(settings).version, live_model(settings)) == (1, [(1,)])
    with pytest.raises(DaybreakError, match="There is no intact version to go back to from v1"):
        pipeline.roll_back(replace(run, run_id="test/3"), None, "and this one")


def test_a_version_whose_files_changed_is_passed_over(settings, run, three):
    (settings.home / "models" / three[2] / "version.txt").write_text("9")
    assert pipeline.roll_back(run, None, "bad").facts["version"] == 1
    assert "Passed over: v2: MLflow has no files of run gone" in champion_of(settings).why


def test_a_version_that_is_named_and_damaged_changes_nothing(settings, run, three):
    (settings.home / "models" / three[1] / "version.txt").write_text("9")
    with pytest.raises(FormRefused, match="MLflow has no files of run gone"):
        pipeline.roll_back(run, 1, "bad")
    assert (champion_of(settings).version, live_model(settings)) == (3, [(3,)])


def test_nobody_goes_back_to_a_version_that_no_verdict_made_champion(settings, run, three):
    """Else a challenger that was kept out would come in by this door."""
    register(settings, 4)
    with pytest.raises(FormRefused, match=r"v4 was never champion.* Hint: choose one of the former champions: v2, v1"):
        pipeline.roll_back(run, 4, "it is new")
    assert (champion_of(settings).version, live_model(settings)) == (3, [(3,)])


def test_a_version_that_was_left_is_gone_back_to_only_by_its_name(settings, run, three):
    pipeline.roll_back(run, None, "bad")
    assert pipeline.roll_back(replace(run, run_id="test/2"), 3, "it was not").facts["version"] == 3


def test_lists_of_the_champion_before_that_come_late_do_not_go_live(settings, run, three):
    late = publish(settings, 3, AS_OF + timedelta(hours=9), goes_live=False)
    pipeline.roll_back(run, None, "bad")
    with connect(settings) as warehouse:
        assert batches.switch(warehouse, late, AS_OF + timedelta(hours=9), 150) is False
    assert live_model(settings) == [(2,)]


def test_a_shadow_batch_never_goes_live_not_even_by_a_rollback(settings, run, three):
    publish(settings, 2, AS_OF + timedelta(hours=9), status="shadow", goes_live=False)
    assert pipeline.roll_back(run, None, "bad").facts["batch_id"] == "batch_of_2_01"


def test_a_pin_stands_against_a_rollback_too(settings, run, three):
    with connect(settings) as warehouse:
        holds.set_hold(warehouse, "pin", version=3, reason="audit", actor="ben", moment=now())
    with pytest.raises(DaybreakError, match=r"v3 is pinned, by ben: audit\. Hint: run `bin/daybreak unpin` first"):
        pipeline.roll_back(run, None, "bad")


# readers decide


def measured(settings, version, hours, shown, seconds):
    with connect(settings) as warehouse:
        since = champions.find_champion(warehouse).at
        warehouse.execute(
            "insert into ops.health (window_end, window_hours, model_version, slice, readers, impressions, reads,"
            " read_seconds) values (%s, 24, %s, 'all', 100, %s, 10, %s)",
            [since + timedelta(hours=hours), version, shown, seconds],
        )
    return since


@pytest.mark.parametrize(
    ("shown", "seconds", "hours", "version"),
    [(5000, 5000 * 2.9, 6, 2), (5000, 5000 * 3.1, 6, 3), (4999, 5000 * 1.0, 6, 3), (5000, 5000 * 1.0, 5, 3)],
    ids=["clearly less", "within the limit", "few shown", "too soon"],
)
def test_a_champion_that_readers_leave_goes(settings, run, three, shown, seconds, hours, version):
    since = measured(settings, 3, hours, shown, seconds)
    measured(settings, 2, -1, 6000, 6000 * 4.0)
    watching = replace(run, as_of=since + timedelta(hours=24))
    facts = pipeline.guard(watching).facts
    assert (facts["changed"], champion_of(settings).version) == (version == 2, version)
    if version == 2:
        assert "Readers spent 2.9 s per article shown by v3 (5,000 shown) and 4.0 s by v2" in facts["sentence"]
        assert live_model(settings) == [(2,)]
        assert ask_for(settings, "select left(subject, 22) from ops.alerts") == [("[ticket] v3 does worse",)]
        with connect(settings) as warehouse:
            assert [hold.kind for hold in holds.find_holds(warehouse, now())] == ["freeze"]
        again = pipeline.guard(replace(watching, run_id="test/2")).facts
        assert again["changed"] is False


def test_what_is_frozen_is_not_rolled_back_by_itself_but_told(settings, run, three):
    since = measured(settings, 3, 6, 5000, 5000.0)
    measured(settings, 2, -1, 6000, 24000.0)
    with connect(settings) as warehouse:
        holds.set_hold(warehouse, "freeze", reason="elections", actor="ben", moment=now(), until=None)
    facts = pipeline.guard(replace(run, as_of=since + timedelta(hours=24))).facts
    assert (facts["changed"], champion_of(settings).version) == (False, 3)
    assert "Not rolled back: Promotions are frozen, by ben: elections." in facts["sentence"]
