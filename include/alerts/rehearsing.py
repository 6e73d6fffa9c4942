"""The rehearsal that goes on: what it breaks is told as a rehearsal, and never as a page.

A rehearsal of the demo (`include/operations/demo/rehearsals`) writes down in the state folder what it will break before
it breaks it, and removes the file when all is mended. A failure of a cause that it brings about, of the thing that it
breaks, belongs to it, whatever run meets it, and is an incident apart from real ones; its own runs end no real one. The
mark of a rehearsal whose process was killed ends by itself: from then on what it left broken is told as what it is.
"""

from __future__ import annotations

import json
import logging
import os
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path

from include.alerts.wording import PAST, Trouble, title_of
from include.core.clock import compact
from include.core.settings import Settings

FILE = "rehearsal.json"
LONGEST = timedelta(minutes=30)  # that a mark counts after its process was last seen
RENEWED_EVERY = timedelta(minutes=1)
SUBJECT = "Rehearsal "
PREFIX = "rehearsal__"  # of the ids of runs that a rehearsal starts
REASON = "Rehearsal: "  # begins the reasons of its runs, and of those that follow from them
DRIFT = "DriftStays"

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Rehearsal:
    """A rehearsal that has begun; `causes` are those of failures and conditions, each with what it is about.

    `renewed_at` is when its process was last seen, `batch_id` names the lists that were live before it, and
    `challenger` the version that MLflow's alias named.
    """

    name: str
    title: str
    causes: tuple[tuple[str, str], ...]
    begun_at: datetime
    renewed_at: datetime
    batch_id: str | None
    challenger: int | None

    def covers(self, trouble: Trouble, moment: datetime) -> bool:
        """Return whether the rehearsal brings this trouble about."""
        about = trouble.subject.removesuffix(PAST)
        return (trouble.cause, about) in self.causes and moment - self.renewed_at < LONGEST

    @property
    def moves_windows(self) -> bool:
        """Return whether it breaks what the windows of `monitor` are measured on."""
        return any(cause == DRIFT for cause, _ in self.causes)

    def mark(self, trouble: Trouble) -> Trouble:
        """Return the trouble as one of this rehearsal, with a subject that no real incident has."""
        return replace(
            trouble,
            subject=f"{SUBJECT}{compact(self.begun_at)}: {trouble.subject}",
            title=title_of(f"Rehearsal: {trouble.title}"),
            is_live=False,
            rehearsal=self.title,
        )


def begin(settings: Settings, rehearsal: Rehearsal) -> None:
    """Write down what a rehearsal is about to break."""
    draft = _file(settings).with_suffix(".draft")
    with draft.open("w") as file:
        json.dump(asdict(rehearsal), file, default=datetime.isoformat)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(_file(settings))


def going_on(settings: Settings) -> Rehearsal | None:
    """Return the rehearsal that has begun and is not mended yet; none if its file cannot be read."""
    try:
        content = json.loads(_file(settings).read_text())
        moments = {name: datetime.fromisoformat(content[name]) for name in ("begun_at", "renewed_at")}
        return Rehearsal(**{**content, **moments, "causes": tuple(map(tuple, content["causes"]))})
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError) as error:
        log.warning("%s is no rehearsal of this release: %s: %s", _file(settings), type(error).__name__, error)
        return None


def renew(settings: Settings, moment: datetime) -> None:
    """Note that the process of the rehearsal still goes on."""
    rehearsal = going_on(settings)
    if rehearsal and moment - rehearsal.renewed_at >= RENEWED_EVERY:
        begin(settings, replace(rehearsal, renewed_at=moment))


def end(settings: Settings) -> None:
    """Forget the rehearsal."""
    _file(settings).unlink(missing_ok=True)


def mark(settings: Settings, trouble: Trouble, moment: datetime) -> Trouble:
    """Return the trouble, marked if a rehearsal that goes on brings it about."""
    rehearsal = going_on(settings)
    return rehearsal.mark(trouble) if rehearsal and rehearsal.covers(trouble, moment) else trouble


def moves_windows(settings: Settings, window_end: datetime) -> bool:
    """Return whether a rehearsal moves this window, so that no model may come of it."""
    rehearsal = going_on(settings)
    return bool(rehearsal and rehearsal.moves_windows and window_end - rehearsal.renewed_at < LONGEST)


def _file(settings: Settings) -> Path:
    return settings.home / FILE
