"""Probes of the two databases: sign-in of the roles, migrations, rights and clocks."""

from __future__ import annotations

from datetime import datetime

from include.adapters.warehouse import MIGRATIONS, ROLES, connect, parameters, place, query, source_query
from include.core.clock import now
from include.core.errors import ServiceError
from include.core.numbers import write_count
from include.core.settings import Settings
from include.operations.doctor import State

SOURCE = "daybreak_extract"
MOST_NAMED = 5
MOST_SKEW_SECONDS = 5.0

Answer = tuple[State, str, str]


def let_in(settings: Settings, moment: datetime) -> Answer:
    """Check that every role of Daybreak's own PostgreSQL can sign in to its database."""
    refused, roles = [], [role for role in ROLES if role != SOURCE]
    for role in roles:
        try:
            with connect(settings, role):
                pass
        except ServiceError as error:
            refused.append(error.fact)
    where = f"{settings.postgres_host}:{settings.postgres_port}"
    if not refused:
        return "fine", f"{len(roles)} roles at {where}; the warehouse is {place(settings, 'daybreak_run')}", ""
    fix = "start it (`make up`), or restore the daybreak.env that belongs to it; `bin/daybreak migrate` creates roles."
    return "FIX", f"{len(refused)} of {len(roles)} roles cannot sign in: {refused[0]}", fix


def source_answers(settings: Settings, moment: datetime) -> Answer:
    """Check that the publisher's database can be reached."""
    with connect(settings, SOURCE) as source:
        row = source.execute("select current_user, current_setting('server_version')").fetchone()
    user, version = row or ("", "")
    return "fine", f"{place(settings, SOURCE)} as {user}, PostgreSQL {version}", ""


def up_to_date(settings: Settings, moment: datetime) -> Answer:
    """Check that every migration is applied."""
    with connect(settings, "postgres") as warehouse:
        done = {name for (name,) in warehouse.execute(query("operations/doctor/migrations"))}
    missing = sorted(file.stem for file in MIGRATIONS.glob("*.sql") if file.stem not in done)
    if missing:
        return (
            "FIX",
            f"{write_count(len(missing), 'migration')} missing: {', '.join(missing)}",
            "run `bin/daybreak migrate`.",
        )
    return "fine", f"{len(done)} migrations", ""


def rights(settings: Settings, moment: datetime) -> Answer:
    """Check that the extract's role can read the views and do nothing else."""
    user = parameters(settings, SOURCE).get("user", SOURCE)
    with connect(settings, SOURCE) as source:
        wrong = [sentence for (sentence,) in source.execute(source_query(settings, "operations/doctor/rights"))]
    if not wrong:
        return "fine", f"{user} reads the views in schema {settings.source_schema} and nothing else", ""
    told = "; ".join(wrong[:MOST_NAMED]) + (f"; and {len(wrong) - MOST_NAMED} more" if len(wrong) > MOST_NAMED else "")
    fix = "as the owner, grant select on the views it cannot read, and revoke everything else."
    return "FIX", f"{user} {told}", fix


def clocks(settings: Settings, moment: datetime) -> Answer:
    """Check that the clocks of both databases and this machine agree."""
    skews = {}
    for name, role in (("warehouse", "daybreak_run"), ("publisher's database", SOURCE)):
        with connect(settings, role) as database:
            before = now()
            row = database.execute(query("operations/doctor/clock")).fetchone()
            middle = before + (now() - before) / 2
        skews[name] = abs((row[0] - middle).total_seconds()) if row else float("nan")
    name, skew = max(skews.items(), key=lambda one: one[1])
    if skew <= MOST_SKEW_SECONDS:
        return "fine", f"{skew:.1f} s apart", ""
    return "FIX", f"the clocks of the {name} and this machine differ by {skew:,.0f} s", "synchronise both with NTP."
