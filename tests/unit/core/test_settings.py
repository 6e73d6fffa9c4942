"""Settings: parsed once, from three places in a fixed order, and never half understood."""

from __future__ import annotations

import re

import pytest
from pydantic import ValidationError

from include.adapters import duck
from include.core.errors import SettingsError
from include.core.settings import PROJECT, Settings, load_settings
from include.models import MODELS
from include.operations.status import links
from tests.architecture.source import files


@pytest.fixture
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("DAYBREAK_HOME", str(tmp_path))
    return tmp_path


def test_without_anything_set_the_defaults_hold(home):
    assert load_settings() == Settings(home=home)


def test_the_file_in_the_home_overrides_the_defaults(home):
    (home / "daybreak.env").write_text("DAYBREAK_WINDOW_DAYS=9\n")
    assert load_settings().window_days == 9


def test_the_environment_overrides_the_file(home, monkeypatch):
    (home / "daybreak.env").write_text("DAYBREAK_WINDOW_DAYS=9\n")
    monkeypatch.setenv("DAYBREAK_WINDOW_DAYS", "8")
    assert load_settings().window_days == 8


def test_an_empty_variable_counts_as_not_set(home, monkeypatch):
    monkeypatch.setenv("DAYBREAK_WINDOW_DAYS", "")
    assert load_settings().window_days == Settings.model_fields["window_days"].default


def test_without_a_home_the_state_lies_in_the_project(monkeypatch):
    monkeypatch.delenv("DAYBREAK_HOME")
    assert load_settings().home == PROJECT / ".daybreak"


def test_an_unknown_variable_is_named(home, monkeypatch):
    monkeypatch.setenv("DAYBREAK_WINDOW_WEEKS", "2")
    with pytest.raises(SettingsError, match="Unknown setting DAYBREAK_WINDOW_WEEKS"):
        load_settings()


def test_an_unknown_line_in_the_file_is_named(home):
    (home / "daybreak.env").write_text("DAYBREAK_WINDOW_WEEKS=2\n")
    with pytest.raises(SettingsError, match="WINDOW_WEEKS"):
        load_settings()


def test_a_setting_of_an_earlier_release_does_no_harm(home, monkeypatch):
    (home / "daybreak.env").write_text("DAYBREAK_FEAST_DB_PASSWORD=secret\nDAYBREAK_WINDOW_DAYS=9\n")
    assert load_settings().window_days == 9
    monkeypatch.setenv("DAYBREAK_FEAST_DB_PASSWORD", "secret")
    assert load_settings().window_days == 9


def test_every_wrong_value_is_named_with_what_was_given(home, monkeypatch):
    monkeypatch.setenv("DAYBREAK_WINDOW_DAYS", "many")
    monkeypatch.setenv("DAYBREAK_MODEL", "three_stage")
    with pytest.raises(SettingsError) as caught:
        load_settings()
    assert "DAYBREAK_WINDOW_DAYS='many'" in caught.value.fact
    assert "DAYBREAK_MODEL='three_stage'" in caught.value.fact


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("WEBHOOK_URL", "http://hooks.example:80a/token"),
        ("WEBHOOK_URL", "hooks.example/token"),
        ("WEBHOOK_SECRET", "whsec_abc!"),
        ("WEBHOOK_SECRET", "bm8gcHJlZml4"),
        ("ALERTMANAGER_URL", "http://ada:token@alerts.example"),
    ],
)
def test_what_no_receiver_of_alerts_can_be_reached_by_is_refused(home, monkeypatch, name, value):
    monkeypatch.setenv(f"DAYBREAK_{name}", value)
    with pytest.raises(SettingsError, match=rf"DAYBREAK_{name}=\*\*\*"):
        load_settings()


def test_settings_cannot_be_changed(home):
    with pytest.raises(ValidationError):
        load_settings().window_days = 3


def test_passwords_do_not_show(home):
    assert "hunter2" not in repr(Settings(home=home, run_password="hunter2"))


def test_there_are_no_default_passwords(home):
    settings = Settings(home=home)
    secrets = [getattr(settings, name) for name in Settings.model_fields if "password" in name or "secret" in name]
    assert len(secrets) >= 9
    assert {secret.get_secret_value() for secret in secrets} == {""}


def test_a_model_that_is_not_there_is_refused_with_those_that_are(home, monkeypatch):
    monkeypatch.setenv("DAYBREAK_MODEL", "three_stage")
    with pytest.raises(SettingsError, match=f"no model has this name; choose one of {', '.join(MODELS)}"):
        load_settings()
    for name in MODELS:
        monkeypatch.setenv("DAYBREAK_MODEL", name)
        assert load_settings().model == name


def test_people_are_sent_to_the_public_address_when_there_is_one(home):
    assert Settings(home=home, airflow_port=8081).airflow_url == "http://127.0.0.1:8081"
    assert Settings(home=home, public_url="https://news.example/").airflow_url == "https://news.example"


@pytest.mark.parametrize("slash", ["", "/"])
def test_a_link_is_the_same_whether_or_not_its_address_ends_in_a_slash(home, slash):
    settings = Settings(
        home=home, public_url=f"https://news.example{slash}", mlflow_public_url=f"https://ml.example{slash}"
    )
    assert settings.mlflow_link == links(settings, {})["mlflow"] == "https://ml.example"
    report = "https://news.example/daybreak/reports/verdicts/a%20b.html"
    assert (
        settings.report_link("verdicts/a b.html")
        == links(settings, {"judge": "verdicts/a b.html"})["verdict"]
        == report
    )
    assert Settings(home=home, mlflow_port=5001).mlflow_link == "http://127.0.0.1:5001"


def test_links_to_mlflow_and_to_reports_are_made_by_the_settings_alone():
    for sign in (r"mlflow_public_url.* or ", r"daybreak/reports/\{"):
        found = [path.name for path in files("include", "plugins", "dags") if re.search(sign, path.read_text())]
        assert found == ["settings.py"], sign


def test_a_month_ahead_that_a_rule_allows_is_never_too_far_for_the_window(home, monkeypatch):
    """Else an article dated between the two would come in with the strays and stay."""
    (allowed,) = re.findall(r"interval (\d+) day, true\) as is_received_plausibly", duck.query("validation/articles"))
    monkeypatch.setenv("DAYBREAK_LATE_DAYS", allowed)
    assert load_settings().late_days == int(allowed)
    monkeypatch.setenv("DAYBREAK_LATE_DAYS", str(int(allowed) - 1))
    with pytest.raises(SettingsError, match=f"LATE_DAYS='30': Input should be greater than or equal to {allowed}"):
        load_settings()
