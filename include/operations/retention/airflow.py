"""The stage `clean_airflow`: rows of Airflow's own database that are old, by `airflow db clean`.

Airflow's command looks at a row's age alone. A run that was cleared today has tasks from long ago, so nothing goes that
is as young as the oldest row that an unfinished run needs.
"""

from __future__ import annotations

import re
import subprocess
import sys
from datetime import datetime, timedelta

from include.adapters.warehouse import connect, query
from include.core.clock import compact
from include.core.errors import ServiceError
from include.core.references import Reference
from include.core.run import Run
from include.core.settings import Settings
from include.data.store import digest_of
from include.operations.launcher import environment
from include.pipeline.run import recorded

# What grows with every run. Not `dag` and `import_error`: they describe the present, however old they are.
TABLES = (
    *("dag_run", "task_instance", "task_instance_history", "task_reschedule", "xcom", "trigger", "job", "log"),
    *("asset_event", "callback", "deadline", "dag_version", "revoked_token"),
)
BATCH_ROWS = 10_000
LONGEST = timedelta(minutes=45)  # within the time limit of the task; what was removed by then stays removed
FOUND = re.compile(r"Checking table (\w+)\nFound (\d+) rows")


@recorded
def clean_airflow(run: Run, dry_run: bool = False) -> Reference:
    """Remove (or only count) the rows that are older than `keep_airflow_days` and that no unfinished run needs."""
    before = _find_end(run.settings, run.as_of - timedelta(days=run.settings.keep_airflow_days))
    told = _run(run.settings, before, dry_run)
    rows = {table: int(count) for table, count in FOUND.findall(told) if int(count)}
    counted = ", ".join(f"{table} {count:,}" for table, count in sorted(rows.items())) or "nothing"
    verb = "would remove" if dry_run else "removed"
    facts = {
        "rows": rows,
        "sentence": f"Of Airflow's rows from before {before:%Y-%m-%d %H:%M} UTC it {verb} {counted}.",
    }
    return Reference("clean_airflow", compact(run.as_of), "", run.as_of, digest_of(facts), (), facts)


def _find_end(settings: Settings, before: datetime) -> datetime:
    with connect(settings, "airflow") as database:
        (oldest,) = database.execute(query("operations/retention/oldest_open")).fetchone() or (None,)
    return before if oldest is None else min(before, oldest)


def _run(settings: Settings, before: datetime, dry_run: bool) -> str:
    """Return what Airflow's command printed."""
    command = [
        *(sys.executable, "-m", "airflow", "db", "clean", "--yes", "--skip-archive", "--error-on-cleanup-failure"),
        *("--clean-before-timestamp", before.isoformat(), "--batch-size", str(BATCH_ROWS)),
        *("--tables", ",".join(TABLES)),
        *(["--dry-run"] if dry_run else []),
    ]
    variables = environment.of_airflow(settings, "scheduler")  # with its mark, so that it ends with the scheduler
    try:
        done = subprocess.run(
            command,
            env=variables,
            check=False,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=LONGEST.total_seconds(),
        )
    except subprocess.TimeoutExpired:
        raise ServiceError(
            f"`airflow db clean` was not done after {LONGEST.seconds // 60} minutes.",
            hint="what it removed stays removed, and the next run continues.",
        ) from None
    if done.returncode:
        raise ServiceError(
            f"`airflow db clean` ended with code {done.returncode}: {_last_line(done.stdout)}.",
            hint="clear the task to try again; it goes on where it stopped.",
        )
    return done.stdout


def _last_line(told: str) -> str:
    lines = [line.strip() for line in told.splitlines() if line.strip()]
    return lines[-1][:300].rstrip(".") if lines else "it printed nothing"
