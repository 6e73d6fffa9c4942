"""The first days of a publisher: say that there is too little reading for a stage, and when there will be enough."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta

from include.adapters import duck
from include.adapters.warehouse import connect, query
from include.core.errors import SourceError, TooEarly
from include.core.settings import Settings
from include.data.snapshot import Snapshot, open_snapshot_tables
from include.judging import champion as champions
from include.models.training import training_end


@contextmanager
def before_the_first_reading(settings: Settings) -> Iterator[None]:
    """Raise `TooEarly` for a window without rows if nothing was ever read from this publisher."""
    try:
        yield
    except SourceError as error:
        if not error.is_empty:
            raise
        with connect(settings) as warehouse:
            if warehouse.execute(query("pipeline/any_snapshot")).fetchone():
                raise
        raise TooEarly(
            f"Nothing has been read from this publisher yet. {error.fact}",
            hint="each run looks again; if there should be rows, `bin/daybreak doctor` checks the views.",
        ) from error


def need_examples(settings: Settings, clean: Snapshot) -> None:
    """Raise `TooEarly` if no model was promoted yet and all reading is too late to learn from."""
    with connect(settings) as warehouse:
        if champions.find_champion(warehouse):
            return
    with open_snapshot_tables(settings, clean) as connection:
        (row,) = duck.fetch(connection, duck.query("pipeline/first_reading")).to_pylist()
    first: datetime = row["first"]
    if first < training_end(settings, clean.as_of):
        return
    hours = settings.holdout_hours + settings.list_step_hours
    raise TooEarly(
        f"Reading begins at {first:%Y-%m-%d %H:%M} UTC, and a training as of {clean.as_of:%Y-%m-%d %H:%M} UTC needs "
        f"reading from more than {hours} h before: {settings.holdout_hours} h are held out for judging.",
        hint=f"from {first + timedelta(hours=hours):%Y-%m-%d %H:%M} UTC on `retrain` trains a model; until one is "
        "promoted, a baseline makes the lists.",
    )
