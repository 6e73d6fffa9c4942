"""The keeper of a service: starts it again, adopts it, waits for others, and says why it gave up."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
import time

import pytest

from include.core.errors import ServiceError
from include.core.settings import Settings
from include.operations.launcher import keeper
from include.operations.launcher.processes import Process, identify, kill_marked
from include.operations.launcher.records import Board, Record
from include.operations.launcher.services import Service, prepared


@pytest.fixture
def settings(tmp_path):
    (tmp_path / "logs").mkdir()
    return Settings(home=tmp_path)


@pytest.fixture
def sleeper():
    process = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    yield process
    process.kill()
    process.wait()


def record_of(process: Process, **fields) -> Record:
    return Record(pid=process.pid, born=process.born, **fields)


class House:
    """What a keeper needs of a supervisor."""

    def __init__(self, settings, *services):
        self.settings, self.services = settings, services
        self.stopping = threading.Event()
        self.moved = []

    def move_port(self, field):
        self.moved.append(field)

    def keep(self, service):
        events = {name: threading.Event() for one in self.services for name in (one.name, prepared(one.name))}
        self.board = Board(self.settings.home, tuple(one.name for one in self.services))
        self.keeper = keeper.Keeper(service, self.board, self, events)
        self.keeper.start()
        return self.board

    def close(self):
        self.stopping.set()
        self.keeper.join(10)
        kill_marked(self.settings.home)


@pytest.fixture
def quick(monkeypatch):
    monkeypatch.setattr(keeper, "TICK_SECONDS", 0.02)
    monkeypatch.setattr(keeper, "LOOK_SECONDS", 0.02)
    monkeypatch.setattr(keeper, "LONGEST_PAUSE_SECONDS", 0.02)


def sleeping(name="sleeper", **fields) -> Service:
    fields = {"command": lambda _: ["sleep", "60"], "ready": lambda *_: True, "wave": 1} | fields
    return Service(name, **fields)


def eventually(condition, seconds=15):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it never happened"
        time.sleep(0.02)


def test_a_killed_service_is_started_again(settings, quick):
    house = House(settings, sleeping())
    try:
        board = house.keep(house.services[0])
        eventually(lambda: board["sleeper"].state == "running")
        first = board["sleeper"].pid
        os.kill(first, signal.SIGKILL)
        eventually(lambda: board["sleeper"].state == "running" and board["sleeper"].pid != first)
        assert board["sleeper"].restarts == 1
    finally:
        house.close()


def test_a_living_service_of_a_dead_supervisor_is_adopted(settings, quick, sleeper):
    Board(settings.home, ("sleeper",)).note("sleeper", **vars(record_of(identify(sleeper.pid), state="running")))
    house = House(settings, sleeping())
    try:
        board = house.keep(house.services[0])
        eventually(lambda: house.keeper.has_answered)
        assert board["sleeper"].pid == sleeper.pid
        assert board["sleeper"].restarts == 0
    finally:
        house.close()


def test_a_service_that_keeps_dying_is_called_failing_with_the_reason(settings, quick):
    house = House(settings, sleeping(command=lambda _: ["sh", "-c", "exit 3"], ready=lambda *_: False))
    try:
        board = house.keep(house.services[0])
        eventually(lambda: board["sleeper"].state == "failing")
        assert board["sleeper"].restarts == 5
        assert "ended with code 3" in board["sleeper"].note
    finally:
        house.close()


def test_a_stranger_that_answers_at_its_port_is_not_taken_for_the_service(tmp_path, quick):
    (tmp_path / "logs").mkdir()
    with socket.socket() as stranger:
        stranger.bind(("127.0.0.1", 0))
        stranger.listen()
        house = House(
            Settings(home=tmp_path, mailbox_port=stranger.getsockname()[1]), sleeping(ports=("mailbox_port",))
        )
        try:
            board = house.keep(house.services[0])
            eventually(lambda: board["sleeper"].pid)
            time.sleep(0.3)
            assert board["sleeper"].state == "starting"
            os.kill(board["sleeper"].pid, signal.SIGKILL)
            eventually(lambda: house.moved)
            assert set(house.moved) == {"mailbox_port"}
        finally:
            house.close()


def test_a_service_waits_for_the_one_before_it(settings, quick):
    first, second = sleeping("first", ready=lambda *_: False), sleeping("second", after=("first",))
    house = House(settings, first, second)
    try:
        board = house.keep(second)
        time.sleep(0.3)
        assert board["second"].state == "stopped"
        house.keeper.answering["first"].set()
        eventually(lambda: board["second"].state == "running")
    finally:
        house.close()


def test_a_service_that_lost_a_helper_is_restarted_once_it_is_not_busy(settings, quick):
    helpers, busy = {11, 12}, threading.Event()
    busy.set()
    house = House(settings, sleeping(helpers=lambda _: frozenset(helpers), busy=lambda _: busy.is_set()))
    try:
        board = house.keep(house.services[0])
        eventually(lambda: board["sleeper"].state == "running")
        first = board["sleeper"].pid
        time.sleep(0.2)
        helpers.remove(11)
        helpers.add(13)  # as many as before: it was replaced at once, which mends nothing
        time.sleep(0.3)
        assert board["sleeper"].pid == first
        busy.clear()
        eventually(lambda: board["sleeper"].pid not in (0, first))
    finally:
        house.close()


def test_a_service_that_gains_helpers_is_left_alone(settings, quick):
    helpers = {11}
    house = House(settings, sleeping(helpers=lambda _: frozenset(helpers)))
    try:
        board = house.keep(house.services[0])
        eventually(lambda: board["sleeper"].state == "running")
        time.sleep(0.2)
        helpers.add(12)
        time.sleep(0.3)
        assert board["sleeper"].restarts == 0
    finally:
        house.close()


@pytest.mark.parametrize("young_seconds", [0.3, 60])
def test_a_service_that_does_not_start_its_work_is_restarted_once_it_is_no_longer_young(
    settings, quick, monkeypatch, capsys, young_seconds
):
    monkeypatch.setattr(keeper, "PROBE_SECONDS", 0.02)
    monkeypatch.setattr(keeper, "YOUNG_SECONDS", young_seconds)
    asked = []

    def stuck(*_):
        asked.append(True)
        if len(asked) == 1:
            raise ServiceError("PostgreSQL is away.", hint="wait.")  # an unknown answer restarts nothing
        return len(asked) == 2

    house = House(settings, sleeping(stuck=stuck))
    try:
        board = house.keep(house.services[0])
        eventually(lambda: board["sleeper"].state == "running")
        first = board["sleeper"].pid
        if young_seconds == 60:
            time.sleep(0.5)
            assert (board["sleeper"].restarts, asked) == (0, [])
        else:
            eventually(lambda: board["sleeper"].pid not in (0, first))
            assert "sleeper: sleeper has queued work but starts none." in capsys.readouterr().out
    finally:
        house.close()


def test_a_service_is_looked_after_again_and_again(settings, quick, monkeypatch):
    monkeypatch.setattr(keeper, "PROBE_SECONDS", 0.02)
    asked = []

    def tend(settings):
        asked.append(settings.home)
        raise ServiceError("PostgreSQL is away.", hint="wait.")

    service = sleeping(tend=tend)
    house = House(settings, service)
    board = house.keep(service)
    try:
        eventually(lambda: len(asked) > 2)
        assert board["sleeper"].state == "running"
    finally:
        house.close()
