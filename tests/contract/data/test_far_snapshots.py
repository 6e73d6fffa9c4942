"""Snapshots at a URL: one machine takes them, another reads them, and what comes over is what was sent."""

from __future__ import annotations

import fsspec
import pytest

from include.core.errors import ArtifactDamaged, ServiceError, SettingsError
from include.core.references import Reference
from include.core.settings import load_settings
from include.data.snapshot import find_snapshot, open_snapshot, open_snapshot_tables, refer_to, save_manifest
from include.data.store import keep_object, object_path, scratch
from tests.worlds import tiny


@pytest.fixture(params=["memory://snapshots-of-tests", "file"])
def here(request, tmp_path):
    """Settings of the machine that takes a snapshot."""
    url = request.param if "://" in request.param else (tmp_path / "shared").as_uri()
    yield load_settings().model_copy(update={"home": tmp_path / "here", "snapshot_url": url})
    fsspec.filesystem("memory").store.clear()


@pytest.fixture
def there(here, tmp_path):
    """Settings of another machine, which has nothing of its own."""
    return here.model_copy(update={"home": tmp_path / "there"})


@pytest.fixture(scope="module")
def world():
    return tiny.tiny()


def files_at(settings):
    files, root = fsspec.core.url_to_fs(settings.snapshot_url)
    return {path.rpartition("/")[2]: (files, path) for path in files.find(root)}


def test_another_machine_reads_the_tables_by_the_reference_and_by_the_id(here, there, world):
    taken = tiny.store(here, world)
    reference = Reference.from_dict(refer_to(here, taken, "snapshot").to_dict())
    assert reference.uri == f"{here.snapshot_url}/{taken.id}/manifest.json"
    assert open_snapshot(reference) == find_snapshot(there, taken.id) == taken
    with open_snapshot_tables(there, taken) as connection:
        for name, table in world.items():
            assert connection.sql(f"select count(*) from {name}").fetchall() == [(table.num_rows,)]
    held = {path.name for path in (there.home / "snapshots").rglob("*.parquet")}
    assert held == {f"{file.sha256}.parquet" for file in taken.files}
    assert not list((there.home / "tmp").iterdir())


def test_what_is_held_is_not_fetched_again(here, there, world):
    taken = tiny.store(here, world)
    paths = taken.paths(there, "reading_events")
    for files, path in files_at(here).values():
        files.rm(path)
    assert taken.paths(there, "reading_events") == paths


def test_the_state_folder_holds_no_manifest_so_there_is_one_truth(here, world):
    tiny.store(here, world)
    assert not list(here.home.rglob("manifest.json"))


def test_a_file_that_was_sent_in_part_is_sent_again(here, there, world):
    taken = tiny.store(here, world)
    digest = taken.files[0].sha256
    files, path = files_at(here)[f"{digest}.parquet"]
    whole = files.cat_file(path)
    files.pipe_file(path, whole[:100])
    with pytest.raises(ArtifactDamaged, match=f"The file {digest[:12]} of a snapshot has changed at "):
        object_path(there, digest)
    draft = scratch(here)
    draft.write_bytes(whole)
    assert keep_object(here, draft) == digest
    assert object_path(there, digest).read_bytes() == whole


def test_a_file_that_is_nowhere_is_named(here, there, world):
    taken = tiny.store(here, world)
    files, path = files_at(here)[f"{taken.files[0].sha256}.parquet"]
    files.rm(path)
    with pytest.raises(
        ArtifactDamaged, match=f"The file {taken.files[0].sha256[:12]} of a snapshot is not in {here.snapshot_url}"
    ):
        taken.paths(there, taken.files[0].table)


def test_a_manifest_that_is_not_there_or_cut_short_is_named(here, there, world):
    taken = tiny.store(here, world)
    files, path = files_at(here)["manifest.json"]
    files.pipe_file(path, files.cat_file(path)[:50])
    with pytest.raises(ArtifactDamaged, match=r"manifest\.json cannot be read"):
        find_snapshot(there, taken.id)
    save_manifest(here, taken)
    assert find_snapshot(there, taken.id) == taken
    with pytest.raises(ArtifactDamaged, match=r"nothing/manifest\.json cannot be read"):
        find_snapshot(there, "nothing")


def test_an_object_that_is_nowhere_without_a_url_is_named(tmp_path):
    with pytest.raises(ArtifactDamaged, match="The file abc of a snapshot is not in "):
        object_path(load_settings().model_copy(update={"home": tmp_path}), "abc")


def test_a_store_that_cannot_be_spoken_to_is_one_clear_error(tmp_path):
    settings = load_settings().model_copy(update={"home": tmp_path, "snapshot_url": "nonsense://bucket"})
    with pytest.raises(ServiceError, match=r"nonsense://bucket/objects/ab/abc\.parquet cannot be used: ValueError"):
        object_path(settings, "abc")


def test_a_url_that_is_none_is_refused_when_settings_are_read(monkeypatch):
    monkeypatch.setenv("DAYBREAK_SNAPSHOT_URL", "/srv/snapshots")
    with pytest.raises(SettingsError, match="not a URL; write s3://bucket/folder"):
        load_settings()
