"""What docker-compose.yaml promises a server: everything is watched, limited and restarted, nothing has a default
password or is open to the network, and `.env` holds all that is asked for.
"""

from __future__ import annotations

import re

import pytest
import yaml

from include.core.settings import PROJECT, Settings
from include.operations.launcher.services import SERVICES
from include.operations.server_env import PASSWORDS, write_env

TEXT = (PROJECT / "docker-compose.yaml").read_text()
FILE = yaml.safe_load(TEXT)
ALL = FILE["services"]
ONE_SHOTS = {"init", "newsroom", "cli"}
LASTING = sorted(ALL.keys() - ONE_SHOTS)
OF_OTHERS = {"postgres", "prometheus", "alertmanager", "grafana"}
OURS = sorted(ALL.keys() - OF_OTHERS)
SERVICE_KEYS = {
    *("build", "cap_drop", "command", "depends_on", "deploy", "entrypoint", "env_file", "environment", "healthcheck"),
    *("image", "init", "logging", "ports", "profiles", "read_only", "restart", "security_opt", "shm_size"),
    *("stop_grace_period", "tmpfs", "volumes"),
}
REQUIRED = set(re.findall(r"\$\{(\w+):\?", TEXT))


def variables(path):
    lines = [line for line in path.read_text().splitlines() if line and not line.startswith("#")]
    return dict(line.split("=", 1) for line in lines)


def test_the_file_has_the_structure_of_the_specification():
    assert {key for key in FILE if not key.startswith("x-")} == {"name", "services", "volumes"}
    for service in ALL.values():
        assert service.keys() <= SERVICE_KEYS
        for volume in service.get("volumes", []):
            place, *_, mode = volume.split(":")
            assert place in FILE["volumes"] or ((PROJECT / place).exists() and mode == "ro")


def test_the_services_of_the_launcher_run_in_containers_of_the_same_names():
    for service in SERVICES:
        assert service.name in ALL
        if service.name != "postgres":
            assert ALL[service.name]["entrypoint"][-2:] == ["run", service.name]


@pytest.mark.parametrize("name", LASTING)
def test_a_lasting_service_is_watched_and_restarted(name):
    assert ALL[name]["restart"] == "unless-stopped"
    assert ALL[name]["healthcheck"].keys() == {"test", "interval", "timeout", "retries", "start_period"}


@pytest.mark.parametrize("name", sorted(ONE_SHOTS))
def test_a_one_shot_is_not_restarted(name):
    assert ALL[name]["restart"] == "no"


@pytest.mark.parametrize("name", sorted(ALL))
def test_every_service_has_limits_and_logs_that_end(name):
    assert ALL[name]["deploy"]["resources"]["limits"].keys() == {"cpus", "memory"}
    assert ALL[name]["logging"]["options"].keys() == {"max-size", "max-file"}


@pytest.mark.parametrize("name", OURS)
def test_our_services_share_one_image_and_may_do_nothing_that_they_need_not(name):
    service = ALL[name]
    assert service["image"] == ALL["init"]["image"]
    assert service["init"] is True
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]


@pytest.mark.parametrize("name", [name for name in sorted(ALL) if "ports" in ALL[name]])
def test_a_port_is_published_on_loopback_unless_somebody_says_otherwise(name):
    for port in ALL[name]["ports"]:
        assert re.fullmatch(r"\$\{[A-Z]+_PUBLISH:-127\.0\.0\.1:\d+\}:\d+", port)


def test_the_database_is_not_published():
    assert "ports" not in ALL["postgres"]


@pytest.mark.parametrize("name", sorted(ALL.keys() - {"postgres", "mailbox", "cli", "alertmanager"}))
def test_a_service_waits_for_those_it_needs_to_be_healthy_or_done(name):
    assert ALL[name]["depends_on"]
    for other, how in ALL[name]["depends_on"].items():
        wanted = "service_completed_successfully" if other in ONE_SHOTS else "service_healthy"
        assert how["condition"] == wanted
        assert how.get("required", True) is ("profiles" not in ALL[other])


def test_no_secret_has_a_default():
    for name, service in ALL.items():
        for variable, value in service.get("environment", {}).items():
            if variable.endswith(("PASSWORD", "SECRET")):
                assert value in ("", f"${{{variable}:?run make env}}") or name == "postgres"
    assert ALL["postgres"]["environment"]["POSTGRES_PASSWORD"] == "${DAYBREAK_POSTGRES_PASSWORD:?run make env}"
    assert not re.search(r"\$\{\w*(PASSWORD|SECRET)\w*(:?-|\})", TEXT)


@pytest.mark.parametrize("name", sorted({service.name for service in SERVICES} - {"postgres"}))
def test_only_setting_up_knows_the_superuser(name):
    assert not ALL[name]["environment"].get("DAYBREAK_POSTGRES_PASSWORD")


def test_the_sentinel_needs_neither_airflow_nor_its_connections():
    sentinel = ALL["sentinel"]
    assert sentinel["depends_on"].keys() == {"init"}
    assert {"DAYBREAK_RUN_PASSWORD", "DAYBREAK_AIRFLOW_DB_PASSWORD", "DAYBREAK_WAREHOUSE", "DAYBREAK_SMTP_HOST"} <= {
        name for name, value in sentinel["environment"].items() if value
    }


def test_what_is_set_are_settings(tmp_path):
    write_env(tmp_path / ".env")
    named = set(re.findall(r"DAYBREAK_\w+", TEXT)) | {
        name for name in variables(tmp_path / ".env") if name.startswith("DAYBREAK_")
    }
    assert {name.removeprefix("DAYBREAK_").lower() for name in named} <= Settings.model_fields.keys()


def test_env_has_every_variable_that_is_required(tmp_path):
    write_env(tmp_path / ".env")
    assert {name for name, value in variables(tmp_path / ".env").items() if value} >= REQUIRED


def test_env_has_a_password_of_its_own_for_everybody(tmp_path):
    write_env(tmp_path / ".env")
    passwords = {name: value for name, value in variables(tmp_path / ".env").items() if name.endswith("_PASSWORD")}
    assert {name.removeprefix("DAYBREAK_").lower() for name in passwords} == {
        field for field in Settings.model_fields if field.endswith("_password")
    }
    assert len(set(passwords.values())) == len(PASSWORDS)
    assert min(len(password) for password in passwords.values()) >= 24


def test_env_is_for_its_owner_alone(tmp_path):
    write_env(tmp_path / ".env")
    assert (tmp_path / ".env").stat().st_mode & 0o777 == 0o600
    (tmp_path / ".env").chmod(0o644)
    write_env(tmp_path / ".env")
    assert (tmp_path / ".env").stat().st_mode & 0o777 == 0o600


def test_env_that_is_there_is_not_changed(tmp_path):
    write_env(tmp_path / ".env")
    before = (tmp_path / ".env").read_bytes()
    assert write_env(tmp_path / ".env") == []
    assert (tmp_path / ".env").read_bytes() == before


def test_env_that_lacks_a_variable_gets_it_and_keeps_its_lines(tmp_path):
    own = "# ours\nDAYBREAK_RUN_PASSWORD=mine\nPOSTGRES_IMAGE=postgres:17\n"
    (tmp_path / ".env").write_text(own)
    added = write_env(tmp_path / ".env")
    assert "DAYBREAK_RUN_PASSWORD" not in added
    assert (tmp_path / ".env").read_text().startswith(own)
    assert variables(tmp_path / ".env").keys() >= REQUIRED
    assert [path.name for path in tmp_path.iterdir()] == [".env"]


def test_the_image_runs_as_an_ordinary_user_and_holds_no_secret():
    dockerfile = (PROJECT / "Dockerfile").read_text()
    assert "\nUSER 10001:10001\n" in dockerfile
    ignored = (PROJECT / ".dockerignore").read_text().split()
    assert "!.env" not in ignored
    assert [line for line in ignored if not line.startswith("#")].index("*") < ignored.index("!include")
