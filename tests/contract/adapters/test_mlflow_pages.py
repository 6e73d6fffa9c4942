"""MLflow's pages open on model training, without assistant and banner, and load nothing from elsewhere."""

from __future__ import annotations

import json
import re
import urllib.error
import urllib.request
from pathlib import Path

import mlflow.server
import pytest

from include.adapters.mlflow_pages import CHOICES

BUILT = Path(mlflow.server.__file__).parent / "js" / "build"


def get(settings, path):
    with urllib.request.urlopen(f"{settings.mlflow_url}{path}", timeout=20) as answer:
        return answer.read().decode(), answer.headers


def test_the_front_page_makes_the_choices_before_anything_of_mlflow_runs(mlflow_server):
    page, headers = get(mlflow_server, "/")
    first, *others = re.findall(r"<script.*?</script>", page, re.DOTALL)
    assert all(f"{json.dumps(key)}: {json.dumps(value)}" in first for key, value in CHOICES.items())
    assert others
    assert headers["X-Frame-Options"] == "SAMEORIGIN"


def test_mlflow_remembers_these_choices_under_these_names():
    scripts = [path.read_text() for path in (BUILT / "static" / "js").glob("*.js")]
    for key in CHOICES:
        name, _, version = key.rpartition("_v")
        assert version == "1"
        assert any(f'"{name}"' in script for script in scripts), key


def test_the_front_page_loads_nothing_from_another_host(mlflow_server):
    page, _ = get(mlflow_server, "/")
    assert re.findall(r'(?:src|href)="([^"]+)"', page)
    assert not re.findall(r'(?:src|href)="(?:https?:)?//', page)


def test_the_assistant_is_not_there_and_all_else_is(mlflow_server):
    with pytest.raises(urllib.error.HTTPError) as refused:
        get(mlflow_server, "/ajax-api/3.0/mlflow/assistant/config")
    assert refused.value.code == 404
    assert get(mlflow_server, "/version")[0] == mlflow.__version__
    asked = "/ajax-api/2.0/mlflow/experiments/search?max_results=5"
    assert json.loads(get(mlflow_server, asked)[0])["experiments"]


def test_usage_is_not_collected(mlflow_server):
    told = json.loads(get(mlflow_server, "/ajax-api/3.0/mlflow/ui-telemetry")[0])
    assert told["disable_ui_telemetry"] is True
