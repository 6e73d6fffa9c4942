"""`daybreak.env`: passwords and ports are chosen once, kept, and readable by nobody else."""

from __future__ import annotations

import os
import socket
import stat

import pytest

from include.core.errors import ServiceError, SettingsError
from include.core.settings import Settings, load_settings
from include.operations.launcher import environment, files, ports


@pytest.fixture
def home(tmp_path, monkeypatch):
    for name in [name for name in os.environ if name.startswith("DAYBREAK_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("DAYBREAK_HOME", str(tmp_path))
    return tmp_path


@pytest.fixture
def somebody_else():
    """A port that another program listens on."""
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        yield other.getsockname()[1]


def test_every_password_is_generated_and_no_two_are_alike(home):
    settings = environment.complete(load_settings())
    passwords = [
        getattr(settings, field).get_secret_value() for field in Settings.model_fields if field.endswith("_password")
    ]
    assert len(passwords) == 10
    assert len(set(passwords)) == 10
    assert min(map(len, passwords)) >= 20


def test_passwords_stay_the_same_the_second_time(home):
    first = environment.complete(load_settings())
    assert environment.complete(load_settings()) == first


def test_the_file_is_for_its_owner_only_even_if_it_was_not_before(home):
    path = home / "daybreak.env"
    environment.complete(load_settings())
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    path.chmod(0o644)
    environment.complete(load_settings())
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_lines_written_by_hand_stay(home):
    (home / "daybreak.env").write_text("# ours\nDAYBREAK_SEED=11\n")
    assert environment.complete(load_settings()).seed == 11
    assert "# ours\n" in (home / "daybreak.env").read_text()


def test_a_reader_never_sees_half_a_file(home, monkeypatch):
    environment.complete(load_settings())
    before = (home / "daybreak.env").read_text()

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        environment.store(home, {"seed": "12"})
    assert (home / "daybreak.env").read_text() == before
    assert [path.name for path in home.iterdir()] == ["daybreak.env"]


def test_a_taken_default_port_is_replaced_by_the_next_free_one(home, monkeypatch, somebody_else):
    (home / "daybreak.env").write_text(f"DAYBREAK_AIRFLOW_PORT={somebody_else}\n")
    settings = environment.complete(load_settings())
    assert settings.airflow_port > somebody_else
    assert ports.is_free(settings.airflow_port)


def test_five_services_wishing_for_one_port_get_five_ports(home):
    wish = ports.next_free(23400, set())
    (home / "daybreak.env").write_text("".join(f"{ports.variable(field)}={wish}\n" for field in ports.FIELDS))
    settings = environment.complete(load_settings())
    assert len({getattr(settings, field) for field in ports.FIELDS}) == len(ports.FIELDS)


def test_a_taken_port_that_the_user_asked_for_is_an_error_that_names_it(home, monkeypatch, somebody_else):
    monkeypatch.setenv("DAYBREAK_MLFLOW_PORT", str(somebody_else))
    with pytest.raises(ServiceError, match=rf"Port {somebody_else} \(DAYBREAK_MLFLOW_PORT\) is taken") as error:
        environment.complete(load_settings())
    assert error.value.exit_code == 4
    assert "\n" not in str(error.value)


def test_one_port_asked_for_twice_is_an_error(home, monkeypatch):
    port = str(ports.next_free(23400, set()))
    monkeypatch.setenv("DAYBREAK_MLFLOW_PORT", port)
    monkeypatch.setenv("DAYBREAK_AIRFLOW_PORT", port)
    with pytest.raises(SettingsError, match=f"are both {port}"):
        environment.complete(load_settings())


def test_a_port_asked_for_is_found_again_without_the_environment(home, monkeypatch):
    port = ports.next_free(23500, set())
    monkeypatch.setenv("DAYBREAK_AIRFLOW_PORT", str(port))
    environment.complete(load_settings())
    monkeypatch.delenv("DAYBREAK_AIRFLOW_PORT")
    assert load_settings().airflow_port == port


def test_an_address_elsewhere_is_refused(home, monkeypatch):
    monkeypatch.setenv("DAYBREAK_POSTGRES_HOST", "db.example.com")
    with pytest.raises(SettingsError, match=r"DAYBREAK_POSTGRES_HOST=db\.example\.com"):
        ports.require_loopback(load_settings())


def test_services_do_not_see_what_belongs_to_another_installation(home, monkeypatch):
    for name in ("AIRFLOW__CORE__EXECUTOR", "AIRFLOW_HOME", "PGPASSWORD", "MLFLOW_TRACKING_URI", "PYTHONPATH"):
        monkeypatch.setenv(name, "theirs")
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")
    seen = environment.of_airflow(environment.complete(load_settings()), "scheduler")
    assert "theirs" not in seen.values()
    assert "PYTHONDONTWRITEBYTECODE" not in seen


def test_services_are_reached_without_the_proxy(home, monkeypatch):
    monkeypatch.setenv("NO_PROXY", "intranet")
    seen = environment.of_service(load_settings(), "mlflow")
    assert seen["NO_PROXY"] == seen["no_proxy"] == "intranet,127.0.0.1,localhost"


def test_the_environment_of_services_holds_no_superuser_password(home):
    settings = environment.complete(load_settings())
    secret = settings.postgres_password.get_secret_value()
    assert not [name for name, value in environment.of_airflow(settings, "scheduler").items() if secret in value]


def test_airflow_has_an_admin_an_operator_and_a_viewer(home):
    seen = environment.of_airflow(environment.complete(load_settings()), "api-server")
    assert seen["AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_USERS"] == "viewer:viewer,operator:op,admin:admin"


def test_a_user_without_a_password_is_none_so_that_airflow_makes_up_no_password(home):
    settings = Settings(_env_file=None, home=home, airflow_password="x", airflow_viewer_password="y")
    assert environment.users(settings) == {"viewer": ("viewer", "y"), "admin": ("admin", "x")}


def test_another_auth_manager_is_asked_for_by_its_class(home):
    settings = Settings(_env_file=None, home=home, airflow_auth_manager="fab")
    seen = environment.of_airflow(settings, "api-server")["AIRFLOW__CORE__AUTH_MANAGER"]
    assert seen == "airflow.providers.fab.auth_manager.fab_auth_manager.FabAuthManager"


def test_an_auth_manager_that_is_not_installed_is_named_before_anything_starts(home):
    from include.operations.launcher import preparations

    with pytest.raises(SettingsError, match="apache-airflow-providers-fab is not installed") as error:
        preparations.before_airflow(Settings(_env_file=None, home=home, airflow_auth_manager="fab"))
    assert "docs/server.md" in error.value.hint


def test_an_admin_may_go_by_any_name(home):
    settings = Settings(_env_file=None, home=home, airflow_user="viewer", airflow_password="x")
    assert environment.users(settings) == {"viewer": ("admin", "x")}


def test_a_log_is_set_aside_once_it_is_large(tmp_path, monkeypatch):
    log = tmp_path / "mlflow.log"
    log.write_bytes(b"x" * 100)
    files.rotate(log)
    assert log.exists()
    monkeypatch.setattr(files, "ROTATE_AT_BYTES", 99)
    files.rotate(log)
    assert [path.name for path in tmp_path.iterdir()] == ["mlflow.log.1"]
