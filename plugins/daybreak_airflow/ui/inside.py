"""Airflow's own REST API, called inside this process with the credentials of the person who asks.

So Airflow checks the person's rights and the form, and records who did what, as if they had used its own pages.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import httpx
from anyio.from_thread import run
from fastapi import HTTPException, Request

from include.core.errors import DaybreakError, ServiceError

CREDENTIALS = ("cookie", "authorization")


class Refused(HTTPException):
    """A request that the person may not make, with the reason in a sentence."""


class Airflow:
    """The API as this person may use it; for routes that are plain functions, which run in a thread."""

    def __init__(self, request: Request) -> None:
        self._app = request.scope["airflow"]
        self._headers = {name: request.headers[name] for name in CREDENTIALS if name in request.headers}
        self._headers["referer"] = str(request.url)  # Airflow records that a page started the run

    def start(self, dag_id: str, run_id: str, form: dict[str, Any]) -> None:
        """Start a run; if a run with this id was started before, do nothing."""
        body = {"dag_run_id": run_id, "conf": form, "logical_date": None}
        _check(self._send("POST", f"dags/{dag_id}/dagRuns", json=body))

    def is_paused(self, dag_id: str) -> bool:
        """Return whether runs of the DAG only queue."""
        return bool(_check(self._send("GET", f"dags/{dag_id}")).json()["is_paused"])

    def find_question(self, about: str) -> str | None:
        """Return the run of `approve` that waits for an answer to this verdict; None if there is none."""
        asked = {"response_received": False, "state": "awaiting_input", "order_by": "-created_at"}
        link = f"verdicts/{about}.html"
        found = _check(self._send("GET", "dags/approve/dagRuns/~/hitlDetails", params=asked)).json()["hitl_details"]
        return next((one["task_instance"]["dag_run_id"] for one in found if link in (one["body"] or "")), None)

    def answer(self, run_id: str, option: str, form: dict[str, Any]) -> None:
        """Answer the question of a run of `approve`; the same answer twice, as by a double click, is one.

        Raise an error if it was answered otherwise, or not by a person in time.
        """
        path = f"dags/approve/dagRuns/{quote(run_id, safe='')}/taskInstances/wait_for_a_person/-1/hitlDetails"
        answer = _check(self._send("PATCH", path, json={"chosen_options": [option], "params_input": form}))
        if answer.status_code == httpx.codes.CONFLICT:
            given = _check(self._send("GET", path)).json()
            if given["chosen_options"] != [option]:
                who = (given.get("responded_by_user") or {}).get("name") or "the default, as nobody did in time"
                raise DaybreakError(
                    f"It was answered before, by {who}: {', '.join(given['chosen_options'])}.",
                    hint="your answer changes nothing; the status page says what followed.",
                )

    def _send(self, method: str, path: str, **request: Any) -> httpx.Response:
        async def send() -> httpx.Response:
            options = {"transport": httpx.ASGITransport(self._app), "headers": self._headers}
            async with httpx.AsyncClient(base_url="http://airflow", **options) as client:
                return await client.request(method, f"/api/v2/{path}", **request)

        return run(send)


def _check(answer: httpx.Response) -> httpx.Response:
    if answer.status_code == httpx.codes.FORBIDDEN:
        raise Refused(403, "Airflow does not allow it with your role.")
    if answer.is_error and answer.status_code != httpx.codes.CONFLICT:  # it was done before, as by a double click
        is_json = "json" in answer.headers.get("content-type", "")
        detail = str(answer.json().get("detail", "") if is_json else answer.text)[:300].rstrip(".")
        raise ServiceError(f"Airflow refused it: {detail}.", hint="nothing was started; correct the form.")
    return answer
