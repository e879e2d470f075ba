"""The REST client: logs in once, waits with patience, says what Airflow said."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from smsflow_provider.cli.demo.rest import AirflowClient
from smsflow_provider.core.errors import NotFoundError, SmsflowError

NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)
REVIEW = {
    "created_at": "2026-05-01T11:59:57Z",
    "task_instance": {
        "dag_id": "team.sale",
        "dag_run_id": "r 1",
        "task_id": "sms.review_and_send",
        "map_index": -1,
    },
}


class Script:
    """An Airflow that answers what it was told to, and remembers what it was asked."""

    def __init__(self, *answers: tuple[int, Any] | Exception) -> None:
        self.answers = list(answers)
        self.asked: list[httpx.Request] = []
        self.waits: list[float] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request)
        if request.url.path == "/auth/token":
            return httpx.Response(201, json={"access_token": "a-token"})
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return httpx.Response(answer[0], json=answer[1])

    def client(self, check: Callable[[], None] = lambda: None) -> AirflowClient:
        """Make a client that talks to this script and does not really wait."""
        return AirflowClient(
            "http://airflow.test/",
            user="manager",
            password="secret",
            check=check,
            transport=httpx.MockTransport(self),
            now=lambda: NOON,
            pause=self.waits.append,
        )


def test_it_logs_in_once_and_sends_the_token() -> None:
    script = Script((200, {"state": "running"}), (200, {"state": "running"}))
    with script.client() as client:
        client.run("team.sale", "r1")
        client.run("team.sale", "r1")

    assert 3 == len(script.asked)
    assert {"username": "manager", "password": "secret"} == json.loads(script.asked[0].content)
    assert ["Bearer a-token"] * 2 == [r.headers["Authorization"] for r in script.asked[1:]]


def test_a_run_is_started_with_its_id_and_parameters() -> None:
    script = Script((200, {"dag_run_id": "r1"}))
    with script.client() as client:
        client.start_run("team.sale", run_id="r1", conf={"discount": 20})

    assert "/api/v2/dags/team.sale/dagRuns" == script.asked[-1].url.path
    wanted = {"logical_date": None, "dag_run_id": "r1", "conf": {"discount": 20}}
    assert wanted == json.loads(script.asked[-1].content)


def test_ids_are_quoted_in_paths() -> None:
    script = Script((200, {"state": "queued"}))
    with script.client() as client:
        client.run("team.sale", "manual__2026-05-01T12:00:00+00:00/x")

    assert b"manual__2026-05-01T12%3A00%3A00%2B00%3A00%2Fx" in script.asked[-1].url.raw_path


def test_a_refusal_says_what_was_asked_and_what_airflow_said() -> None:
    with (
        Script((409, {"detail": "exists"})).client() as client,
        pytest.raises(SmsflowError) as caught,
    ):
        client.start_run("team.sale", run_id="r1")

    assert 409 == caught.value.facts["status"]
    assert "exists" in str(caught.value.facts["detail"])
    assert "POST /api/v2/dags/team.sale/dagRuns" == caught.value.facts["request"]


def test_a_missing_thing_is_an_error_of_its_own() -> None:
    with Script((404, {"detail": "no"})).client() as client, pytest.raises(NotFoundError):
        client.run("team.sale", "r1")


def test_a_server_that_does_not_answer_is_named() -> None:
    script = Script(httpx.ConnectError("refused"))
    with script.client() as client, pytest.raises(SmsflowError, match=r"airflow\.test") as caught:
        client.run("team.sale", "r1")

    assert "ConnectError" == caught.value.facts["cause"]


def test_no_error_holds_the_password_or_the_token() -> None:
    script = Script((500, {"detail": "oops"}))
    with script.client() as client, pytest.raises(SmsflowError) as caught:
        client.run("team.sale", "r1")

    assert "secret" not in str(caught.value)
    assert "a-token" not in str(caught.value)


def test_waiting_for_a_run_asks_until_it_has_ended() -> None:
    states = [(200, {"state": state}) for state in ("queued", "running", "success")]
    script = Script(*states)
    with script.client() as client:
        state = client.wait_for_run("team.sale", "r1")

    assert "success" == state
    assert [0.5, 0.5] == script.waits


def test_a_run_that_ends_otherwise_is_an_error_with_its_tasks() -> None:
    tasks = {"task_instances": [{"task_id": "send", "state": "failed"}]}
    script = Script((200, {"state": "failed"}), (200, tasks))
    with script.client() as client, pytest.raises(SmsflowError) as caught:
        client.wait_for_run("team.sale", "r1", states=["success"])

    assert "failed" == caught.value.facts["state"]
    assert {"send": "failed"} == caught.value.facts["tasks"]


def test_a_wait_ends_when_its_time_is_over() -> None:
    script = Script((200, {"state": "running"}), (200, {"task_instances": []}))
    with script.client() as client, pytest.raises(SmsflowError, match="still waiting"):
        client.wait_for_run("team.sale", "r1", timeout_s=-1)


def test_a_wait_ends_when_a_part_of_the_server_dies() -> None:
    def check() -> None:
        raise SmsflowError("a process has died", name="scheduler")

    script = Script((200, {"state": "running"}))
    with script.client(check) as client, pytest.raises(SmsflowError, match="scheduler"):
        client.wait_for_run("team.sale", "r1")


def test_a_dag_may_appear_late() -> None:
    script = Script((404, {}), (404, {}), (200, {"dag_id": "team.sale"}))
    with script.client() as client:
        assert {"dag_id": "team.sale"} == client.wait_for_dag("team.sale")


def test_a_dag_that_never_appears_names_the_unreadable_files() -> None:
    broken = {"import_errors": [{"filename": "sale.py", "stack_trace": "SyntaxError"}]}
    script = Script((404, {}), (200, broken))
    with script.client() as client, pytest.raises(SmsflowError, match=r"sale\.py: SyntaxError"):
        client.wait_for_dag("team.sale", timeout_s=-1)


def test_waiting_for_a_review_gives_the_request() -> None:
    waiting = (200, {"state": "running"})
    script = Script(
        (200, {"hitl_details": []}), waiting, (200, {"hitl_details": [REVIEW]}), waiting
    )
    with script.client() as client:
        found = client.wait_for_review("team.sale", "r 1")

    assert REVIEW == found
    assert "awaiting_input" == script.asked[1].url.params["state"]


def test_a_run_that_ends_without_a_review_is_an_error() -> None:
    script = Script(
        (200, {"hitl_details": []}), (200, {"state": "success"}), (200, {"task_instances": []})
    )
    with script.client() as client, pytest.raises(SmsflowError, match="a review"):
        client.wait_for_review("team.sale", "r1")


def test_an_answer_waits_until_the_request_has_settled() -> None:
    script = Script((200, {"chosen_options": ["Send"]}))
    with script.client() as client:
        client.answer(REVIEW, "Send", inputs={"comment": "fine"})

    assert [5.0] == script.waits
    assert "PATCH" == script.asked[-1].method
    path = "/api/v2/dags/team.sale/dagRuns/r%201/taskInstances/sms.review_and_send/-1/hitlDetails"
    assert path == script.asked[-1].url.raw_path.decode()
    wanted = {"chosen_options": ["Send"], "params_input": {"comment": "fine"}}
    assert wanted == json.loads(script.asked[-1].content)


@pytest.mark.parametrize("age_s", [8, 9, 3600])
def test_an_old_request_is_answered_at_once(age_s: int) -> None:
    script = Script((200, {}))
    created_at = (NOON - timedelta(seconds=age_s)).isoformat()
    with script.client() as client:
        client.answer({**REVIEW, "created_at": created_at}, "Send")

    assert [0.0] == script.waits


def test_health_names_the_parts_that_report() -> None:
    parts = {"scheduler": {"status": "healthy"}, "triggerer": {"status": None}, "other": None}
    with Script((200, parts)).client() as client:
        assert {"scheduler": "healthy", "triggerer": "None"} == client.health()


def test_task_states_and_logs_and_xcoms_are_read() -> None:
    script = Script(
        (200, {"task_instances": [{"task_id": "a", "state": None}]}),
        (200, {"content": [{"event": "one"}, {"event": "two"}]}),
        (200, {"value": {"count": 3}}),
    )
    with script.client() as client:
        assert {"a": "none"} == client.task_states("d", "r")
        assert 2 == len(client.task_log("d", "r", "a").splitlines())
        assert {"count": 3} == client.xcom("d", "r", "a")
