"""Write `.env` for docker-compose.yaml (`make env`): generated passwords, and a team's choices for its server.

An existing `.env` keeps its lines; only missing variables are added, for example after an upgrade. This module uses
the standard library only, because a server may have Python and Docker without the project's environment.
"""

from __future__ import annotations

import os
import secrets
import sys
from pathlib import Path

PASSWORDS = (
    "DAYBREAK_POSTGRES_PASSWORD",
    "DAYBREAK_AIRFLOW_DB_PASSWORD",
    "DAYBREAK_MLFLOW_DB_PASSWORD",
    "DAYBREAK_EXTRACT_PASSWORD",
    "DAYBREAK_RUN_PASSWORD",
    "DAYBREAK_API_PASSWORD",
    "DAYBREAK_NEWSROOM_PASSWORD",
    "DAYBREAK_AIRFLOW_PASSWORD",
    "DAYBREAK_AIRFLOW_OPERATOR_PASSWORD",
    "DAYBREAK_AIRFLOW_VIEWER_PASSWORD",
)
CHOICES = {
    "The name of Airflow's admin; the others are operator and viewer.": {"DAYBREAK_AIRFLOW_USER": "admin"},
    "Addresses on which Airflow, MLflow and the demo mailbox listen.": {
        "AIRFLOW_PUBLISH": "127.0.0.1:8080",
        "MLFLOW_PUBLISH": "127.0.0.1:5000",
        "MAILBOX_PUBLISH": "127.0.0.1:8025",
    },
    "The publisher's database, if not the demo's: postgresql://user:password@host:5432/database (docs/mapping.md).": {
        "DAYBREAK_SOURCE": "",
    },
    "Addresses for browsers and for links in mails.": {
        "DAYBREAK_PUBLIC_URL": "http://127.0.0.1:8080",
        "DAYBREAK_MLFLOW_PUBLIC_URL": "http://127.0.0.1:5000",
    },
    "The mail server for alerts; the default is the demo's mailbox. Security is none, starttls or tls.": {
        "DAYBREAK_SMTP_HOST": "mailbox",
        "DAYBREAK_SMTP_PORT": "1025",
        "DAYBREAK_SMTP_SECURITY": "none",
        "DAYBREAK_SMTP_USER": "",
        "DAYBREAK_SMTP_SECRET": "",
        "DAYBREAK_MAIL_FROM": "daybreak@localhost",
        "DAYBREAK_MAIL_TO": "oncall@localhost",
    },
}
HEAD = "# Written by `make env` for docker-compose.yaml. Holds passwords: keep a copy in a safe place, never in git."


def write_env(path: Path) -> list[str]:
    """Add the missing variables to a file that only its owner may read; return their names."""
    path = path.resolve()
    old = path.read_text() if path.exists() else ""
    known = {line.partition("=")[0].removeprefix("export ").strip() for line in old.splitlines()}
    sections = {"Passwords, generated.": {name: secrets.token_urlsafe(24) for name in PASSWORDS}, **CHOICES}
    missing = {
        title: {name: value for name, value in values.items() if name not in known}
        for title, values in sections.items()
    }
    added = [name for values in missing.values() for name in values]
    if added:
        lines = [old.rstrip("\n") or HEAD]
        for title, values in missing.items():
            if values:
                lines += ["", f"# {title}", *(f"{name}={value}" for name, value in values.items())]
        _replace(path, "\n".join(lines) + "\n")
    else:
        path.chmod(0o600)
    return added


def _replace(path: Path, text: str) -> None:
    """Replace the file atomically, with mode 0600 from the start."""
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    handle = os.open(draft, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    try:
        with os.fdopen(handle, "w") as file:
            file.write(text)
        draft.replace(path)
    except BaseException:
        draft.unlink(missing_ok=True)
        raise


def main() -> None:
    """Write `.env` beside docker-compose.yaml and print the result, without secrets."""
    path = Path(__file__).resolve().parents[2] / ".env"
    was_there = path.exists()
    try:
        added = write_env(path)
    except OSError as error:
        print(f"daybreak: {path} was not written: {error.strerror}. Hint: make it writable.", file=sys.stderr)
        sys.exit(3)
    if not was_there:
        print(f"{path} is written, with generated passwords. Next: docker compose up -d --wait")
    elif added:
        print(f"{path} keeps its lines; added {', '.join(added)}.")
    else:
        print(f"{path} is complete; nothing changed.")


if __name__ == "__main__":
    main()
