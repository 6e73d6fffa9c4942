"""The doctor looks at the pool of heavy tasks, on a real Airflow database."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from include.adapters.warehouse import connect
from include.operations.doctor import services


@pytest.mark.parametrize(
    ("slots", "state", "said"),
    [
        (None, "FIX", "Airflow has no pool heavy, so heavy tasks wait"),
        (1, "FIX", "1 slot in heavy; a training takes 2 and never starts"),
        (2, "note", "2 slots in heavy: lists wait while a model is trained"),
        (3, "fine", "3 slots in heavy"),
        (-1, "fine", "no limit in heavy"),
    ],
)
def test_a_pool_without_room_for_a_training_is_named(airflow, slots, state, said):
    with connect(airflow, "airflow") as database:
        database.execute("delete from slot_pool where pool = 'heavy'")
        if slots is not None:
            database.execute(
                "insert into slot_pool (pool, slots, include_deferred) values ('heavy', %s, false)", [slots]
            )
    assert services.pool(airflow, datetime.now(UTC))[:2] == (state, said)
