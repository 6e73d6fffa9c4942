"""The proof that all is as before: what readers see, the publisher has and Daybreak holds, compared."""

from __future__ import annotations

from dataclasses import dataclass
from typing import LiteralString

from include.adapters import mlflow_registry
from include.adapters.warehouse import Connection, connect, query
from include.alerts.incidents import open_incidents
from include.alerts.rehearsing import PREFIX
from include.core.clock import now
from include.core.settings import Settings
from include.operations.demo.rehearsals.breakage import LOGINS
from include.operations.launcher import probes

# The newsroom is not played meanwhile, so its rows stay as they are to the last one.
PUBLISHER: dict[str, LiteralString] = {
    "readers": "select count(*), coalesce(sum(hashtextextended(t::text, 0)), 0) from newsroom.customers t",
    "articles": "select count(*), coalesce(sum(hashtextextended(t::text, 0)), 0) from newsroom.stories t",
    "reading": "select count(*), coalesce(sum(hashtextextended(t::text, 0)), 0) from newsroom.tracking t",
    "deliveries": "select complete_until from source.deliveries",
}


@dataclass(frozen=True)
class Fact:
    """Something that a rehearsal must leave as it was; `made_by` says who made it, if not a rehearsal."""

    shown: str
    made_by: str = ""


UNKNOWN = Fact("unknown")  # while MLflow is silent


@dataclass(frozen=True)
class Compared:
    """A fact before and after; `why` says why a difference does not count."""

    name: str
    before: str
    after: str
    why: str = ""

    @property
    def counts(self) -> bool:
        """Return whether it is not as before, and time alone does not explain it."""
        return self.before != self.after and not self.why

    def tell(self) -> str:
        """Return the comparison in a line."""
        if self.before == self.after:
            return f"{self.name:<15} same   {self.after}"
        told = f"{self.name:<15} {'moved ' if self.why else 'OTHER '} {self.before} → {self.after}"
        return f"{told}: {self.why}" if self.why else told


def look(settings: Settings, newsroom: Connection) -> dict[str, Fact]:
    """Return every fact, as it is now."""
    facts: dict[str, Fact] = {}
    with connect(settings) as warehouse:
        champion = warehouse.execute(query("operations/champion_now")).fetchone()
        facts["champion"] = Fact(f"v{champion[0]}", champion[1]) if champion else Fact("none")
        lists = warehouse.execute(query("operations/lists_digest")).fetchone()
        facts["live lists"] = (
            Fact(f"{lists[0]}, {lists[1]:,} rows, digest {lists[2]}", lists[3]) if lists else Fact("none")
        )
        holds = warehouse.execute(query("judging/active_holds"), {"moment": now()}).fetchall()
        facts["holds"] = Fact(", ".join(f"{kind} by {actor}" for kind, _, _, _, actor, _ in holds) or "none")
        incidents = [f"#{one.incident_id}" for one in open_incidents(warehouse)]
        facts["open incidents"] = Fact(", ".join(sorted(incidents)) or "none")
        (waiting,) = warehouse.execute(query("operations/rows_waiting")).fetchone() or (0,)
        late = warehouse.execute(query("operations/late_rows")).fetchone()
        facts["late rows"] = Fact(late[0], late[1] or "") if late else Fact("none")
        windows = warehouse.execute(query("operations/windows")).fetchone() or (0, 0, "")
        facts["windows"] = Fact(f"{windows[0]:,} measured, digest {windows[1]}", windows[2] or "")
        facts["quarantine"] = Fact(f"{waiting:,} rows wait")
    for name, statement in PUBLISHER.items():
        found = newsroom.execute(statement).fetchone() or ()
        facts[name] = Fact(f"{found[0]:,} rows, digest {found[1]}" if len(found) > 1 else f"until {found[0]:%H:%M}")
    with connect(settings, "postgres", "postgres") as server:
        rows = server.execute("select rolname from pg_roles where rolname = any(%s) and not rolcanlogin", [[*LOGINS]])
        facts["shut out"] = Fact(", ".join(name for (name,) in rows) or "none")
    for name, probe in {"mail server": probes.mailbox, "MLflow": probes.mlflow}.items():
        facts[name] = Fact("answers" if probe(settings, now()) else "silent")
    if facts["MLflow"].shown == "answers":
        facts["challenger"] = _find_challenger(settings)
    return facts


def _find_challenger(settings: Settings) -> Fact:
    """Return the version that MLflow's alias names, and the run that trained it."""
    version = mlflow_registry.read_alias(settings, "challenger")
    with connect(settings) as warehouse:
        row = warehouse.execute(query("operations/trained_by"), [version]).fetchone()
    return Fact(f"v{version}" if version else "none", row[0] if row else "")


def compare(before: dict[str, Fact], after: dict[str, Fact]) -> list[Compared]:
    """Return every fact before and after, with the reason why a difference does not count."""
    return [
        Compared(name, fact.shown, after.get(name, UNKNOWN).shown, _why(name, fact, after.get(name, UNKNOWN)))
        for name, fact in before.items()
    ]


def _why(name: str, before: Fact, after: Fact) -> str:
    if name == "open incidents" and _ids(after) < _ids(before):
        return "ended meanwhile; none is left that the rehearsal opened"
    is_made = after.made_by not in ("", before.made_by) and not _is_rehearsed(after)
    if name in ("live lists", "late rows", "windows", "champion", "challenger") and is_made:
        return f"made meanwhile by {after.made_by}, which no rehearsal started"
    return ""


def _ids(fact: Fact) -> set[str]:
    return set(fact.shown.split(", ")) - {"none"}


def _is_rehearsed(fact: Fact) -> bool:
    return f"/{PREFIX}" in fact.made_by
