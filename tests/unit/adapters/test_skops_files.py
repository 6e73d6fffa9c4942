"""Model files: equal models give equal bytes, in any process; what is not reviewed or not whole is not loaded."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import zipfile

import numpy as np
import pytest
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
from sklearn.preprocessing import OrdinalEncoder
from threadpoolctl import threadpool_limits

from include.adapters.skops_files import dump, load
from include.core.errors import ArtifactDamaged
from include.core.settings import PROJECT


def a_model(seed=1, rows=300):
    """A small model of the kind we store: encoder, classifier and regressor in one dictionary."""
    random = np.random.default_rng(seed)
    matrix, words = random.random((rows, 3)), np.array([["a"], ["b"]] * (rows // 2), object)
    target = matrix[:, 0] > 0.5
    return {
        "encoder": OrdinalEncoder().fit(words),
        "reading": HistGradientBoostingClassifier(max_iter=5, random_state=1).fit(matrix, target),
        "dwell": HistGradientBoostingRegressor(max_iter=5, random_state=1).fit(matrix, matrix[:, 1]),
    }


def digest(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


IN_ANOTHER_PROCESS = """
import sys
from pathlib import Path
junk = [object() for _ in range(int(sys.argv[2]))]  # other addresses than in the first process
from tests.unit.adapters.test_skops_files import a_model
from include.adapters.skops_files import dump
dump(a_model(), Path(sys.argv[1]))
"""


def test_equal_models_of_two_processes_give_equal_bytes(tmp_path):
    dump(a_model(), tmp_path / "here.skops")
    subprocess.run(
        [sys.executable, "-c", IN_ANOTHER_PROCESS, str(tmp_path / "there.skops"), "12345"],
        check=True,
        cwd=PROJECT,
        env={**os.environ, "PYTHONPATH": str(PROJECT), "PYTHONHASHSEED": "99"},
    )
    assert digest(tmp_path / "here.skops") == digest(tmp_path / "there.skops")


@pytest.mark.parametrize("count", [1, 2, 3])
def test_a_model_grown_in_any_number_of_threads_gives_equal_bytes(tmp_path, count):
    dump(a_model(), tmp_path / "here.skops")
    with threadpool_limits(count, "openmp"):
        dump(a_model(), tmp_path / "there.skops")
    assert digest(tmp_path / "here.skops") == digest(tmp_path / "there.skops")


def test_other_models_give_other_bytes(tmp_path):
    dump(a_model(seed=1), tmp_path / "1.skops")
    dump(a_model(seed=2), tmp_path / "2.skops")
    assert digest(tmp_path / "1.skops") != digest(tmp_path / "2.skops")


def test_a_loaded_model_predicts_as_the_stored_one(tmp_path):
    model, rows = a_model(), np.random.default_rng(5).random((50, 3))
    dump(model, tmp_path / "m.skops")
    loaded = load(tmp_path / "m.skops")
    assert np.array_equal(loaded["reading"].predict_proba(rows), model["reading"].predict_proba(rows))
    assert np.array_equal(loaded["dwell"].predict(rows), model["dwell"].predict(rows))


class Stranger:
    """A type that nobody reviewed."""


def test_a_file_with_a_type_that_nobody_reviewed_is_refused_by_the_types_name(tmp_path):
    dump({"model": Stranger()}, tmp_path / "m.skops")
    with pytest.raises(ArtifactDamaged, match=r"types that were not reviewed: .*Stranger"):
        load(tmp_path / "m.skops")


def damage_nothing_left(path):
    path.unlink()


def damage_cut_short(path):
    path.write_bytes(path.read_bytes()[:-200])


def damage_empty(path):
    path.write_bytes(b"")


def damage_not_an_archive(path):
    path.write_bytes(b"not a model " * 100)


def damage_without_schema(path):
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("other.json", "{}")


def damage_broken_schema(path):
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("schema.json", "{")


def damage_lost_part(path):
    with zipfile.ZipFile(path) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    parts.pop(next(name for name in parts if name.endswith(".npy")))
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in parts.items():
            archive.writestr(name, content)


DAMAGES = [value for name, value in list(globals().items()) if name.startswith("damage_")]


@pytest.mark.parametrize("damage", DAMAGES, ids=lambda one: one.__name__[7:].replace("_", " "))
def test_a_damaged_file_is_refused_in_one_clear_sentence(tmp_path, damage):
    path = tmp_path / "m.skops"
    dump(a_model(), path)
    damage(path)
    with pytest.raises(ArtifactDamaged, match=r"m\.skops is not a readable model file"):
        load(path)


def test_a_file_with_a_flipped_bit_is_refused_or_still_the_same_model(tmp_path):
    path, random, rows = tmp_path / "m.skops", np.random.default_rng(1), np.random.default_rng(5).random((50, 3))
    model = a_model()
    dump(model, path)
    data, expected, refused = path.read_bytes(), model["dwell"].predict(rows), 0
    for place in random.integers(0, len(data), 60):
        flipped = bytearray(data)
        flipped[place] ^= 1 << int(random.integers(8))
        path.write_bytes(bytes(flipped))
        try:
            assert np.array_equal(load(path)["dwell"].predict(rows), expected)
        except ArtifactDamaged:
            refused += 1
    assert refused > 30
