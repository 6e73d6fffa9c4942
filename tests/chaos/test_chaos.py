"""The short form of `make chaos`: tasks without MLflow, disturbed at fixed steps."""

from __future__ import annotations

import pyarrow.parquet as pq
import pytest

from include.adapters.warehouse import connect
from include.core.references import Reference
from include.data.store import write_json
from include.lists.batch import set_status
from tests.chaos.fingerprint import compare
from tests.chaos.rounds import Rounds, Usual
from tests.chaos.world import living_world
from tests.worlds import batches

BATCH = "20250309T000000Z_v1_chaos"


@pytest.fixture(scope="module")
def rounds(tmp_path_factory):
    """Rounds of tasks whose undisturbed course is known."""
    with living_world(tmp_path_factory.mktemp("chaos"), ("mail",)) as world:
        rounds = Rounds(world, "5", preloaded=["tests.chaos.attempt"])
        rounds.run_undisturbed("recommend_extract")
        rounds.usual["score"] = known(made_lists(world))
        rounds.run_undisturbed("write_batch")
        with connect(world.settings) as warehouse:
            set_status(warehouse, BATCH, "audited")
        rounds.usual["audit"] = rounds.usual["write_batch"]
        for task in ("publish", "report", "recover"):
            rounds.run_undisturbed(task)
        yield rounds


def made_lists(world):
    """The reference of lists as `score` leaves them."""
    folder = world.home / "lists" / BATCH
    write_json(folder / "batch.json", batches.about(BATCH) | {"readers": batches.READERS})
    pq.write_table(batches.lists(), folder / "lists.parquet")
    facts = {"features": "", "sentence": "Lists by v1."}
    return Reference("lists", BATCH, str(folder), batches.AS_OF, "chaos", (), facts)


def known(reference):
    return Usual(reference.to_dict(), {}, 0, {})


@pytest.mark.parametrize("number", [1, 2, 4])
@pytest.mark.parametrize("task", ["recommend_extract", "write_batch", "publish", "report", "recover"])
def test_a_task_that_is_disturbed_and_tried_again_ends_as_one_that_was_not(rounds, task, number):
    played = rounds.play(task, number)
    assert not played.differences, "\n".join([played.what, *played.differences])


def test_a_difference_is_told_by_name():
    expected = {"table recs.live": ["new"], "mails": ["one"], "files": {"a": 1}}
    found = {"table recs.live": ["old"], "mails": ["one", "two"], "tmp": []}
    assert compare(expected, found) == [
        "files: missing",
        "mails: 0 gone, 1 new: ['two']",
        "table recs.live: new → old",
        "tmp: not expected",
    ]
