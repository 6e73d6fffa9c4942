"""Client for Airflow's REST API, used by the CLI and the tests: unpause, trigger, read, wait.

Belongs here: calls, and their errors as `ServiceError`. Does not belong here: knowledge about our DAGs.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import httpx

from include.core.errors import ServiceError
from include.core.settings import Settings

ENDED = ("success", "failed")
RETRY_SECONDS = 45.0  # a restart of the API server takes 10 s, more on a busy machine
POLL_SECONDS = 1.0
PROBE_SECONDS = 5.0

Json = dict[str, Any]
Watch = Callable[[list[Json]], None]


class Airflow:
    """A signed-in client; it fetches a token on first use and again when the token has expired."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.address = f"http://{settings.airflow_host}:{settings.airflow_port}"
        # ignore a proxy in the user's environment: both processes run on one machine
        self._client = httpx.Client(base_url=self.address, timeout=30, trust_env=False)
        self._token = ""

    def get(self, path: str, **parameters: Any) -> Json:
        """Return the content of `/api/v2/<path>`; retry while the server is down."""
        return self._call("GET", path, params=parameters)

    def post(self, path: str, body: Json) -> Json:
        """Send a POST request, which creates something, and return the answer."""
        return self._call("POST", path, json=body)

    def patch(self, path: str, body: Json) -> Json:
        """Send a PATCH request, which changes something, and return the answer."""
        return self._call("PATCH", path, json=body)

    def knows(self, dag_id: str) -> bool:
        """Return whether the DAG has been parsed and is served."""
        return self._call("GET", f"dags/{dag_id}", absent_ok=True) != {}

    def import_errors(self) -> list[str]:
        """Return the DAG files that could not be imported, each with the last line of its traceback."""
        return [
            f"{error['filename']}: {str(error['stack_trace']).strip().splitlines()[-1]}"
            for error in self.get("importErrors")["import_errors"]
        ]

    def unpause(self, dag_id: str) -> bool:
        """Start the schedule and return whether it was paused; the latest missed run, if any, starts at once."""
        was_paused = bool(self.get(f"dags/{dag_id}")["is_paused"])
        self.patch(f"dags/{dag_id}", {"is_paused": False})
        return was_paused

    def trigger(self, dag_id: str, conf: Json | None = None, run_id: str | None = None) -> str:
        """Start a manual run without a logical date and return its id, which Airflow chooses unless given."""
        body = {"conf": conf or {}, "logical_date": None} | ({"dag_run_id": run_id} if run_id else {})
        return str(self.post(f"dags/{dag_id}/dagRuns", body)["dag_run_id"])

    def clear(self, dag_id: str, run_id: str, task_id: str) -> None:
        """Let a task of a run and everything after it run again."""
        body = {
            "dag_run_id": run_id,
            "task_ids": [task_id],
            "include_downstream": True,
            "only_failed": False,
            "reset_dag_runs": True,
            "dry_run": False,
        }
        self.post(f"dags/{dag_id}/clearTaskInstances", body)

    def answers(self) -> bool:
        """Return whether the server answers now; asked once."""
        try:
            return self._client.get("/api/v2/version", timeout=PROBE_SECONDS).is_success
        except httpx.TransportError:
            return False

    def emit(self, asset: str, extra: Json) -> None:
        """Emit an event of an asset, which starts the DAGs scheduled on it."""
        found = [one["id"] for one in self.get("assets", name_pattern=asset)["assets"] if one["name"] == asset]
        if not found:
            raise ServiceError(f"Airflow knows no asset {asset} yet.", hint="wait until its DAGs are parsed.")
        self.post("assets/events", {"asset_id": found[0], "extra": extra})

    def runs(self, dag_id: str, limit: int = 20) -> list[Json]:
        """Return the latest runs, newest first."""
        answer = self.get(f"dags/{dag_id}/dagRuns", order_by="-id", limit=limit)
        return list(answer["dag_runs"])

    def run(self, dag_id: str, run_id: str) -> Json:
        """Return one run."""
        return self.get(f"dags/{dag_id}/dagRuns/{run_id}")

    def task_instances(self, dag_id: str, run_id: str) -> list[Json]:
        """Return every task instance of a run, with one entry per mapped instance."""
        found: list[Json] = []
        while True:
            page = self.get(f"dags/{dag_id}/dagRuns/{run_id}/taskInstances", limit=100, offset=len(found))
            found += page["task_instances"]
            if not page["task_instances"] or len(found) >= page["total_entries"]:
                return found

    def log(self, instance: Json) -> list[Json]:
        """Return the log of a task instance's last try, as Airflow's structured lines."""
        path = f"dags/{instance['dag_id']}/dagRuns/{instance['dag_run_id']}/taskInstances/{instance['task_id']}"
        answer = self.get(f"{path}/logs/{instance['try_number'] or 1}", map_index=instance["map_index"])
        return [line if isinstance(line, dict) else {"event": str(line)} for line in answer.get("content", [])]

    def link(self, dag_id: str, run_id: str, task_id: str = "") -> str:
        """Return the address of a run, or of a task in it, for people."""
        return f"{self.settings.airflow_url}/dags/{dag_id}/runs/{run_id}" + (f"/tasks/{task_id}" if task_id else "")

    def wait_for_run(
        self, dag_id: str, run_id: str, watch: Watch | None = None, patience_seconds: float = 1800
    ) -> Json:
        """Return the run once it has ended; call `watch` with its task instances until then and once at the end."""
        end = time.monotonic() + patience_seconds
        while True:
            run = self.run(dag_id, run_id)
            if watch is not None:
                watch(self.task_instances(dag_id, run_id))
            if run["state"] in ENDED:
                return run
            if time.monotonic() > end:
                raise ServiceError(
                    f"Run {run_id} of {dag_id} is still {run['state']} after {patience_seconds:.0f} s.",
                    hint=f"open {self.link(dag_id, run_id)}.",
                )
            time.sleep(POLL_SECONDS)

    def _call(self, method: str, path: str, *, absent_ok: bool = False, **request: Any) -> Json:
        end = time.monotonic() + RETRY_SECONDS
        while True:
            try:
                answer = self._send(method, f"/api/v2/{path}", **request)
                # after a lost answer only a request that changes nothing is safe to repeat
                if answer.status_code < 500 or method != "GET" or time.monotonic() > end:
                    break
            except httpx.TransportError as error:
                unsent = isinstance(error, httpx.ConnectError)
                if not (method == "GET" or unsent) or time.monotonic() > end:
                    raise ServiceError(
                        f"Airflow at {self.address} does not answer: {error}.",
                        hint="check with `bin/daybreak status` that it is running.",
                        about="Airflow",
                    ) from error
            time.sleep(1)
        if absent_ok and answer.status_code == 404:
            return {}
        if answer.is_error:
            raise ServiceError(
                f"Airflow refused {method} {path}: {answer.status_code} {_detail(answer)}.",
                hint="`bin/daybreak logs api-server` may show the reason.",
            )
        return dict(answer.json()) if answer.content else {}

    def _send(self, method: str, path: str, **request: Any) -> httpx.Response:
        for _ in range(2):
            if not self._token:
                self._sign_in()
            headers = {"Authorization": f"Bearer {self._token}"}
            answer = self._client.request(method, path, headers=headers, **request)
            if answer.status_code != 401:
                break
            self._token = ""
        return answer

    def _sign_in(self) -> None:
        credentials = {
            "username": self.settings.airflow_user,
            "password": self.settings.airflow_password.get_secret_value(),
        }
        answer = self._client.post("/auth/token", json=credentials)
        if answer.status_code in (401, 403):
            raise ServiceError(
                f"Airflow does not accept the password of {self.settings.airflow_user}.",
                hint="set DAYBREAK_AIRFLOW_PASSWORD to the value that Airflow was started with.",
            )
        if answer.is_success:
            self._token = str(answer.json()["access_token"])


def _detail(answer: httpx.Response) -> str:
    try:
        detail = answer.json().get("detail", "")
    except (ValueError, AttributeError):
        detail = answer.text
    return str(detail)[:300].rstrip(".")
