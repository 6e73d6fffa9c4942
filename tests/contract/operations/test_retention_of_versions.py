"""Retention of versions, on a real MLflow: what is referred to stays, the rest goes, and a kill harms nobody."""

from __future__ import annotations

import os
from collections import Counter
from datetime import timedelta

import pytest

from include.adapters import mlflow_client, mlflow_registry
from include.adapters.warehouse import connect
from include.core.errors import ArtifactDamaged
from include.data.store import digest_folder
from include.judging import champion as champions
from include.judging.holds import set_hold
from include.models import registry
from include.models.training import Trained
from include.operations import retention
from tests.conftest import reset_warehouse
from tests.parts import cli, servers
from tests.parts.mlflow_store import model_folder, version_files
from tests.worlds import tiny

AS_OF = tiny.AS_OF
DAY = timedelta(days=1)
OLD, YOUNG = AS_OF - 31 * DAY, AS_OF - 29 * DAY
FIRST, CHAMPION, PINNED, ASKED, LISTED, ALIASED, LONELY, ANSWERED, FRESH, NEWEST = range(1, 11)


class Killed(BaseException):
    """As by kill -9: nobody catches it."""


def train(settings, number):
    """The version that a training of this number gives; its file says which it is."""

    def fit(folder):
        (folder / "model.txt").write_text(f"model {number}")
        return Trained(None, digest_folder(folder), {}, AS_OF)

    about = {
        "features_id": f"f{number}",
        "snapshot_id": f"s-{number}",
        "as_of": OLD,
        "run_id": "r",
        "model": "most_read",
    }
    return registry.fit_and_register(settings, f"key {number}", fit, {"model": "most_read"}, about)


def verdict(warehouse, version):
    warehouse.execute(
        "insert into ops.verdicts (verdict_id, as_of, run_id, challenger_version, champion_seq, decision, checks,"
        " metrics, asked_at) values (%s, %s, 'r', %s, 2, 'ask', '[]', '{}', now())",
        [f"verdict-{version}", OLD, version],
    )


def promote(warehouse, version, after_seq, from_version=None):
    about = {"why": "w", "actor": "a", "run_id": "r", "snapshot_id": "s"}
    return champions.append(warehouse, after_seq=after_seq, version=version, from_version=from_version, **about)


@pytest.fixture(scope="module")
def settings(server):
    reset_warehouse(server)
    with servers.mlflow(server):
        for number in range(FIRST, NEWEST + 1):
            registered = train(server, number)
            registry.fetch_files(server, registered)
        with connect(server) as warehouse:
            assert promote(warehouse, FIRST, 0)
            assert promote(warehouse, CHAMPION, 1, FIRST)
            set_hold(warehouse, "pin", reason="r", actor="a", moment=OLD, version=PINNED)
            verdict(warehouse, ASKED)
            verdict(warehouse, ANSWERED)
            warehouse.execute("insert into ops.answers values ('verdict-8', 'keep', 'a', %s)", [OLD])
            warehouse.execute(
                "insert into recs.batches (batch_id, as_of, model_version, snapshot_id, run_id, list_length, status,"
                " published_at) values ('b', %s, %s, 's', 'r', 10, 'audited', %s)",
                [OLD, LISTED, OLD],
            )
            warehouse.execute("update ops.models set registered_at = %s", [OLD])
            warehouse.execute("update ops.models set registered_at = %s where version = %s", [YOUNG, FRESH])
        mlflow_registry.set_alias(server, "canary", ALIASED)
        champions.repair_aliases(server)
        yield server


def told(swept):
    return {int(i.name.split()[0][1:]): (i.is_kept, i.why) for i in swept.items if i.kind == "versions"}


def in_mlflow(settings):
    found = mlflow_client.client(settings).search_model_versions("name = 'daybreak'")
    return sorted(int(one.version) for one in found)


def files_of(settings, version):
    """How many files of a version lie in MLflow's store, and copied on this machine."""
    with connect(settings) as warehouse:
        ((digest,),) = warehouse.execute("select digest from ops.models where version = %s", [version])
    stored = version_files(settings, run_of(settings, version))
    return len(list(stored.glob("*"))), len(list((settings.home / "models" / digest).glob("*")))


def run_of(settings, version):
    with connect(settings) as warehouse:
        ((run_id,),) = warehouse.execute("select mlflow_run_id from ops.models where version = %s", [version])
    return run_id


EXPECTED = {
    FIRST: (True, "has the alias previous in MLflow"),
    CHAMPION: (True, "is champion"),
    PINNED: (True, "is pinned"),
    ASKED: (True, "verdict verdict-4 asks for a person"),
    LISTED: (True, "made lists that were published"),
    ALIASED: (True, "has the alias canary in MLflow"),
    LONELY: (False, "registered 2025-02-06, nothing refers to it"),
    ANSWERED: (False, "registered 2025-02-06, nothing refers to it"),
    FRESH: (True, "younger than 30 days"),
    NEWEST: (True, "has the alias challenger in MLflow"),
}


def test_a_dry_run_says_for_each_version_what_would_happen_and_why_and_changes_nothing(settings):
    found = told(retention.sweep(settings, AS_OF, dry_run=True))
    assert found.keys() == EXPECTED.keys()
    for version, (is_kept, why) in EXPECTED.items():
        assert found[version][0] is is_kept, version
        assert why in found[version][1], version
    assert in_mlflow(settings) == list(range(FIRST, NEWEST + 1))
    assert files_of(settings, LONELY) == (1, 1)


def test_the_word_prints_a_line_for_each_version_and_writes_the_page(settings):
    servers.write_env_file(settings)
    answer = cli.say(settings, "maintain", "--dry-run")
    assert answer.code == 0, answer.err
    lines = {line.split()[1]: line.split()[3] for line in answer.out.splitlines() if line.startswith("versions")}
    assert lines == {f"v{v}": "keep" if is_kept and v != FRESH else "delete" for v, (is_kept, _) in EXPECTED.items()}
    assert "Would remove 3 versions" in answer.out
    (page,) = (settings.home / "reports" / "retention").glob("*-dry-run.html")
    gone, kept = page.read_text().split("<h2>Kept</h2>")
    assert "Would be removed" in gone
    assert 'data-name="Name">v7 most_read</td>' in gone
    assert 'data-name="Name">v7 most_read</td>' not in kept
    assert in_mlflow(settings) == list(range(FIRST, NEWEST + 1))


def test_without_its_alias_the_newest_stays_all_the_same(settings):
    mlflow_registry.drop_alias(settings, "challenger")
    found = told(retention.sweep(settings, AS_OF, dry_run=True))
    assert found[NEWEST] == (True, "is the newest, the challenger")
    assert "was champion" in found[FIRST][1]


def test_a_pin_that_comes_between_looking_and_removing_keeps_the_version(settings, monkeypatch):
    real = retention.remove_versions

    def pinned_meanwhile(some, as_of, items):
        with connect(settings) as warehouse:
            warehouse.execute("update ops.holds set version = %s", [LONELY])
        return real(some, as_of, [item for item in items if item.name.split()[0] == f"v{LONELY}"])

    monkeypatch.setattr(retention, "remove_versions", pinned_meanwhile)
    try:
        assert told(retention.sweep(settings, AS_OF)) == {LONELY: (True, "gained a reference meanwhile")}
    finally:
        with connect(settings) as warehouse:
            warehouse.execute("update ops.holds set version = %s", [PINNED])
    assert files_of(settings, LONELY) == (1, 1)


@pytest.fixture(scope="module")
def killed(settings):
    """A sweep that was killed when the files of a version were gone and its row in MLflow was not."""
    client = type(mlflow_client.client(settings))
    plain = client.delete_model_version

    def dies(*some, **named):
        raise Killed

    client.delete_model_version = dies
    try:
        with pytest.raises(Killed):
            retention.sweep(settings, AS_OF)
    finally:
        client.delete_model_version = plain
    assert files_of(settings, LONELY)[0] == 0
    assert LONELY in in_mlflow(settings)


def test_after_a_kill_nobody_can_use_the_version_and_all_others_are_whole(settings, killed):
    with connect(settings) as warehouse:
        with pytest.raises(ArtifactDamaged, match="Version 7 was removed: registered 2025-02-06"):
            registry.find_model(warehouse, LONELY)
        assert not promote(warehouse, LONELY, 2, CHAMPION)
        others = [registry.find_model(warehouse, version) for version in EXPECTED if EXPECTED[version][0]]
    for registered in others:
        registry.fetch_files(settings, registered)


def test_after_a_kill_the_same_training_makes_a_version_of_its_own(settings, killed):
    again = train(settings, ANSWERED)  # removed as well, its files still there
    assert again.version == NEWEST + 1


@pytest.fixture(scope="module")
def swept(settings, killed):
    return retention.sweep(settings, AS_OF)


def test_the_next_sweep_makes_good_what_a_kill_left(settings, swept):
    kept = [version for version, (is_kept, _) in EXPECTED.items() if is_kept and version != NEWEST]
    assert in_mlflow(settings) == [*kept, NEWEST + 1]  # the newest of then is old and is it no more
    assert [files_of(settings, version)[0] for version in (LONELY, ANSWERED, NEWEST)] == [0, 0, 0]
    with connect(settings) as warehouse:
        rows = warehouse.execute("select version, purged_at from ops.models where removed_at is not null order by 1")
        assert rows.fetchall() == [(LONELY, AS_OF), (ANSWERED, AS_OF), (NEWEST, AS_OF)]
    runs = mlflow_client.client(settings).search_runs(["1"], max_results=100)
    assert Counter(run.info.lifecycle_stage for run in runs) == {"active": 8}
    assert len(mlflow_client.client(settings).search_logged_models(["1"])) == 8


def test_an_alias_that_is_repaired_never_names_a_version_that_is_gone(settings, swept):
    client = mlflow_client.client(settings)
    for alias in ("champion", "previous"):
        client.delete_registered_model_alias("daybreak", alias)
    assert mlflow_registry.set_alias(settings, "previous", LONELY) is False
    champions.repair_aliases(settings)
    found = {alias: mlflow_registry.read_alias(settings, alias) for alias in ("champion", "previous", "canary")}
    assert found == {"champion": CHAMPION, "previous": FIRST, "canary": ALIASED}


def test_files_of_runs_and_copies_of_models_that_no_version_has_go_when_they_are_old(settings, swept):
    run_id = run_of(settings, CHAMPION)
    (of_run,) = (settings.home / "mlflow" / "artifacts").glob(f"*/{run_id}")
    of_model = model_folder(settings, run_id)
    loose = [of_run.with_name("0" * 32), of_model.with_name("m-0")]
    for folder in loose:
        folder.mkdir()
    copies = list((settings.home / "models").iterdir())
    for folder in (of_run, of_model, of_model.parent, *loose, *copies):
        os.utime(folder, ((AS_OF - 40 * DAY).timestamp(),) * 2)
    facts = retention.sweep(settings, AS_OF).facts
    assert (facts["run folders"], facts["model copies"]) == (2, 2)  # version 8's are those of its second training
    assert [folder.exists() for folder in (of_run, of_model, *loose)] == [True, True, False, False]
    assert [files_of(settings, version)[1] for version in (CHAMPION, FRESH, LONELY, NEWEST)] == [1, 1, 0, 0]


def test_a_sample_of_features_stays_as_long_as_a_version_trained_on_them(settings, swept):
    features = settings.home / "features"
    ours, lonely, left = (
        features / name for name in (f"samples/f{CHAMPION}", f"samples/f{LONELY}", "profiles/f2.json")
    )
    for path in (ours, lonely):
        path.mkdir(parents=True)
    left.parent.mkdir()
    left.touch()
    for path in (ours, lonely, left):
        os.utime(path, ((AS_OF - 40 * DAY).timestamp(),) * 2)
    assert retention.sweep(settings, AS_OF).facts["feature samples"] == 2
    assert [path.exists() for path in (ours, lonely, left)] == [True, False, False]
