"""The champion ledger in a real PostgreSQL: append-only, and of two that race one is refused."""

from __future__ import annotations

import threading

import psycopg
import pytest

from include.adapters.warehouse import connect
from include.core.errors import NoChampion
from include.judging import champion as champions


@pytest.fixture
def settings(fresh_warehouse):
    return fresh_warehouse


def promote(warehouse, version, after_seq, **values):
    entry = {
        "from_version": None,
        "why": f"v{version} is better",
        "actor": "test",
        "run_id": f"run-{version}",
        "snapshot_id": "s",
    }
    return champions.append(warehouse, after_seq=after_seq, version=version, **{**entry, **values})


def ledger(settings):
    with connect(settings) as warehouse:
        return warehouse.execute("select seq, version from ops.champions order by seq").fetchall()


def test_before_the_first_promotion_there_is_no_champion(settings):
    with connect(settings) as warehouse:
        assert champions.find_champion(warehouse) is None
        with pytest.raises(NoChampion, match="No model has been promoted yet"):
            champions.need_champion(warehouse)


def test_the_newest_row_is_the_champion(settings):
    with connect(settings) as warehouse:
        assert promote(warehouse, 3, after_seq=0)
        assert promote(warehouse, 2, after_seq=1, from_version=3)
        champion = champions.need_champion(warehouse)
    assert (champion.seq, champion.version, champion.from_version, champion.why) == (2, 2, 3, "v2 is better")


def test_a_promotion_that_was_decided_against_an_older_champion_is_refused(settings):
    with connect(settings) as warehouse:
        promote(warehouse, 1, after_seq=0)
        promote(warehouse, 2, after_seq=1)
        assert not promote(warehouse, 3, after_seq=1)
    assert ledger(settings) == [(1, 1), (2, 2)]


def test_of_two_promotions_that_race_one_wins(settings):
    """The second waits for the first to commit, and is then told that it came too late."""
    second_tries, results = threading.Event(), {}

    def second():
        with connect(settings) as warehouse:
            second_tries.set()
            results["second"] = promote(warehouse, 2, after_seq=0)

    racer = threading.Thread(target=second)
    with connect(settings) as warehouse:
        results["first"] = promote(warehouse, 1, after_seq=0)
        racer.start()
        assert second_tries.wait(10)
        racer.join(0.3)
        assert racer.is_alive(), "the second cannot know yet"
    racer.join(20)
    assert results == {"first": True, "second": False}
    assert ledger(settings) == [(1, 1)]


def test_when_the_first_of_two_racers_dies_the_second_wins(settings):
    class Crash(Exception):
        pass

    def crash():
        with connect(settings) as warehouse:
            promote(warehouse, 1, after_seq=0)
            raise Crash

    with pytest.raises(Crash):
        crash()
    with connect(settings) as warehouse:
        assert promote(warehouse, 2, after_seq=0)
    assert ledger(settings) == [(1, 2)]


@pytest.mark.parametrize("role", ["daybreak_run", "postgres"])
@pytest.mark.parametrize(
    "change",
    [
        "update ops.champions set why = 'another reason'",
        "update ops.champions set version = 9 where seq = 1",
        "delete from ops.champions",
        "truncate ops.champions",
    ],
)
def test_what_stands_in_the_ledger_cannot_be_changed(settings, role, change):
    with connect(settings) as warehouse:
        promote(warehouse, 1, after_seq=0)
    with pytest.raises(psycopg.errors.RaiseException, match="champions is append-only"), connect(settings, role) as one:
        one.execute(change)
    assert ledger(settings) == [(1, 1)]


def test_no_row_can_be_squeezed_in_at_the_front(settings):
    with pytest.raises(psycopg.errors.CheckViolation), connect(settings) as warehouse:
        promote(warehouse, 1, after_seq=-1)
