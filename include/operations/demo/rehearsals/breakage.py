"""What a rehearsal breaks at the demo's publisher and in the demo's services, and how each is mended.

Everything is broken in one transaction that also keeps what was there, so that `mend_publisher` works after a kill at
any moment, twice, and when nothing is broken.
"""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import LiteralString

import psutil
from psycopg import sql

from include.adapters.warehouse import Connection, connect
from include.core.errors import DaybreakError
from include.core.settings import Settings
from include.operations.demo.newsroom import tables
from include.operations.launcher import records
from include.operations.launcher.processes import send_signal

KEEP_ROWS: LiteralString = "create table newsroom.rehearsed_tracking (like newsroom.tracking)"
KEEP_STORY: LiteralString = "create table newsroom.rehearsed_stories (like newsroom.stories)"
FIRST_UNKNOWN = 900_000_000_000  # number of a customer beyond all that the newsroom gives out
LOGINS = ("daybreak_extract", "mlflow")


def break_readers(newsroom: Connection, rows: int, days: int) -> int:
    """Let rows of the newest days name readers that no one knows; return how many."""
    bound = {"rows": rows, "days": days, "first_unknown": FIRST_UNKNOWN}
    with newsroom.transaction():
        newsroom.execute(KEEP_ROWS)
        newsroom.execute((tables.HERE.parent / "rehearsals" / "take_rows.sql").read_text(), bound)
        newsroom.execute(
            "insert into newsroom.tracking select hit_no, customer_no + %(first_unknown)s, story_no, action, happened,"
            " logged, seconds, slot, place, list_ref, visit_no from newsroom.rehearsed_tracking",
            bound,
        )
    (broken,) = newsroom.execute("select count(*) from newsroom.rehearsed_tracking").fetchone() or (0,)
    return int(broken)


def dispute(newsroom: Connection, story_no: int, moment: datetime) -> str:
    """Mark a story as disputed, as an editor does; return its headline."""
    bound = {"story": story_no, "moment": moment}
    with newsroom.transaction():
        newsroom.execute(KEEP_STORY)
        newsroom.execute(
            "insert into newsroom.rehearsed_stories select * from newsroom.stories where story_no = %(story)s", bound
        )
        row = newsroom.execute(
            "update newsroom.stories set disputed = true, revised = %(moment)s where story_no = %(story)s"
            " returning headline",
            bound,
        ).fetchone()
    return str(row[0]) if row else ""


def lengthen(newsroom: Connection, times: int, days: int) -> int:
    """Multiply the words of the stories of the newest days, as if they were counted otherwise; return how many."""
    with newsroom.transaction():
        newsroom.execute(KEEP_STORY)
        newsroom.execute(
            "insert into newsroom.rehearsed_stories select * from newsroom.stories"
            " where live_from >= (select played_until from newsroom.state) - make_interval(days => %s)",
            [days],
        )
        changed = newsroom.execute(
            "update newsroom.stories s set words = s.words * %s"
            " from newsroom.rehearsed_stories kept where s.story_no = kept.story_no",
            [times],
        )
    return changed.rowcount


def hold_back_deliveries(newsroom: Connection) -> None:
    """Let the publisher vouch for an hour less than it has delivered."""
    newsroom.execute(
        "create or replace view source.deliveries as"
        " select played_until - interval '1 hour' as complete_until from newsroom.state"
    )


def mend_publisher(settings: Settings, newsroom: Connection) -> None:
    """Put back every row, story and view."""
    with newsroom.transaction():
        if _is_there(newsroom, "newsroom.rehearsed_tracking"):
            newsroom.execute(
                "delete from newsroom.tracking where customer_no > %s"
                " and hit_no in (select hit_no from newsroom.rehearsed_tracking)",
                [FIRST_UNKNOWN],
            )
            newsroom.execute("insert into newsroom.tracking select * from newsroom.rehearsed_tracking")
            newsroom.execute("drop table newsroom.rehearsed_tracking")
        if _is_there(newsroom, "newsroom.rehearsed_stories"):
            newsroom.execute(
                "update newsroom.stories s set disputed = kept.disputed, revised = kept.revised,"
                " words = kept.words"
                " from newsroom.rehearsed_stories kept where s.story_no = kept.story_no"
            )
            newsroom.execute("drop table newsroom.rehearsed_stories")
    (held_back,) = newsroom.execute(
        "select pg_get_viewdef('source.deliveries'::regclass) like '%interval%'"
    ).fetchone() or (False,)
    if held_back:
        tables.show(settings)


def _is_there(newsroom: Connection, table: str) -> bool:
    row = newsroom.execute("select to_regclass(%s) is not null", [table]).fetchone()
    return bool(row and row[0])


def shut_out(settings: Settings, role: str) -> None:
    """Refuse a role every new connection, and end those that it has."""
    with connect(settings, "postgres", "postgres", autocommit=True) as server:
        server.execute(sql.SQL("alter role {} nologin").format(sql.Identifier(role)))
        server.execute("select pg_terminate_backend(pid) from pg_stat_activity where usename = %s", [role])


def let_in(settings: Settings) -> None:
    """Let every role sign in again that a rehearsal may have shut out."""
    with connect(settings, "postgres", "postgres", autocommit=True) as server:
        for role in LOGINS:
            server.execute(sql.SQL("alter role {} login").format(sql.Identifier(role)))


def halt_mailbox(settings: Settings) -> None:
    """Halt the demo's mail server: it accepts connections and says nothing."""
    process = records.load(settings.home).get("mailbox", records.Record()).process
    if process is None:
        raise DaybreakError(
            "The demo's mail server does not run here.", hint="rehearse this where `make up` started it."
        )
    send_signal([process], signal.SIGSTOP)


def resume_mailbox(settings: Settings) -> None:
    """Let the demo's mail server go on."""
    process = records.load(settings.home).get("mailbox", records.Record()).process
    if process is not None:
        send_signal([process], signal.SIGCONT)


@contextmanager
def holding_live_lists(settings: Settings) -> Iterator[int]:
    """Hold the row that says which batch is live: whoever publishes comes to a halt between two writes.

    Yield the number of the session that holds it.
    """
    with connect(settings) as warehouse:
        warehouse.execute("select batch_id from recs.live for update")
        yield warehouse.info.backend_pid


def kill_waiting(settings: Settings, holder: int, pid: int) -> bool:
    """Kill (SIGKILL) a process if it waits for the holder of the lock; return whether it did."""
    with connect(settings) as warehouse:
        waiting = warehouse.execute(
            "select client_port from pg_stat_activity where %s = any(pg_blocking_pids(pid))", [holder]
        ).fetchall()
    try:
        process = psutil.Process(pid)
        ports = {(one.laddr.port,) for one in process.net_connections("tcp") if one.laddr}
        if ports.isdisjoint(waiting):
            return False
        process.kill()
    except psutil.Error:
        return False
    return True
