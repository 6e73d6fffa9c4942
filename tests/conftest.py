"""Nouns in a known state. What is shared is built once by the real pipeline and must not be changed; a check at the end
says who did. What a test may change (`warehouse`, anything below `tmp_path`) is its own.
"""

from __future__ import annotations

import gc
import os
import re
import shutil
import tempfile
from dataclasses import dataclass
from datetime import timedelta
from functools import cache
from pathlib import Path

import pytest
from hypothesis import settings as hypothesis_settings

for _name in [name for name in os.environ if name.startswith("DAYBREAK_")]:
    del os.environ[_name]  # tests never look at, or into, an installation of yours
STATE = Path(tempfile.mkdtemp(prefix="daybreak-tests-")).resolve()
os.environ["DAYBREAK_HOME"] = str(STATE / "unused")
ONE_CORE = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "OMP_WAIT_POLICY": "PASSIVE"}
os.environ.update(ONE_CORE)  # the other core is the other process's; threads that wait for it would spin
os.environ.setdefault(
    "MLFLOW_LOGGING_LEVEL", "WARNING"
)  # as the adapter does, which a test that imports MLflow forestalls

gc.set_threshold(50_000, 50, 100)  # a test process holds much and throws little away: looking through it takes seconds

from tests.parts import cli, servers  # noqa: E402
from tests.worlds import tiny  # noqa: E402

hypothesis_settings.register_profile("daybreak", deadline=None, derandomize=True, database=None)
hypothesis_settings.load_profile("daybreak")


def pytest_addoption(parser):
    parser.addoption("--golden", action="store_true", help="rewrite tests/golden/ with what was found")


@cache
def has_champion(file):
    """Whether a test or fixture of this file asks for the champion, by which the tiny world is trained and judged."""
    return bool(re.search(r"^def .*\b(first_retrain|champion|live_lists)\b", file.read_text(), re.MULTILINE))


def pytest_collection_modifyitems(items):
    """What takes longest comes first, so that no process waits for another one at the end. The loop, which judges the
    shared champion again, comes after the contracts that look at it as it was made."""

    def turn(item):
        rooms = item.path.parts
        return "end_to_end" not in rooms, not has_champion(item.path), "contract" not in rooms

    items.sort(key=turn)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config, log):
    """Hand out whole files, but all that look at the champion to one process, so that only one trains it."""
    from xdist.scheduler import LoadFileScheduling

    class ByFile(LoadFileScheduling):
        def _split_scope(self, nodeid):
            file = super()._split_scope(nodeid)
            return "champion" if has_champion(config.rootpath / file) else file

    return ByFile(config, log)


def pytest_unconfigure(config):
    shutil.rmtree(STATE, ignore_errors=True)


PRISTINE = {"warehouse": "postgres", "publisher": "newsroom"}  # database -> its owner


@pytest.fixture(scope="session")
def pristine():
    """An installation that was set up and stopped: its data folder is what every server here starts from."""
    from include.adapters import warehouse

    settings = servers.new_settings(STATE / "pristine", **tiny.TINY)
    with servers.postgres(settings):
        warehouse.prepare_server(settings)
        warehouse.migrate(settings)
        with warehouse.connect(settings, "postgres", "postgres", autocommit=True) as server:
            for database in PRISTINE:
                server.execute(f"create database pristine_{database} template {database}")
    return settings


@pytest.fixture(scope="session")
def server(pristine):
    """A running PostgreSQL whose databases tests may fill, break and reset."""
    home = STATE / "server"
    home.mkdir()
    settings = pristine.model_copy(update={"home": home, "postgres_port": servers.free_port()})
    with servers.postgres(settings, template=pristine.home / "postgres"):
        yield settings


@pytest.fixture(scope="module")
def warehouse(server):
    """Settings of an installation whose warehouse is migrated and empty, the module's own."""
    reset_warehouse(server)
    return server


@pytest.fixture
def fresh_warehouse(server, tmp_path):
    """The same, the test's own, with an empty state folder."""
    reset_warehouse(server)
    return server.model_copy(update={"home": tmp_path})


@pytest.fixture(scope="session")
def published(server):
    """The name of a database in which the tiny world has been published."""
    from include.adapters.warehouse import connect

    reset_warehouse(server)
    tiny.publish(server, tiny.tiny())
    with connect(server, "postgres", "postgres", autocommit=True) as admin:
        admin.execute("create database published template publisher strategy file_copy")
    return "published"


@pytest.fixture
def publisher(server, published, tmp_path):
    """Settings of an installation of the test's own: the tiny world is published, the state folder empty."""
    reset_warehouse(server, published)
    return server.model_copy(update={"home": tmp_path})


def reset_warehouse(settings, publisher="pristine_publisher"):
    """Empty the warehouse; the publisher's database becomes a copy of the one named."""
    from psycopg import sql

    from include.adapters.warehouse import connect

    templates = {"warehouse": "pristine_warehouse", "publisher": publisher}
    with connect(settings, "postgres", "postgres", autocommit=True) as admin:
        for database, owner in PRISTINE.items():
            name, template = sql.Identifier(database), sql.Identifier(templates[database])
            admin.execute(sql.SQL("drop database if exists {} with (force)").format(name))
            admin.execute(
                sql.SQL("create database {} owner {} template {} strategy file_copy").format(
                    name, sql.Identifier(owner), template
                )
            )


@pytest.fixture(scope="session")
def tiny_world(pristine):
    """Settings of an installation whose publisher is the tiny world of worlds.py, as of its AS_OF."""
    from include.adapters import feast_store
    from include.adapters.warehouse import connect

    home = STATE / "tiny"
    home.mkdir()
    ports = {"postgres_port": servers.free_port(), "mlflow_port": servers.free_port()}
    settings = pristine.model_copy(update={"home": home, **ports})
    servers.write_env_file(settings)
    with servers.postgres(settings, template=pristine.home / "postgres"):
        tiny.publish(settings, tiny.tiny())
        feast_store.apply_shared(settings)

        def content():
            with connect(settings, "newsroom") as publisher:
                return [publisher.execute(text).fetchone() for text in CONTENT]

        before = content()
        yield settings
        assert content() == before, "a test changed the tiny world's source"


CONTENT = (
    "select count(*), sum(hashtextextended(t::text, 0)) from source.subscribers t",
    "select count(*), sum(hashtextextended(t::text, 0)) from source.articles t",
    "select count(*), sum(hashtextextended(t::text, 0)) from source.reading_events t",
)


@pytest.fixture(scope="session")
def run(tiny_world):
    """The run that all shared artifacts belong to."""
    from include.core.run import Run

    return Run(tiny_world, "tests", tiny.AS_OF, "tests")


@pytest.fixture(scope="session")
def snapshot(run):
    """The reference of the tiny world's snapshot."""
    from include import pipeline

    reference = pipeline.extract(run, run.settings.window_days)
    yield from guarded(reference, run.settings.home / "snapshots")


@pytest.fixture(scope="session")
def clean_snapshot(run, snapshot):
    """The reference of the tiny world's snapshot after validation."""
    from include import pipeline

    return pipeline.validate(run, snapshot)


@pytest.fixture(scope="session")
def broken_snapshot(tiny_world):
    """The reference of a snapshot with planted broken rows (worlds.BROKEN), few enough to be set aside."""
    from include.adapters.warehouse import connect
    from include.data.snapshot import refer_to, take_snapshot

    with connect(tiny_world, "newsroom") as newsroom:
        tiny.plant_broken_rows(newsroom)
    try:
        taken = take_snapshot(tiny_world, tiny.AS_OF, timedelta(days=tiny_world.window_days))
    finally:
        with connect(tiny_world, "newsroom") as newsroom:
            tiny.remove_broken_rows(newsroom)
    return refer_to(tiny_world, taken, "snapshot")


@pytest.fixture(scope="session")
def features(run, clean_snapshot):
    """The reference of the training features."""
    from include import pipeline

    reference = pipeline.build_features(run, clean_snapshot, "training")
    yield from guarded(reference, Path(reference.uri))


@pytest.fixture(scope="session")
def scoring_features(run, clean_snapshot):
    """The reference of the features for lists as of AS_OF."""
    from include import pipeline

    reference = pipeline.build_features(run, clean_snapshot, "scoring")
    yield from guarded(reference, Path(reference.uri))


@pytest.fixture(scope="session")
def serverless():
    """Settings of an installation without a server, for whatever needs files only."""
    from include.core.settings import Settings

    return Settings(home=STATE / "serverless", **tiny.TINY)


@pytest.fixture(scope="session")
def known_world():
    """What is known of the tiny world at its AS_OF."""
    return tiny.known_at(tiny.tiny(), tiny.AS_OF, days=5)


@pytest.fixture(scope="session")
def training_build(serverless, known_world):
    """The folder with the training features of the tiny world, made without a server."""
    build = tiny.build(serverless, known_world, "training")
    yield from guarded(build, build)


@pytest.fixture(scope="session")
def mlflow_server(tiny_world):
    """The tiny world's settings while its real MLflow server runs."""
    with servers.mlflow(tiny_world):
        yield tiny_world


@dataclass(frozen=True)
class FirstRetrain:
    """What the first `daybreak retrain` on the tiny world said, and the references its stages returned."""

    answer: cli.Answer
    run_id: str
    model: object
    verdict: object
    champion: object


@pytest.fixture(scope="session")
def first_retrain(mlflow_server, features):
    """The first `daybreak retrain --as-of AS_OF`, from the command line; the stages before it land on themselves."""
    from include.core.references import Reference

    answer = cli.say(mlflow_server, "retrain", "--as-of", tiny.AS_OF.isoformat())
    assert answer.code == 0, answer.err
    run_id = cli.last_run(mlflow_server, "retrain")
    found = cli.references(mlflow_server, run_id)
    stages = {name: Reference.from_dict(found[stage]) for name, stage in STAGES.items()}
    return FirstRetrain(answer, run_id, **stages)


STAGES = {"model": "train", "verdict": "judge", "champion": "promote"}


@pytest.fixture(scope="session")
def champion(first_retrain):
    """The reference of the tiny world's champion."""
    return first_retrain.champion


@pytest.fixture(scope="session")
def live_lists(champion, mlflow_server):
    """The first `daybreak recommend --as-of AS_OF`: its lists are live in the tiny world."""
    answer = cli.say(mlflow_server, "recommend", "--as-of", tiny.AS_OF.isoformat())
    assert answer.code == 0, answer.err
    return answer


def guarded(reference, folder):
    """The reference, and at the end a check that nothing below `folder` that was there has changed."""
    before = _files(folder)
    yield reference
    after = _files(folder)
    changed = sorted(str(path) for path, digest in before.items() if after.get(path) != digest)
    assert not changed, f"a test changed shared files: {changed}"


def _files(folder):
    from include.data.store import digest_file

    return {path: digest_file(path) for path in folder.rglob("*") if path.is_file()}
