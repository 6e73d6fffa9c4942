"""What an installation holds, comparable between two installations that did the same work at different times."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import takewhile
from pathlib import Path
from typing import Any

from psycopg import sql

from include.adapters import mlflow_client
from include.adapters.warehouse import connect
from include.core.settings import Settings
from include.data.store import digest_of
from tests.parts.mail_server import Mailbox

# What may differ between two ends, and why. Nothing else may.
# Columns: what the work cost this time, and how often a mail server that was away was asked.
COLUMNS = ["seconds", "cpu_seconds", "peak_mb", "attempts"]
# Table: how a channel answered last. A kill just after a mail loses the note; the next mail makes it.
TABLE = "ops.channels"
# Metrics of MLflow: what the training cost.
METRICS = {"fit_seconds", "peak_mb"}
# Files that vendors stamp with drawn ids and moments: only their names are compared.
STAMPED = {"registry.db", ".ge_store_backend_id"}
# Folder of drafts: a killed process leaves its own. Nothing reads them, and retention removes them. In MLflow, where a
# killed training leaves a run without a version, only versions are looked at.
DRAFTS = {"tmp"}
# Parts of texts: numbers of a sequence, in which what was rolled back leaves a gap; the lists in a mail, unknown while
# PostgreSQL is away; what a version costs by RT114 and RT115, beside their limits of 50 ms and 4,000 MB.
PARTS = (
    r'"(incident_id|alert_id)": \d+',
    r"What readers see now\\n.*?\\n\\n",
    r'[\d.]+(?=</td><td data-name="limit">&lt;= (50|4000)<| \| &lt;= (50|4000) )',
    r'("<= (50|4000)", "observed": )[\d.]+',
)

OURS = {"postgres", "postgres.log", "mlflow", "mlflow.log", "saved", "daybreak.env", "attempts.log"}  # of the harness
LONGEST, CONTEXT = 200, 60
SCHEMAS = ("ops", "recs", "quarantine")
TEXTS = {".html", ".json", ".md", ".yaml", ".txt", ""}


def _forms() -> dict[str, re.Pattern[str]]:
    """Return how moments of today, drawn ids and costs are written."""
    today = datetime.now(UTC)
    days = [today + timedelta(days=n) for n in (-1, 0, 1)]
    told = "|".join(f"{day:%Y-%m-%d}[T ]|{day:%Y%m%d}T" for day in days)
    return {
        "(moment)": re.compile(rf"({told})[\d:.]+( UTC|\+00:00|\+00|Z)?"),
        "(id)": re.compile(r"\b(m-)?[0-9a-f]{32}\b|\b[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\b"),
        "(part)": re.compile("|".join(PARTS)),
        "(cost)": re.compile(r"\b[\d.,]+ (ms|s|min|MB|GB)\b"),
    }


class Fingerprint:
    def __init__(self, settings: Settings, mailbox: Mailbox, *, has_mlflow: bool):
        self.settings, self.mailbox, self.has_mlflow = settings, mailbox, has_mlflow
        self.forms = _forms()

    def clean(self, text: str) -> str:
        for word, form in self.forms.items():
            text = form.sub(word, text)
        return text

    def take(self) -> dict[str, Any]:
        """Return every fact by name."""
        versions = dict(self._versions()) if self.has_mlflow else {}
        return {**dict(self._tables()), **versions, **dict(self._files()), "mails": self._mails()}

    def _tables(self) -> Iterator[tuple[str, Any]]:
        with connect(self.settings, "postgres", "warehouse") as warehouse:
            tables = warehouse.execute(
                "select table_schema, table_name from information_schema.tables where table_schema = any(%s)"
                " and table_type = 'BASE TABLE' order by 1, 2",
                [[*SCHEMAS]],
            ).fetchall()
            yield "tables", [".".join(one) for one in tables]
            for table in tables:
                if ".".join(table) == TABLE:
                    continue
                rows = warehouse.execute(
                    sql.SQL("select (to_jsonb(t) - %s::text[])::text from {} t").format(sql.Identifier(*table)),
                    [COLUMNS],
                )
                yield f"table {'.'.join(table)}", sorted(self.clean(row) for (row,) in rows)

    def _versions(self) -> Iterator[tuple[str, Any]]:
        mlflow = mlflow_client.client(self.settings)
        for version in mlflow.search_model_versions(f"name = '{mlflow_client.MODEL}'"):
            name = f"v{version.version}"
            run = mlflow.get_run(version.run_id)
            yield f"{name} tags", self._told(version.tags)
            yield f"{name} description", version.description
            yield f"{name} run", [run.info.status, self._told(run.data.tags), run.data.params]
            yield f"{name} metrics", {key: value for key, value in run.data.metrics.items() if key not in METRICS}
            for one in run.outputs.model_outputs:
                model = mlflow.get_logged_model(one.model_id)
                yield f"{name} model", [str(model.status), self._told(model.tags)]
                yield from self._folder(f"{name} model file", Path(model.artifact_location))
            yield from self._folder(f"{name} run file", self._stored(run.info.artifact_uri))
        yield "aliases", mlflow.get_registered_model(mlflow_client.MODEL).aliases

    def _stored(self, uri: str) -> Path:
        return self.settings.home / "mlflow" / "artifacts" / uri.partition("mlflow-artifacts:/")[2]

    def _told(self, tags: dict[str, str]) -> dict[str, str]:
        return {name: self.clean(value) for name, value in tags.items()}

    def _files(self) -> Iterator[tuple[str, Any]]:
        for path in sorted(self.settings.home.iterdir()):
            if path.name not in DRAFTS | OURS:
                yield from self._folder(path.name, path)

    def _folder(self, name: str, folder: Path) -> Iterator[tuple[str, Any]]:
        for path in [folder] if folder.is_file() else sorted(folder.rglob("*")):
            if path.is_file():
                yield self.clean(f"{name} {path.relative_to(folder)}"), self._content(path)

    def _content(self, path: Path) -> Any:
        if path.name in STAMPED:
            return "stamped"
        if path.suffix in TEXTS:
            return self.clean(path.read_text(errors="replace")).splitlines()
        return digest_of(path.read_bytes().hex())

    def _mails(self) -> list[str]:
        """Return the subjects of the mails; two mails with one Message-ID count as one, as they do for a receiver."""
        return sorted({mail["Message-ID"]: mail["Subject"] for mail in self.mailbox.mails}.values())


def compare(expected: dict[str, Any], found: dict[str, Any]) -> list[str]:
    """Return each difference by name."""
    return [
        f"{name}: {_tell(expected.get(name), found.get(name))}"
        for name in sorted({*expected, *found})
        if expected.get(name) != found.get(name)
    ]


def _tell(expected: Any, found: Any) -> str:
    if expected is None or found is None:
        return "missing" if found is None else "not expected"
    if isinstance(expected, dict):
        expected, found = ([f"{name}: {value}" for name, value in one.items()] for one in (expected, found))
    if isinstance(expected, list):
        expected = [str(one) for one in expected]
        found = [str(one) for one in found]
        less, more = [one for one in expected if one not in found], [one for one in found if one not in expected]
        if len(less) != len(more):
            return f"{len(less)} gone, {len(more)} new: {str([*less, *more])[:LONGEST]}"
        expected, found = (less or expected)[0], (more or found)[0]
    expected, found = str(expected), str(found)
    same = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(expected, found, strict=False)))
    start = max(0, same - CONTEXT)
    return f"{expected[start : start + LONGEST]} → {found[start : start + LONGEST]}"
