"""The pool that heavy tasks share, so that retrain, recommend, tune and monitor together stay within the machine.

Training, judging and searching take two slots, scoring and watching one, so of three slots one training at most and
the lists' hourly run find room beside each other. DAGs read the name from here when they are parsed.
"""

from __future__ import annotations

from include.core.settings import Settings

HEAVY = "heavy"
SLOTS = 3
TRAINING_SLOTS = 2
DESCRIPTION = "Daybreak: training takes two slots, scoring and monitoring one; with fewer than two, no training starts."


def find_slots(settings: Settings) -> int | None:
    """Return the pool's slots in Airflow; None without the pool."""
    from include.adapters import warehouse

    with warehouse.connect(settings, "airflow") as database:
        found = database.execute("select slots from slot_pool where pool = %s", [HEAVY]).fetchone()
    return found[0] if found else None


def create(settings: Settings) -> None:
    """Create the pool if it is missing; leave the slots that a person gave it in Airflow."""
    from include.adapters import warehouse

    with warehouse.connect(settings, "airflow") as database:
        database.execute(
            "insert into slot_pool (pool, slots, description, include_deferred) values (%s, %s, %s, false) "
            "on conflict (pool) do nothing",
            [HEAVY, SLOTS, DESCRIPTION],
        )
