"""Make the run behind a command: its user, its moment and its id in `ops.runs`."""

from __future__ import annotations

import getpass
from datetime import datetime

from include.core.clock import now, parse_moment, refuse_future
from include.core.run import Run
from include.core.settings import Settings, load_settings


def new_run(command: str, as_of: str | datetime | None = None, settings: Settings | None = None, **form: object) -> Run:
    """Return a run of this command, with an id of its own, as of the moment; by default the last full hour.

    `form` holds the command's options; those that were not given are None.
    """
    typed = now()
    if as_of is None:
        as_of = typed.replace(minute=0, second=0, microsecond=0)
    moment = refuse_future(parse_moment(as_of) if isinstance(as_of, str) else as_of, typed)
    given = {name: value for name, value in form.items() if value is not None}
    reason = str(given.get("reason") or f"`daybreak {command}` was typed")
    run_id = f"cli/{command}/{typed.isoformat()}"
    return Run(settings or load_settings(), run_id, moment, getpass.getuser(), reason, kind="command", form=given)
