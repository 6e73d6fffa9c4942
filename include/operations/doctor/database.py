"""Questions about PostgreSQL itself: whether roles can sign in, migrations are applied, rights and clocks agree."""

from __future__ import annotations

from datetime import datetime

from include.adapters.warehouse import MIGRATIONS, ROLES, WAREHOUSE, connect, query
from include.core.clock import now
from include.core.errors import ServiceError
from include.core.settings import Settings
from include.operations.doctor import State

MOST_NAMED = 5
MOST_SKEW_SECONDS = 5.0
HOME = {"airflow": "airflow", "mlflow": "mlflow", "feast": "feast"}  # roles with a database of their own

Answer = tuple[State, str, str]


def let_in(settings: Settings, moment: datetime) -> Answer:
    """Check that every role can sign in to its database."""
    refused = []
    for role in ROLES:
        try:
            with connect(settings, role, HOME.get(role, WAREHOUSE)):
                pass
        except ServiceError as error:
            refused.append(error.fact)
    where = f"{settings.postgres_host}:{settings.postgres_port}"
    if not refused:
        return "fine", f"{len(ROLES)} roles at {where}", ""
    fix = "start it (`make up`), or restore the daybreak.env that belongs to it; `bin/daybreak migrate` creates roles."
    return "FIX", f"{len(refused)} of {len(ROLES)} roles cannot sign in: {refused[0]}", fix


def up_to_date(settings: Settings, moment: datetime) -> Answer:
    """Check that every migration is applied."""
    with connect(settings, "postgres") as warehouse:
        done = {name for (name,) in warehouse.execute(query("operations/doctor/migrations"))}
    missing = sorted(file.stem for file in MIGRATIONS.glob("*.sql") if file.stem not in done)
    if missing:
        return "FIX", f"{len(missing)} migration(s) missing: {', '.join(missing)}", "run `bin/daybreak migrate`."
    return "fine", f"{len(done)} migrations", ""


def rights(settings: Settings, moment: datetime) -> Answer:
    """Check that the extract's role can read the views and do nothing else."""
    with connect(settings, "postgres") as warehouse:
        wrong = [sentence for (sentence,) in warehouse.execute(query("operations/doctor/rights"))]
    if not wrong:
        return "fine", "daybreak_extract reads schema source and nothing else", ""
    told = "; ".join(wrong[:MOST_NAMED]) + (f"; and {len(wrong) - MOST_NAMED} more" if len(wrong) > MOST_NAMED else "")
    fix = "as the owner, grant select on the views it cannot read, and revoke everything else (`bin/daybreak psql`)."
    return "FIX", f"daybreak_extract {told}", fix


def clocks(settings: Settings, moment: datetime) -> Answer:
    """Check that the clocks of the database and this machine agree."""
    with connect(settings) as warehouse:
        before = now()
        row = warehouse.execute(query("operations/doctor/clock")).fetchone()
        middle = before + (now() - before) / 2
    skew = abs((row[0] - middle).total_seconds()) if row else float("nan")
    if skew <= MOST_SKEW_SECONDS:
        return "fine", f"{skew:.1f} s apart", ""
    return "FIX", f"the database's clock is {skew:,.0f} s off this machine's", "synchronise both by NTP."
