"""A version in the hands of somebody who has MLflow and pandas, and nothing of ours."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from datetime import timedelta
from pathlib import Path

import mlflow
import pandas as pd
import pytest
from mlflow.entities import LoggedModel

from include.adapters.mlflow_flavour import save_flavour
from include.core.errors import BadInput
from include.core.settings import PROJECT
from include.features.scenes import open_outcomes, open_scenes
from include.models import MODELS, pyfunc, registry
from include.models.artifact import Artifact, complete
from include.models.pyfunc import PyfuncModel, make_example
from tests.contract.models.test_models import fit
from tests.parts import plain, servers
from tests.worlds import tiny

AS_OF = tiny.AS_OF
AFTER = """
import sys
print("FOUND", found.to_json(orient="records", date_format="iso"))
print("CODE", sys.modules["include"].__file__)
"""


@pytest.fixture(scope="module")
def folder(champion, mlflow_server, tmp_path_factory):
    """The champion's files as MLflow hands them out."""
    target = tmp_path_factory.mktemp("champion")
    mlflow.set_tracking_uri(mlflow_server.mlflow_url)
    try:
        return Path(mlflow.artifacts.download_artifacts("models:/daybreak@champion", dst_path=str(target)))
    finally:
        mlflow.set_tracking_uri(None)


@pytest.fixture(scope="module")
def model(folder):
    """The champion, loaded by this project's own code."""
    return PyfuncModel(Artifact.load(folder))


def reads(*articles, reader=7, at=AS_OF - timedelta(hours=1)):
    return pd.DataFrame({"reader_id": reader, "article_id": articles, "occurred_at": pd.Timestamp(at)})


def same(found, expected):
    pd.testing.assert_frame_equal(found.reset_index(drop=True), expected.reset_index(drop=True))


def test_the_lines_for_a_notebook_run_as_the_page_gives_them(mlflow_server, champion, folder, tmp_path):
    page = (PROJECT / "docs" / "models.md").read_text()
    lines = re.search(r"```python\n(.+?)```", page, re.DOTALL)[1]
    told = lines.replace("http://127.0.0.1:5000", mlflow_server.mlflow_url) + AFTER
    requirements = (folder / "requirements.txt").read_text().splitlines()
    done = subprocess.run(
        plain.command(told, requirements),
        cwd=tmp_path, env=plain.environment(tmp_path), capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    said = dict(line.split(" ", 1) for line in done.stdout.splitlines() if line.startswith(("FOUND", "CODE")))
    found = pd.DataFrame(json.loads(said["FOUND"]))
    assert found[found.reader_id == 1]["rank"].tolist() == list(range(1, 11))
    assert set(pd.to_datetime(found.list_at)) == {AS_OF}
    assert not said["CODE"].startswith(str(PROJECT))


ANSWER = """
import sys, mlflow
for folder in sys.argv[1:]:
    model = mlflow.pyfunc.load_model(folder)
    found = model.predict(model.input_example, params={"k": 4})
    print("FOUND", model.get_raw_model().model.name, found.groupby("reader_id")["rank"].max().to_dict())
"""


def test_every_model_answers_its_example_in_a_plain_environment(training_build, tmp_path):
    scenes, outcomes = open_scenes(training_build), open_outcomes(training_build)
    for name in MODELS:
        files = tmp_path / name / "model"
        files.mkdir(parents=True)
        fit(name, scenes, outcomes).save(files)
        complete(files, name, training_build)
        model = LoggedModel("1", f"m-{name}", name, str(tmp_path), 0, 0)
        example = make_example(files / "crowd")
        save_flavour(files, tmp_path / name / "whole", loader=pyfunc.__name__, example=example, model=model, about={})
    folders = [tmp_path / name / "whole" for name in MODELS]
    requirements = (folders[0] / "requirements.txt").read_text().splitlines()
    done = subprocess.run(
        [*plain.command(ANSWER, requirements), *map(str, folders)],
        cwd=tmp_path, env=plain.environment(tmp_path), capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    said = [line for line in done.stdout.splitlines() if line.startswith("FOUND")]
    assert said == [f"FOUND {name} {{1: 4, 2: 4}}" for name in MODELS]


def test_every_requirement_is_pinned_to_what_the_version_was_trained_with(folder):
    pins = dict(line.split("==") for line in (folder / "requirements.txt").read_text().splitlines())
    locked = dict(re.findall(r"^([a-z0-9-]+)==([^ ]+)", (PROJECT / "requirements.txt").read_text(), re.MULTILINE))
    assert {name.lower(): version for name, version in pins.items()}.items() <= locked.items()


def test_a_model_that_is_served_answers_over_http(mlflow_server, champion, folder, model, tmp_path):
    port = servers.free_port()
    command = [sys.executable, "-m", "mlflow", "models", "serve", "--model-uri", "models:/daybreak@champion",
               "--env-manager", "local", "--port", str(port), "--host", "127.0.0.1"]  # fmt: skip
    given = plain.environment(tmp_path) | {
        "MLFLOW_TRACKING_URI": mlflow_server.mlflow_url,
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
    }
    log, address = tmp_path / "served.log", f"http://127.0.0.1:{port}"
    with servers.running(command, log, signal.SIGTERM, given):
        servers.wait_for(lambda: urllib.request.urlopen(f"{address}/ping", timeout=2).read(), log)
        example = (folder / "serving_input_example.json").read_bytes()
        answer = post(address, example)
        asked = {**json.loads(example), "params": {"k": 2, "readers": [999_999]}}
        two = post(address, json.dumps(asked).encode())
        with pytest.raises(urllib.error.HTTPError) as refused:
            post(address, json.dumps({**asked, "params": {"k": 0}}).encode())
    expected = model.predict(pd.DataFrame(**json.loads((folder / "input_example.json").read_text())))
    assert [row["article_id"] for row in answer] == expected["article_id"].tolist()
    assert {row["reader_id"] for row in two} == {1, 2, 999_999}
    assert max(row["rank"] for row in two) == 2
    assert refused.value.code == 400


def post(address, body):
    request = urllib.request.Request(f"{address}/invocations", body, {"Content-Type": "application/json"})
    return json.loads(urllib.request.urlopen(request, timeout=60).read())["predictions"]


def test_it_ranks_as_the_artifact_does(model):
    histories = reads(*range(2000, 2006))
    expected = model.get_raw_model().recommend(histories, AS_OF, k=5).to_pandas()
    same(model.predict(histories, {"k": 5}), expected)


def test_times_with_a_zone_without_one_and_as_text_are_the_same(model):
    histories = reads(*range(2000, 2006))
    expected = model.predict(histories)
    naive = histories.assign(occurred_at=histories["occurred_at"].dt.tz_localize(None))
    for given in (naive, histories.assign(occurred_at=histories["occurred_at"].map(lambda one: one.isoformat()))):
        same(model.predict(given), expected)


def test_what_was_read_since_the_version_was_trained_counts_and_never_comes_back(model):
    first = model.predict(reads(2000))["article_id"].tolist()
    later = model.predict(reads(*first, at=AS_OF + timedelta(hours=2)))
    assert set(later["list_at"]) == {AS_OF + timedelta(hours=2)}
    assert not set(later["article_id"]) & set(first)


def test_the_moment_can_be_named(model):
    asked = {"as_of": (AS_OF + timedelta(hours=1)).isoformat()}
    assert set(model.predict(reads(2000), asked)["list_at"]) == {AS_OF + timedelta(hours=1)}


def test_what_is_told_of_a_reader_counts_as_in_the_batch(model):
    history = reads(*range(2000, 2006))
    about = {"region": "Africa", "plan": "plus", "signed_up_at": AS_OF - timedelta(days=90)}
    expected = model.get_raw_model().recommend(
        history, AS_OF, readers=[{"reader_id": 7, **about, "interests": ["sport"]}]
    )
    told = history.assign(**about, interests=[["sport"]] * len(history))
    same(model.predict(told), expected.to_pandas())
    assert not model.predict(told)["score"].equals(model.predict(history)["score"])


def test_readers_without_a_history_are_answered_beside_those_with_one(model):
    found = model.predict(reads(2000), {"readers": [7, 999_999], "k": 3})
    assert found.groupby("reader_id")["rank"].max().to_dict() == {7: 3, 999_999: 3}


def test_candidates_are_only_put_in_order(model):
    live = model.predict(reads(2000))["article_id"].tolist()
    found = model.predict(reads(live[0]), {"candidates": live[:4]})
    assert set(found["article_id"]) == set(live[1:4])


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"occurred_at": "yesterday"}, "Column occurred_at of histories cannot be read as times"),
        ({"occurred_at": AS_OF + timedelta(days=30)}, r"None of the [\d,]+ articles .* is live at 2025-04-08"),
        ({"kind": "liked"}, "1 of 1 rows of histories have an unknown kind"),
    ],
)
def test_a_wrong_input_says_what_is_wrong(model, change, said):
    with pytest.raises(BadInput, match=said):
        model.predict(reads(2000).assign(**change))


def test_the_digested_files_lie_in_it_as_they_were_trained(mlflow_server, champion, folder):
    from include.adapters.warehouse import connect
    from include.data.store import digest_folder

    with connect(mlflow_server) as warehouse:
        registered = registry.find_model(warehouse, champion.facts["version"])
    assert digest_folder(folder / "data" / "model") == registered.digest
    assert mlflow.models.Model.load(str(folder)).metadata["digest"] == registered.digest


def test_code_and_what_mlflow_adds_are_small(folder):
    files = [path for path in folder.rglob("*") if path.is_file() and "data" not in path.relative_to(folder).parts[:1]]
    assert sum(path.stat().st_size for path in files) < 700_000
    assert len(files) < 170
