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

            do_GET = do_POST = do_OPTIONS = answer  # noqa: N815

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
    """Takes and gives alerts as an Alertmanager does: by labels, until they end."""

    def __init__(self):
        super().__init__()
        self.alerts = {}

    def answer(self, method, path, headers, body):
        where = urlsplit(path)
        if (method, where.path) == ("GET", "/api/v2/status"):
            return 200, json.dumps({"versionInfo": {"version": "0.0"}, "cluster": {"status": "ready"}}).encode()
        if where.path != "/api/v2/alerts":
            return 404, b"no such path"
        if method == "POST":
            try:
                TypeAdapter(list[PostableAlert]).validate_json(body)
            except ValidationError as error:
                return 400, str(error).encode()
            for alert in json.loads(body):
                self.alerts[json.dumps(alert["labels"], sort_keys=True)] = alert
            return 200, b""
        wanted = [re.fullmatch(r'(\w+)="(.*)"', one).groups() for one in parse_qs(where.query)["filter"]]
        moment = datetime.now(UTC)
        found = [
            alert
            for alert in self.alerts.values()
            if datetime.fromisoformat(alert["endsAt"]) > moment
            and all(alert["labels"].get(name) == value for name, value in wanted)
        ]
        return 200, json.dumps(found).encode()


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
    """The labels of what fires in an Alertmanager."""
    with urllib.request.urlopen(f"{url}/api/v2/alerts?filter=job%3D%22daybreak%22", timeout=5) as answer:
        found = json.loads(answer.read())
    return sorted((one["labels"] for one in found), key=lambda labels: sorted(labels.items()))
