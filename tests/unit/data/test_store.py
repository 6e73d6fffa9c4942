"""The store: names follow content, and whatever appears is whole."""

from __future__ import annotations

import pytest

from include.core.errors import ArtifactDamaged
from include.core.settings import Settings
from include.data.store import (
    digest_file,
    digest_folder,
    digest_of,
    keep_object,
    object_path,
    read_json,
    scratch,
    whole_folder,
    write_json,
)


@pytest.fixture
def settings(tmp_path):
    return Settings(home=tmp_path)


def fill(folder, **files):
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        (folder / name).write_text(text)
    return folder


def test_the_digest_of_data_does_not_depend_on_the_order_of_keys():
    assert digest_of({"a": 1, "b": 2}) == digest_of({"b": 2, "a": 1})


def test_the_digest_of_data_depends_on_every_part():
    assert len({digest_of(1, 2), digest_of(2, 1), digest_of(12), digest_of("1", 2)}) == 4


def test_the_digest_of_a_folder_depends_on_contents_and_names(tmp_path):
    folders = [
        fill(tmp_path / "1", a="x", b="y"),
        fill(tmp_path / "2", a="x", b="z"),
        fill(tmp_path / "3", a="x", c="y"),
        fill(tmp_path / "4", a="x"),
    ]
    assert len({digest_folder(folder) for folder in folders}) == 4


def test_the_digest_of_a_folder_does_not_depend_on_where_it_lies(tmp_path):
    assert digest_folder(fill(tmp_path / "1", a="x")) == digest_folder(fill(tmp_path / "deep" / "2", a="x"))


def test_a_folder_appears_whole(settings):
    target = settings.home / "features" / "build"
    with whole_folder(settings, target) as draft:
        fill(draft, a="x")
        assert not target.exists()
    assert (target / "a").read_text() == "x"


def test_a_folder_that_could_not_be_filled_does_not_appear_and_leaves_no_draft(settings):
    target = settings.home / "features" / "build"

    def fail():
        with whole_folder(settings, target) as draft:
            fill(draft, a="x")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert not target.exists()
    assert not list((settings.home / "tmp").iterdir())


def test_a_folder_that_could_not_be_replaced_stays_as_it_was(settings):
    target = fill(settings.home / "build", a="old")

    def fail():
        with whole_folder(settings, target) as draft:
            fill(draft, a="new")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert (target / "a").read_text() == "old"


def test_a_folder_that_is_there_is_replaced_by_all_of_the_new_one(settings):
    target = fill(settings.home / "build", a="old", b="old")
    with whole_folder(settings, target) as draft:
        fill(draft, a="new")
    assert [(file.name, file.read_text()) for file in target.iterdir()] == [("a", "new")]


def test_the_same_content_is_stored_once(settings):
    drafts = [scratch(settings), scratch(settings)]
    for draft in drafts:
        draft.write_text("same")
    first, second = (keep_object(settings, draft) for draft in drafts)
    assert first == second
    assert object_path(settings, first).read_text() == "same"
    assert not any(draft.exists() for draft in drafts)


def test_an_object_lies_at_its_digest(settings):
    draft = scratch(settings)
    draft.write_text("words")
    digest = keep_object(settings, draft)
    assert digest_file(object_path(settings, digest)) == digest


def test_json_comes_back_as_it_was_written(tmp_path):
    write_json(tmp_path / "deep" / "a.json", {"b": [1, None]})
    assert read_json(tmp_path / "deep" / "a.json") == {"b": [1, None]}


def test_json_is_written_whole_or_not_at_all(tmp_path):
    path = tmp_path / "a.json"
    write_json(path, {"old": 1})
    cyclic = {}
    cyclic["self"] = cyclic
    with pytest.raises(ValueError, match="Circular"):
        write_json(path, cyclic)
    assert read_json(path) == {"old": 1}


@pytest.mark.parametrize("text", [None, "", "{", "\x00"])
def test_json_that_is_missing_or_cut_short_is_a_damaged_artifact_with_its_path(tmp_path, text):
    path = tmp_path / "manifest.json"
    if text is not None:
        path.write_text(text)
    with pytest.raises(ArtifactDamaged, match=r"manifest\.json cannot be read"):
        read_json(path)
