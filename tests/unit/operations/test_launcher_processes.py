"""Who is alive, who holds a lock, and what is known about a service: the parts that keep the product running."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace

import pytest

from bench.figures import write
from include.core.errors import SettingsError, StateFolderError
from include.core.settings import PROJECT, Settings
from include.operations.launcher import clean, files, locks, look, preflight
from include.operations.launcher.processes import MARK, Process, alive, identify, kill_marked, mark, marked
from include.operations.launcher.records import Board, Record, load
from include.operations.launcher.services import SERVICES, chosen, prepared


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


def test_a_zombie_is_dead(sleeper):
    process = identify(sleeper.pid)
    assert alive(process)
    sleeper.kill()
    os.waitid(os.P_PID, sleeper.pid, os.WEXITED | os.WNOWAIT)  # it has ended, and nobody has reaped it
    os.kill(sleeper.pid, 0)
    assert not alive(process)
    assert identify(sleeper.pid) is None


def test_another_process_with_the_same_pid_is_not_taken_for_ours(sleeper):
    process = identify(sleeper.pid)
    assert not alive(replace(process, born="some other time"))


def test_whatever_a_service_started_is_found_by_its_mark(settings):
    code = "import subprocess, sys; subprocess.Popen(['sleep', '60'], start_new_session=True)"
    environment = os.environ | {MARK: mark(settings.home, "scheduler")}
    subprocess.run([sys.executable, "-c", code], env=environment, check=True)
    assert len(marked(settings.home, "scheduler")) == 1
    assert marked(settings.home, "mlflow") == []
    assert kill_marked(settings.home) == 1
    assert marked(settings.home) == []


def test_a_lock_has_one_holder_and_ends_with_it(tmp_path):
    path = tmp_path / "lock"
    assert not locks.is_held(path)
    held = locks.take(path)
    assert locks.take(path) is None
    assert locks.is_held(path)
    held.release(remove=True)
    assert not locks.is_held(path)
    assert not path.exists()


def test_a_lock_survives_in_the_child_it_was_given_to(tmp_path):
    held = locks.take(tmp_path / "lock")
    child = subprocess.Popen(["sleep", "60"], pass_fds=[held.descriptor])
    held.release()
    assert locks.is_held(tmp_path / "lock")
    child.kill()
    child.wait()
    assert not locks.is_held(tmp_path / "lock")


def test_a_lock_on_a_file_that_was_removed_meanwhile_is_not_a_lock(tmp_path, monkeypatch):
    path = tmp_path / "lock"
    path.touch()
    real, opened = os.open, []

    def slow(name, *arguments):
        descriptor = real(name, *arguments)
        if not opened:
            path.unlink()  # the former holder leaves between open and lock
        opened.append(descriptor)
        return descriptor

    monkeypatch.setattr(os, "open", slow)
    held = locks.take(path)
    assert len(opened) == 2
    assert os.fstat(held.descriptor).st_ino == path.stat().st_ino


def test_records_outlive_the_supervisor(tmp_path):
    board = Board(tmp_path, ("postgres", "mailbox"))
    board.note("postgres", state="running", pid=4, born="b", where="127.0.0.1:1")
    assert Board(tmp_path, ("postgres", "mailbox"))["postgres"] == Record("running", 4, "b", "127.0.0.1:1")


@pytest.mark.parametrize("text", ["", "{", "[]", '{"postgres": {"state": "running", "unheard": 1}}'])
def test_damaged_records_count_as_none(tmp_path, text):
    (tmp_path / files.SERVICES).write_text(text)
    assert load(tmp_path) == {}


def test_states_do_not_believe_the_records_of_a_dead_process(settings, sleeper):
    board = Board(settings.home, ("postgres", "mailbox"))
    process = identify(sleeper.pid)
    board.note("postgres", **vars(record_of(process, state="running")))
    board.note("mailbox", state="running", pid=2**22 - 1, born="never")
    assert look.states(settings) == {"postgres": "running", "mailbox": "stopped"}
    supervisor = locks.take(settings.home / files.LOCK)
    assert look.states(settings) == {"postgres": "running", "mailbox": "starting"}
    supervisor.release()


def test_states_name_every_process_when_nothing_ever_ran(settings):
    assert set(look.states(settings).values()) == {"stopped"}
    assert set(look.states(settings)) == {"supervisor", "guardian", *(service.name for service in SERVICES)}


def test_an_unknown_log_is_an_error_that_names_the_known_ones(settings):
    (settings.home / "logs" / "mlflow.log").write_text("hello\n")
    with pytest.raises(SettingsError, match=r"no log of '\.\./x'.*mlflow"):
        look.read_log(settings, "../x")
    assert look.read_log(settings, "mlflow") == ["hello"]


def test_a_real_mail_server_needs_no_mailbox():
    assert "mailbox" not in [service.name for service in chosen(Settings(smtp_host="mail.example.com"))]
    assert "mailbox" in [service.name for service in chosen(Settings())]


def test_what_a_service_waits_for_starts_before_it_and_stops_after_it():
    known = {service.name: service for service in SERVICES}
    names = list(known)
    for service in SERVICES:
        for other in (name.removesuffix(prepared("")) for name in service.after):
            assert names.index(other) < names.index(service.name)
            assert known[other].wave > service.wave


def test_a_folder_that_cannot_be_written_is_one_clear_line(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(StateFolderError, match="cannot be written: Not a directory"):
        preflight.check(Settings(home=tmp_path / "file" / "state"))


def test_a_full_disk_is_noticed_before_anything_is_made(tmp_path):
    with pytest.raises(StateFolderError, match=r"has [\d,]+ MB free; 999,999,999 MB are needed"):
        preflight.check(Settings(home=tmp_path / "state", min_free_mb=999_999_999))
    assert list((tmp_path / "state").iterdir()) == []


@pytest.mark.parametrize("home", [PROJECT, PROJECT.parent, PROJECT.root])
def test_clean_refuses_a_folder_that_holds_more_than_state(home):
    with pytest.raises(StateFolderError, match="holds more than"):
        clean.clean(Settings(home=home), print)


def test_clean_refuses_a_folder_that_daybreak_never_wrote(tmp_path):
    (tmp_path / "thesis.odt").touch()
    with pytest.raises(StateFolderError, match="holds more than"):
        clean.clean(Settings(home=tmp_path), print)
    assert (tmp_path / "thesis.odt").exists()


@pytest.mark.parametrize("name", ["mail", "logs"])
def test_a_folder_with_other_things_is_neither_used_nor_removed(tmp_path, name):
    (tmp_path / name).mkdir()  # a system has such folders too
    (tmp_path / "lib").mkdir()
    with pytest.raises(StateFolderError, match="files other than"):
        preflight.check(Settings(home=tmp_path, min_free_mb=0))
    with pytest.raises(StateFolderError, match="holds more than"):
        clean.clean(Settings(home=tmp_path), print)
    assert {path.name for path in tmp_path.iterdir()} == {name, "lib"}


def test_a_folder_in_which_only_benchmarks_ran_can_be_started_in_and_removed(tmp_path):
    write(tmp_path / files.BENCH_FIGURES, [])
    (tmp_path / files.BENCH).mkdir()
    (tmp_path / files.BENCH_LOCK).touch()  # what a benchmark that was killed leaves, too
    preflight.check(Settings(home=tmp_path, min_free_mb=0))
    clean.clean(Settings(home=tmp_path), print)
    assert not tmp_path.exists()


@pytest.mark.parametrize("held", [files.BENCH_LOCK, f"{files.BENCH}/{files.LOCK}"])
def test_clean_leaves_a_folder_alone_in_which_a_benchmark_is_or_was_kept(tmp_path, held):
    (tmp_path / files.BENCH).mkdir()
    lock = locks.take(tmp_path / held)
    with pytest.raises(StateFolderError, match="in use by a benchmark"):
        clean.clean(Settings(home=tmp_path), print)
    lock.release()
    assert (tmp_path / held).exists()


def test_clean_removes_a_state_folder_but_not_one_in_use(tmp_path):
    home = tmp_path / "state"
    preflight.check(Settings(home=home, min_free_mb=0))
    supervisor = locks.take(home / files.LOCK)
    with pytest.raises(StateFolderError, match="in use"):
        clean.clean(Settings(home=home), print)
    supervisor.release()
    clean.clean(Settings(home=home), print)
    assert not home.exists()
