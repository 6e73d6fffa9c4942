"""Real receivers of alerts for tests: a webhook over HTTP, and an Alertmanager.

The Alertmanager is Debian's where it is installed (`prometheus-alertmanager`), else a stand-in that takes and gives
what the published schema of its API says (`api/v2/openapi.yaml`), and refuses everything else.
"""

from __future__ import annotations

import json
import re
import shutil
import signal
import threading
import urllib.request
from contextlib import contextmanager
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Annotated
from urllib.parse import parse_qs, urlsplit
from uuid import uuid4

from pydantic import AnyHttpUrl, AwareDatetime, BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from tests.parts.servers import free_port, running, wait_for


class PostableAlert(BaseModel):
    """An alert as the schema has it."""

    model_config = ConfigDict(extra="forbid")

    labels: Annotated[dict[str, str], Field(min_length=1)]
    annotations: dict[str, str] = {}
    startsAt: AwareDatetime | None = None  # noqa: N815
    endsAt: AwareDatetime | None = None  # noqa: N815
    generatorURL: AnyHttpUrl | None = None  # noqa: N815


class Matcher(BaseModel):
    """A matcher of a silence as the schema has it."""

    model_config = ConfigDict(extra="forbid")

    name: str
    value: str
    isRegex: bool  # noqa: N815
    isEqual: bool = True  # noqa: N815


class PostableSilence(BaseModel):
    """A silence as the schema has it."""

    model_config = ConfigDict(extra="forbid")

    id: str = ""
    matchers: Annotated[list[Matcher], Field(min_length=1)]
    startsAt: AwareDatetime  # noqa: N815
    endsAt: AwareDatetime  # noqa: N815
    createdBy: Annotated[str, Field(min_length=1)]  # noqa: N815
    comment: str


class Receiver:
    """An HTTP server that keeps what it is sent as (path, headers, body), can be switched off, and can refuse."""

    def __init__(self):
        self.port = free_port()
        self.status = 200
        self.got = []
        self.server = None

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}"

    def start(self):
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def answer(self):
                body = self.rfile.read(int(self.headers.get("content-length") or 0))
                status, content = receiver.answer(self.command, self.path, dict(self.headers), body)
                self.send_response(status)
                self.send_header("content-length", str(len(content)))
                if status in (301, 302):
                    self.send_header("location", receiver.url)
                self.end_headers()
                self.wfile.write(content)

            do_GET = do_POST = do_OPTIONS = do_DELETE = answer  # noqa: N815

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", self.port), Handler)
        threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def stop(self):
        if self.server:
            self.server.shutdown()
            self.server.server_close()
            self.server = None

    def answer(self, method, path, headers, body):
        if method == "POST" and self.status == 200:
            self.got.append((path, {name.lower(): value for name, value in headers.items()}, body))
        return self.status, b""

    @property
    def messages(self):
        return [json.loads(body) for _, _, body in self.got]


class StandIn(Receiver):
    """Takes and gives alerts and silences as an Alertmanager does: by labels, until they end."""

    def __init__(self):
        super().__init__()
        self.alerts = {}
        self.silences = {}

    def answer(self, method, path, headers, body):
        where = urlsplit(path)
        asked = parse_qs(where.query)
        wanted = [re.fullmatch(r'(\w+)="(.*)"', one).groups() for one in asked.get("filter", [])]
        try:
            match method, where.path.removeprefix("/api/v2/").split("/"):
                case "GET", ["status"]:
                    found = {"versionInfo": {"version": "0.0"}, "cluster": {"status": "ready"}}
                case "POST", ["alerts"]:
                    TypeAdapter(list[PostableAlert]).validate_json(body)
                    found = self.alerts.update(
                        {json.dumps(one["labels"], sort_keys=True): one for one in json.loads(body)}
                    )
                case "POST", ["silences"]:
                    found = {"silenceID": self.keep(PostableSilence.model_validate_json(body))}
                case "DELETE", ["silence", silence_id]:
                    found = self.silences[silence_id].update(endsAt=datetime.now(UTC).isoformat())
                case "GET", ["alerts"]:
                    is_for_all = asked.get("silenced") != ["false"]
                    found = [
                        alert
                        for alert in self.alerts.values()
                        if not is_over(alert)
                        and matches(alert["labels"], wanted)
                        and (is_for_all or not self.is_silenced(alert))
                    ]
                case "GET", ["silences"]:
                    found = [
                        {**silence, "status": {"state": "expired" if is_over(silence) else "active"}}
                        for silence in self.silences.values()
                        if matches(labels_of(silence), wanted)
                    ]
                case _:
                    return 404, b"no such path"
        except (ValidationError, KeyError) as error:
            return 400, str(error).encode()
        return 200, json.dumps(found).encode()

    def keep(self, silence):
        silence_id = silence.id or uuid4().hex
        if silence.id not in ("", *self.silences):
            raise KeyError(silence.id)
        self.silences[silence_id] = silence.model_dump(mode="json") | {"id": silence_id}
        return silence_id

    def is_silenced(self, alert):
        silences = [silence for silence in self.silences.values() if not is_over(silence)]
        return any(matches(alert["labels"], labels_of(silence).items()) for silence in silences)


def is_over(found):
    return datetime.fromisoformat(found["endsAt"]) <= datetime.now(UTC)


def labels_of(silence):
    return {one["name"]: one["value"] for one in silence["matchers"]}


def matches(labels, wanted):
    return all(labels.get(name) == value for name, value in wanted)


@contextmanager
def alertmanager(folder):
    """Yield the address of an Alertmanager: a real one where it is installed."""
    binary = shutil.which("prometheus-alertmanager") or shutil.which("alertmanager")
    if binary is None:
        stand_in = StandIn().start()
        yield stand_in.url
        stand_in.stop()
        return
    port = free_port()
    (folder / "alertmanager.yml").write_text("route: {receiver: nobody}\nreceivers: [{name: nobody}]\n")
    command = [
        binary, f"--config.file={folder}/alertmanager.yml", f"--storage.path={folder}/alertmanager",
        f"--web.listen-address=127.0.0.1:{port}", "--cluster.listen-address=",
    ]  # fmt: skip
    url = f"http://127.0.0.1:{port}"
    with running(command, folder / "alertmanager.log", signal.SIGTERM):
        wait_for(lambda: urllib.request.urlopen(f"{url}/-/ready", timeout=2).read(), folder / "alertmanager.log")
        yield url


def find_firing(url):
    """The labels of what fires in an Alertmanager and is not silenced there."""
    return sorted(
        (one["labels"] for one in ask(url, "alerts", "&silenced=false")), key=lambda found: sorted(found.items())
    )


def find_silenced(url):
    """The labels, end and comment of each silence that is in force in an Alertmanager."""
    found = [one for one in ask(url, "silences") if one["status"]["state"] == "active"]
    return [(labels_of(one), datetime.fromisoformat(one["endsAt"]), one["comment"]) for one in found]


def ask(url, kind, more=""):
    with urllib.request.urlopen(f"{url}/api/v2/{kind}?filter=job%3D%22daybreak%22{more}", timeout=5) as answer:
        return json.loads(answer.read())
