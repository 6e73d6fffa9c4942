"""The supervisor, the guardian, a real PostgreSQL and the real mailbox: up, killed, healed, down.

Airflow and MLflow are kept by the same code and left out here for the sake of seconds.
"""

from __future__ import annotations

import os
import random
import signal
import smtplib
import socket
import subprocess
import threading
import time
from contextlib import contextmanager, suppress

import psutil
import psycopg
import pytest

from include.adapters import warehouse
from include.core.errors import ServiceError
from include.core.settings import load_settings
from include.operations.launcher import environment, files, locks, look, ports, preflight, probes
from include.operations.launcher.down import down
from include.operations.launcher.processes import marked
from include.operations.launcher.records import load
from include.operations.launcher.supervisor import spawn
from include.operations.launcher.up import code_digest, start, up

ONLY = ("postgres", "mailbox")
ALL = ("supervisor", "guardian", *ONLY)
HEAL_SECONDS = 30


def quiet(sentence):
    """Progress that nobody reads."""


def wish_for_rare_ports(home):
    """Ports that nobody else on this machine is about to take, so that a test can ask whether they are free again."""
    home.mkdir(mode=0o700)
    first = random.randrange(20_000, 32_000)
    lines = [f"{ports.variable(field)}={first + 10 * number}\n" for number, field in enumerate(ports.FIELDS)]
    (home / files.ENV_FILE).write_text("".join(lines))


@contextmanager
def a_home(folder):
    """A state folder that the environment points to, with everything stopped in the end."""
    with pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if name.startswith("DAYBREAK_")]:
            patch.delenv(name)
        patch.setenv("DAYBREAK_HOME", str(folder))
        wish_for_rare_ports(folder)
        try:
            yield folder
        finally:
            down(load_settings(), quiet)


@pytest.fixture
def home(tmp_path):
    with a_home(tmp_path / "state") as folder:
        yield folder


@pytest.fixture
def running(home):
    """A running product of its own, for a test that breaks it for good."""
    return up(load_settings(), quiet, only=ONLY)


@pytest.fixture(scope="module")
def lasting(tmp_path_factory):
    """One running product for all tests after which everything runs as before."""
    with a_home(tmp_path_factory.mktemp("lasting") / "state"):
        yield up(load_settings(), quiet, only=ONLY)


@pytest.fixture
def shared(lasting, monkeypatch):
    monkeypatch.setenv("DAYBREAK_HOME", str(lasting.home))
    eventually(lambda: everything_runs(lasting))  # what a test before healed may not answer at once
    return lasting


def pids(settings):
    return {name: record.pid for name, record in load(settings.home).items()}


def everything_runs(settings):
    return look.states(settings) == dict.fromkeys(ALL, "running")


def eventually(condition, seconds=HEAL_SECONDS):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, f"not within {seconds} s"
        time.sleep(0.1)


def postgres_processes(settings):
    folder = str(settings.home / "postgres" / "data")
    found = []
    for process in psutil.process_iter():
        with suppress(psutil.Error):
            if process.name() == "postgres" and process.status() != "zombie" and process.cwd() == folder:
                found.append(process.pid)
    return found


def assert_nothing_is_left(settings):
    assert marked(settings.home) == []
    assert postgres_processes(settings) == []
    assert [field for field in ports.FIELDS if not ports.is_free(getattr(settings, field))] == []
    left = {files.LOCK, files.GUARDIAN_LOCK, files.WANTED, files.SERVICES}
    assert left & {path.name for path in settings.home.iterdir()} == set()
    assert not (settings.home / "postgres" / "data" / "postmaster.pid").exists()


def test_up_brings_a_migrated_warehouse_and_a_second_up_changes_nothing(shared):
    assert everything_runs(shared)
    before, said = load(shared.home), []
    with warehouse.connect(shared) as connection:
        assert connection.execute("select count(*) from recs.batches").fetchone() == (0,)
    assert up(load_settings(), said.append, only=ONLY) == shared
    assert said == ["already running"]
    assert load(shared.home) == before


def test_everything_listens_on_loopback_only(shared):
    addresses = set()
    for pid in pids(shared).values():
        for connection in psutil.Process(pid).net_connections("inet"):
            if connection.status == psutil.CONN_LISTEN:
                addresses.add(connection.laddr.ip)
    assert addresses == {"127.0.0.1"}


def test_secrets_are_readable_by_their_owner_only(shared):
    assert (shared.home.stat().st_mode & 0o077) == 0
    for name in (files.ENV_FILE, files.SERVICES):
        assert ((shared.home / name).stat().st_mode & 0o077) == 0


@pytest.mark.parametrize("name", ALL)
def test_a_killed_process_is_replaced_and_the_others_stay(shared, name):
    before = pids(shared)
    os.kill(before[name], signal.SIGKILL)
    eventually(lambda: pids(shared)[name] not in (0, before[name]) and everything_runs(shared))
    after = pids(shared)
    assert {other: after[other] for other in ALL if other != name} == {
        other: before[other] for other in ALL if other != name
    }
    assert probes.postgres(shared, None)
    assert probes.mailbox(shared, None)


def test_what_was_committed_survives_a_killed_postmaster(shared):
    with warehouse.connect(shared) as connection:
        connection.execute("insert into ops.audit (actor, action, detail) values ('test', 'kept', '{}')")
    before = pids(shared)["postgres"]
    os.kill(before, signal.SIGKILL)
    eventually(lambda: pids(shared)["postgres"] not in (0, before) and everything_runs(shared))
    with warehouse.connect(shared) as connection:
        assert connection.execute("select action from ops.audit").fetchall() == [("kept",)]


def test_a_long_query_does_not_keep_a_killed_postmaster_from_coming_back(shared):
    workers = []

    def ask():
        with suppress(psycopg.OperationalError, ServiceError), warehouse.connect(shared, autocommit=True) as connection:
            workers.append(connection.info.backend_pid)
            connection.execute("select count(*) from generate_series(1, 100000000000)")

    asking = threading.Thread(target=ask)
    asking.start()
    eventually(lambda: workers)
    time.sleep(0.3)
    before = pids(shared)["postgres"]
    os.kill(before, signal.SIGKILL)
    eventually(lambda: pids(shared)["postgres"] not in (0, before) and everything_runs(shared))
    asking.join(10)
    assert workers[0] not in postgres_processes(shared)


def test_up_adopts_what_lives_when_supervisor_and_guardian_are_both_gone(running):
    before = pids(running)
    for name in ("guardian", "supervisor"):
        os.kill(before[name], signal.SIGSTOP)  # so that neither can bring back the other
    for name in ("guardian", "supervisor"):
        os.kill(before[name], signal.SIGKILL)
    eventually(lambda: look.states(running)["supervisor"] == "stopped")
    assert up(load_settings(), quiet, only=ONLY) == running
    after = pids(running)
    assert {name: after[name] for name in ONLY} == {name: before[name] for name in ONLY}


def test_up_restarts_what_runs_other_code(running):
    before, said = pids(running), []
    (running.home / files.WANTED).write_text("the code of an earlier release")
    up(load_settings(), said.append, only=ONLY)
    assert said[0] == "restarting: the code has changed since the services started"
    after = pids(running)
    assert [name for name in ALL if after[name] == before[name]] == []
    assert everything_runs(running)


def test_down_leaves_nothing_and_is_fine_twice(running):
    said = []
    down(running, said.append)
    assert_nothing_is_left(running)
    assert {"postgres stopped", "mailbox stopped", "everything is stopped"} <= set(said)
    down(running, said.append)
    assert said[-1] == "nothing was running"


def test_down_needs_no_supervisor(running):
    before = pids(running)
    for name in ("guardian", "supervisor"):
        os.kill(before[name], signal.SIGSTOP)
    for name in ("guardian", "supervisor"):
        os.kill(before[name], signal.SIGKILL)
    down(running, quiet)
    assert_nothing_is_left(running)


def test_down_needs_no_records(running):
    before = pids(running)
    for name in ("guardian", "supervisor"):
        os.kill(before[name], signal.SIGSTOP)
    for name in ("guardian", "supervisor"):
        os.kill(before[name], signal.SIGKILL)
    (running.home / files.SERVICES).unlink()
    down(running, quiet)
    assert_nothing_is_left(running)


def test_a_stale_pid_file_that_names_a_living_stranger_is_no_obstacle(running):
    down(running, quiet)
    data = running.home / "postgres" / "data"
    with subprocess.Popen(["sleep", "60"]) as stranger:
        (data / "postmaster.pid").write_text(f"{stranger.pid}\n{data}\n1700000000\n5432\n\n127.0.0.1\n")
        try:
            assert everything_runs(up(load_settings(), quiet, only=ONLY))
        finally:
            stranger.kill()


def test_down_in_the_middle_of_starting_leaves_nothing(home):
    settings = load_settings()
    start(settings, ONLY, code_digest())
    time.sleep(0.3)
    down(load_settings(), quiet)
    assert_nothing_is_left(load_settings())
    assert everything_runs(up(load_settings(), quiet, only=ONLY))


def test_a_mail_arrives(shared):
    with smtplib.SMTP(shared.smtp_host, shared.smtp_port, timeout=10) as server:
        server.sendmail("a@localhost", ["b@localhost"], "Subject: hello\r\n\r\nthere\r\n")
    body = probes.get(f"http://127.0.0.1:{shared.mailbox_port}/api/mails")
    assert b'"subject":"hello"' in body
    assert [path.suffix for path in (shared.home / "mail").iterdir()] == [".eml"]


def test_two_state_folders_run_side_by_side(shared, tmp_path, monkeypatch):
    monkeypatch.setenv("DAYBREAK_HOME", str(tmp_path / "other"))
    try:
        other = up(load_settings(), quiet, only=ONLY)
        assert {shared.postgres_port, shared.smtp_port, shared.mailbox_port}.isdisjoint(
            {other.postgres_port, other.smtp_port, other.mailbox_port}
        )
        assert everything_runs(other)
    finally:
        down(load_settings(), quiet)
        monkeypatch.setenv("DAYBREAK_HOME", str(shared.home))
    assert everything_runs(shared)


def test_a_port_lost_between_choosing_and_binding_is_chosen_again(home):
    preflight.check(load_settings())
    chosen = environment.complete(load_settings())
    with socket.socket() as thief, socket.socket() as other_thief:
        for sock, port in ((thief, chosen.postgres_port), (other_thief, chosen.smtp_port)):
            sock.bind(("127.0.0.1", port))
            sock.listen()
        lock = locks.take(home / files.LOCK)
        (home / files.WANTED).touch()
        spawn(chosen, "supervisor", lock, ONLY)
        lock.release()
        eventually(lambda: load(home) and everything_runs(chosen))
        now = load_settings()
        assert now.postgres_port != chosen.postgres_port
        assert now.smtp_port != chosen.smtp_port
        assert now.mailbox_port == chosen.mailbox_port
        assert probes.postgres(now, None)
        assert probes.mailbox(now, None)


def test_a_promised_port_that_is_taken_stops_up_before_anything_starts(home, monkeypatch):
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        monkeypatch.setenv("DAYBREAK_POSTGRES_PORT", str(other.getsockname()[1]))
        with pytest.raises(ServiceError, match="DAYBREAK_POSTGRES_PORT"):
            up(load_settings(), quiet, only=ONLY)
    assert marked(home) == []
    assert not locks.is_held(home / files.LOCK)
    assert not (home / "postgres" / "data").exists()
