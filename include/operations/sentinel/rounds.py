"""The sentinel's rounds: look at both databases, let incidents open and close, and remember since when it has looked.

What was told is in the warehouse, or in the state folder while the warehouse is away, so that a restart of the sentinel
mails nothing twice.
"""

from __future__ import annotations

import traceback
from collections.abc import Iterator
from datetime import datetime, timedelta

from include.adapters.warehouse import Connection
from include.alerts import waiting_room
from include.alerts.conditions import Condition
from include.alerts.guides import OUTSIDE, SENTINEL
from include.alerts.incidents import Success, open_incidents
from include.alerts.outbox import Channels
from include.alerts.reporting import report, report_success, review
from include.alerts.wording import Failure, LiveLists
from include.core.clock import FORMAT
from include.core.errors import DaybreakError, ServiceError
from include.core.settings import Settings
from include.operations.backfill_report import report_ended
from include.operations.launcher.files import say
from include.operations.sentinel.signs import COMPONENTS_SILENT, SCHEDULER, Watch, judge, read_signs

BLIND_AFTER = timedelta(minutes=5)  # the launcher restarts PostgreSQL within seconds
MAIL_TAKES = timedelta(minutes=1)  # at most, in a process that is sending it now
STANDSTILL = timedelta(minutes=5)  # after a longer pause between two rounds the machine had slept


class Sentinel:
    """What is remembered from round to round: since when it looks, since when Airflow works, since when it is blind."""

    def __init__(self, moment: datetime) -> None:
        self.begun_at = self.working_since = self.looked_at = moment
        self.blind_since: datetime | None = None
        self.has_told = False

    def look(self, settings: Settings, channels: Channels, moment: datetime) -> None:
        """Make one round. If it cannot look for a while, most likely because a database is away, it says so once."""
        if moment - self.looked_at > STANDSTILL:
            self._begin(moment)
            self.blind_since = None
        self.looked_at = moment
        self._report_backfills(settings, moment)
        try:
            self._review(settings, channels, moment)
            report_success(settings, Success(SENTINEL, "", None, is_past=False), channels)
            self.blind_since, self.has_told = None, False
        except Exception as error:  # whatever it is, on-call must know that no one looks
            self._tell_blindness(settings, channels, error, moment)

    def _report_backfills(self, settings: Settings, moment: datetime) -> None:
        """Report backfills that have ended. What cannot be reported now is tried again in the next round."""
        try:
            report_ended(settings, moment)
        except ServiceError:
            return  # a database is away, and the review says so
        except Exception as error:  # a report is worth less than the review
            _say(error)

    def _tell_blindness(self, settings: Settings, channels: Channels, error: Exception, moment: datetime) -> None:
        _say(error)
        self._begin(moment)
        since = self.blind_since = self.blind_since or moment
        if moment - since < BLIND_AFTER:
            return
        if self.has_told:
            waiting_room.deliver(settings, channels, kept_before=moment - MAIL_TAKES)
        else:
            report(settings, _describe(error, since), channels)
            self.has_told = True

    def _begin(self, moment: datetime) -> None:
        """Look anew, so that what stood still with the machine or with the databases has its turn first."""
        self.begun_at = self.working_since = moment

    def _review(self, settings: Settings, channels: Channels, moment: datetime) -> None:
        signs = read_signs(settings, moment)
        watch = Watch(self.begun_at, self.working_since)

        def find(_: Settings, warehouse: Connection, lists: LiveLists | None, __: datetime) -> Iterator[Condition]:
            yield from judge(signs, lists, open_incidents(warehouse), watch, moment)

        is_silent = signs.is_silent(SCHEDULER, moment)
        review(settings, channels, find, (COMPONENTS_SILENT,) if is_silent else OUTSIDE)
        if is_silent:
            self.working_since = moment


def _say(error: Exception) -> None:
    if isinstance(error, DaybreakError):
        say(str(error))
    else:
        traceback.print_exception(error)


def _describe(error: Exception, since: datetime) -> Failure:
    fact = getattr(error, "fact", "") or f"{type(error).__name__}: {error}"
    return Failure(
        dag_id=SENTINEL,
        run_id=since.isoformat(),
        run_type="scheduled",
        kind=type(error).__name__,
        fact=f"{fact.rstrip('.')}. This has lasted since {since.strftime(FORMAT)}.",
        hint=getattr(error, "hint", ""),
        about=getattr(error, "about", ""),
    )
