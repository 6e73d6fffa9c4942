"""The REST client and what people are told while they wait."""

from __future__ import annotations

import httpx
import pytest

from include.adapters import airflow_api
from include.adapters.airflow_api import Airflow
from include.core.errors import ServiceError
from include.core.settings import Settings
from include.operations.launcher import first_cycle


def airflow(answer) -> Airflow:
    client = Airflow(Settings(airflow_password="secret"))
    client._client = httpx.Client(base_url=client.address, transport=httpx.MockTransport(answer))
    return client


def signed_in(answer):
    def respond(request):
        return httpx.Response(201, json={"access_token": "t"}) if request.url.path == "/auth/token" else answer(request)

    return respond


def test_an_expired_token_is_fetched_again():
    tokens = iter(["old", "new"])

    def answer(request):
        if request.url.path == "/auth/token":
            return httpx.Response(201, json={"access_token": next(tokens)})
        return httpx.Response(200 if request.headers["Authorization"] == "Bearer new" else 401, json={"dags": []})

    assert airflow(answer).get("dags") == {"dags": []}


def test_a_wrong_password_is_said_so():
    with pytest.raises(ServiceError, match="does not accept the password of admin"):
        airflow(lambda request: httpx.Response(401)).get("dags")


def test_a_refusal_carries_airflows_own_words():
    refusing = airflow(signed_in(lambda _: httpx.Response(400, json={"detail": "window_days is too small"})))
    with pytest.raises(ServiceError, match=r"POST dags/retrain/dagRuns: 400 window_days is too small\."):
        refusing.trigger("retrain", {"window_days": 1})


def test_a_question_is_asked_again_while_the_server_is_away(monkeypatch):
    monkeypatch.setattr(airflow_api.time, "sleep", lambda _: None)
    answers = iter([httpx.ConnectError("refused"), httpx.ReadTimeout("slow"), httpx.Response(503), None])

    def answer(request):
        turn = next(answers)
        if isinstance(turn, Exception):
            raise turn
        return turn or httpx.Response(200, json={"dag_runs": [{"dag_run_id": "x"}]})

    assert airflow(signed_in(answer)).runs("retrain") == [{"dag_run_id": "x"}]


def test_a_trigger_whose_answer_got_lost_is_not_repeated(monkeypatch):
    monkeypatch.setattr(airflow_api.time, "sleep", lambda _: None)
    calls = []

    def answer(request):
        calls.append(request.method)
        raise httpx.ReadTimeout("slow")

    with pytest.raises(ServiceError, match="does not answer"):
        airflow(signed_in(answer)).trigger("retrain")
    assert calls == ["POST"]


def test_a_dag_that_is_not_parsed_yet_is_not_an_error():
    assert not airflow(signed_in(lambda _: httpx.Response(404, json={"detail": "no"}))).knows("retrain")


def test_all_pages_of_task_instances_are_read():
    def answer(request):
        offset = int(request.url.params["offset"])
        page = [{"task_id": str(number)} for number in range(offset, min(offset + 100, 250))]
        return httpx.Response(200, json={"task_instances": page, "total_entries": 250})

    assert len(airflow(signed_in(answer)).task_instances("retrain", "x")) == 250


def a_task(state, **fields):
    task = {"dag_id": "retrain", "task_id": "train", "map_index": -1, "try_number": 1, "duration": 2.34}
    return task | {"start_date": "2026-11-20T03:00:00Z", "end_date": None, "state": state} | fields


class Silent:
    def log(self, task):
        return [
            {"event": "Task failed", "level": "error", "error_detail": [{"exc_type": "ValueError", "exc_value": "bad"}]}
        ]


def test_each_task_is_told_once_when_it_starts_and_once_when_it_ends():
    said = []
    report = first_cycle.Reporter(Silent(), said.append)
    for state in (None, "queued", "running", "running", "success", "success"):
        report([a_task(state)])
    assert said == ["retrain: train ...", "retrain: train done in 2.3 s"]


def test_a_failed_try_is_told_with_its_error_even_if_it_is_tried_again():
    said = []
    report = first_cycle.Reporter(Silent(), said.append)
    report([a_task("up_for_retry")])
    report([a_task("failed", try_number=2)])
    assert said == [
        "retrain: train up for retry",
        "    ValueError: bad",
        "retrain: train failed",
        "    ValueError: bad",
    ]


def test_a_skipped_task_is_told_with_its_reason():
    said = []
    airflow = Silent()
    airflow.log = lambda task: [{"event": "::group::"}, {"event": "Skipping task.", "reason": "The champion stays."}]
    first_cycle.Reporter(airflow, said.append)([a_task("skipped", start_date=None)])
    assert said == ["retrain: train skipped", "    The champion stays."]


def test_mapped_tasks_are_told_apart():
    said = []
    report = first_cycle.Reporter(Silent(), said.append)
    report([a_task("running", map_index=0), a_task("running", map_index=1, rendered_map_index="africa")])
    assert said == ["retrain: train [0] ...", "retrain: train [africa] ..."]


def test_when_no_model_is_promoted_the_lists_are_made_all_the_same(monkeypatch):
    ran, said = [], []
    monkeypatch.setattr(first_cycle, "has_champion", lambda _: False)
    monkeypatch.setattr(first_cycle, "has_lists", lambda _: "recommend" in ran)
    monkeypatch.setattr(first_cycle, "_wait_until_parsed", lambda *_: None)
    monkeypatch.setattr(first_cycle, "_run", lambda airflow, dag_id, say, expected: ran.append(dag_id))
    monkeypatch.setattr(Airflow, "unpause", lambda *_: True)
    first_cycle.run_first_cycle(Settings(airflow_password="secret"), said.append)
    assert ran == ["retrain", "recommend", "monitor"]
    assert said == ["retrain promoted no model; the best baseline makes the lists"]
    first_cycle.run_first_cycle(Settings(airflow_password="secret"), said.append)
    assert len(ran) == 3, "with lists, the schedules take over"
