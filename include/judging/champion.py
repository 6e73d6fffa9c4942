"""The champion: an append-only ledger of promotions and rollbacks.

The ledger in PostgreSQL is the source of truth. A promotion names the row it was decided against, so one of two racing
runs is refused. MLflow's aliases are set after the ledger and repaired from it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from psycopg.rows import class_row

from include.adapters import mlflow_client, mlflow_registry
from include.adapters.warehouse import Connection, connect, query
from include.core.errors import NoChampion, ServiceError
from include.core.locks import LockKey
from include.core.run import Run
from include.core.settings import Settings


@dataclass(frozen=True)
class Champion:
    """A row of the ledger."""

    seq: int
    version: int
    from_version: int | None
    action: str
    why: str
    actor: str
    verdict_id: str | None
    run_id: str
    snapshot_id: str
    at: datetime


def find_champion(warehouse: Connection) -> Champion | None:
    """Return the newest row of the ledger, or None before the first promotion."""
    with warehouse.cursor(row_factory=class_row(Champion)) as cursor:
        return cursor.execute(query("judging/newest_champion")).fetchone()


def find_champion_as_of(warehouse: Connection, moment: datetime) -> Champion | None:
    """Return the champion in force at a moment, by the ledger; None before the first promotion."""
    with warehouse.cursor(row_factory=class_row(Champion)) as cursor:
        return cursor.execute(query("judging/champion_as_of"), [moment]).fetchone()


def find_champion_of(warehouse: Connection, run: Run) -> Champion | None:
    """Return the champion that a run makes or measures lists with: in a backfill the one of then, else today's."""
    return find_champion_as_of(warehouse, run.as_of) if run.kind == "backfill" else find_champion(warehouse)


def need_champion(warehouse: Connection) -> Champion:
    """Return the champion; raise `NoChampion` before the first promotion."""
    champion = find_champion(warehouse)
    if champion is None:
        raise NoChampion("No model has been promoted yet.", hint="run `retrain` and read its verdict.")
    return champion


def append(
    warehouse: Connection,
    *,
    after_seq: int,
    version: int,
    from_version: int | None,
    why: str,
    actor: str,
    run_id: str,
    snapshot_id: str,
    action: str = "promote",
    verdict_id: str | None = None,
) -> bool:
    """Append a row after `after_seq`; return False, with nothing written, if another row came first."""
    values: dict[str, Any] = dict(locals())
    del values["warehouse"]
    return warehouse.execute(query("judging/append_champion"), values).fetchone() is not None


def was_champion(warehouse: Connection, version: int) -> bool:
    """Return whether the version was ever champion."""
    return warehouse.execute(query("judging/was_champion"), [version]).fetchone() is not None


def find_fallbacks(warehouse: Connection) -> list[int]:
    """Return the versions to go back to, newest first: champion once, and never rolled back from."""
    return [version for (version,) in warehouse.execute(query("judging/fallbacks"))]


def follow(settings: Settings) -> str:
    """Set MLflow's aliases to match the ledger; return an empty text, or a sentence if MLflow does not answer.

    The ledger is valid in either case, and the next repair sets the aliases.
    """
    try:
        repair_aliases(settings)
    except ServiceError as error:
        return f"MLflow's aliases will be set later: {error.fact}"
    return ""


def repair_aliases(settings: Settings) -> None:
    """Set MLflow's aliases from the ledger: `champion`, and `previous` for the version to go back to.

    `challenger` names the newest version from its registration until it is promoted: neither a champion nor a version
    that was rolled back from is a challenger. A version that was deleted from the registry gets no alias; it stays in
    the ledger.
    """
    mlflow_client.need_server(settings)
    with connect(settings) as warehouse:
        warehouse.execute(query("judging/lock_aliases"), {"key": LockKey.ALIASES})
        champion = find_champion(warehouse)
        if champion is None:
            return
        fallbacks = find_fallbacks(warehouse)
        for alias, version in {"champion": champion.version, "previous": next(iter(fallbacks), None)}.items():
            if mlflow_registry.read_alias(settings, alias) == version:
                continue
            if version is None or not mlflow_registry.set_alias(settings, alias, version):
                mlflow_registry.drop_alias(settings, alias)
        challenger = mlflow_registry.read_alias(settings, "challenger")
        if challenger is not None and was_champion(warehouse, challenger):
            mlflow_registry.drop_alias(settings, "challenger")
