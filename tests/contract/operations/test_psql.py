"""`bin/daybreak psql`: a prompt for reading, unless one asks to write."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from include.core.settings import PROJECT
from include.operations.launcher.preparations import data_folder
from tests.parts import servers
from tests.worlds import tiny

WRITE = "insert into ops.audit (actor, action, detail) values ('ada', 'test', '{}') returning actor"


@pytest.fixture
def installation(warehouse, tmp_path):
    """An installation with an empty warehouse and the tiny world, on the PostgreSQL that Daybreak brings along."""
    settings = warehouse.model_copy(update={"home": tmp_path})
    servers.write_env_file(settings)
    data_folder(settings).mkdir(parents=True)
    (data_folder(settings) / "PG_VERSION").touch()
    tiny.publish(settings, tiny.tiny())
    return settings


def ask(settings, *words):
    """What psql answered, as code, output and errors."""
    done = subprocess.run(
        [sys.executable, "-m", "include", "psql", *words],
        cwd=PROJECT,
        env={**os.environ, "DAYBREAK_HOME": str(settings.home)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
    )
    return done.returncode, done.stdout.strip(), done.stderr.strip()


def test_the_warehouse_is_for_reading_unless_one_asks_to_write(installation):
    code, out, err = ask(installation, "-Atc", "select count(*) from ops.audit")
    assert (code, out, err) == (0, "0", "")
    code, out, err = ask(installation, "-Atc", WRITE)
    assert (code, out) == (1, "")
    assert "cannot execute INSERT in a read-only transaction" in err
    code, out, err = ask(installation, "--write", "-Atqc", WRITE)
    assert (code, out, err) == (0, "ada", "psql as postgres, who may change everything")


def test_the_source_is_read_as_the_extract_reads_it(installation):
    rows = "select count(*) from source.subscribers"
    assert ask(installation, "--source", "-Atc", rows) == (0, str(tiny.READERS + 5), "")
    assert ask(installation, "--source", "-Atc", "select current_user")[1] == "daybreak_extract"


def test_words_that_are_psqls_own_reach_it(installation):
    code, out, _ = ask(installation, "-A", "-t", "-c", "select 1", "-c", "select 2")
    assert (code, out.split()) == (0, ["1", "2"])
