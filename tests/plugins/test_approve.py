"""Send and Reject over our own API: recorded first, then Airflow's task is told."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from starlette.testclient import TestClient

from smsflow_provider.core.clock import utc_now
from smsflow_provider.core.store.connection import Store
from smsflow_provider.core.store.deliveries import find_delivery, read_log
from smsflow_provider.testing.simulator import RunningSimulator
from tests.airflow.fixtures import MakeDag
from tests.airflow.running import Run, headers_of

REVIEW = "sms.review_and_send"
MINUTE = timedelta(minutes=1)


def asked(make_dag: MakeDag, **settings: Any) -> Run:
    """A run that waits for its review."""
    run = Run.start(make_dag(**settings)).go()
    assert [REVIEW] == run.waiting()
    return run


def path_of(run: Run, act: str) -> str:
    return f"/smsflow/api/v1/deliveries/{run.xcom('sms.prepare', 'delivery')}/{act}"


def header(server: TestClient, run: Run, *, user: str = "maria") -> dict[str, Any]:
    answer = server.get(path_of(run, "header"), headers=headers_of(user))
    assert 200 == answer.status_code, answer.text
    return dict(answer.json())


def decide(
    server: TestClient,
    run: Run,
    act: str = "send",
    *,
    user: str = "maria",
    fingerprint: str | None = None,
    comment: str = "fine",
) -> Any:
    body = {
        "fingerprint": fingerprint or header(server, run)["fingerprint"],
        "comment": comment,
    }
    return server.post(path_of(run, act), json=body, headers=headers_of(user))


def test_send_tells_airflow_and_the_run_goes_on_to_its_end(
    make_dag: MakeDag, server: TestClient, simulator: RunningSimulator
) -> None:
    run = asked(make_dag)
    assert ("you", None) == (header(server, run)["turn"], header(server, run)["actions"]["send"])
    answer = decide(server, run)

    assert 200 == answer.status_code, answer.text
    told = answer.json()
    assert (True, False, "") == (told["told"], told["already"], told["do"])
    assert "approved" == told["header"]["state"]
    assert ("send", "dashboard") == (
        told["header"]["decision"]["decision"],
        told["header"]["decision"]["via"],
    )
    assert ("success", 2) == (run.go().state, len(simulator.messages()))


def test_an_answer_right_after_the_question_fails_no_task(
    make_dag: MakeDag,
    server: TestClient,
    simulator: RunningSimulator,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("AIRFLOW__SMSFLOW__REVIEW_HOLD_S", "1")
    run = asked(make_dag)

    assert 200 == decide(server, run).status_code
    assert "success" == run.go().state
    assert "failed" not in run.states.values()
    assert 2 == len(simulator.messages())


def test_a_rejection_wants_a_reason_and_nothing_leaves(
    make_dag: MakeDag, server: TestClient, simulator: RunningSimulator
) -> None:
    run = asked(make_dag)

    assert 422 == decide(server, run, "reject", comment="").status_code
    assert 200 == decide(server, run, "reject", comment="wrong price").status_code
    assert ("success", []) == (run.go().state, simulator.messages())
    assert "wrong price" == header(server, run)["decision"]["comment"]


def test_the_same_again_is_told_so_and_the_opposite_is_refused(
    make_dag: MakeDag, server: TestClient
) -> None:
    run = asked(make_dag)
    decide(server, run)
    again = decide(server, run, user="ann", comment="me too").json()

    assert (True, True, "fine") == (
        again["already"],
        again["told"],
        again["header"]["decision"]["comment"],
    )
    assert 409 == decide(server, run, "reject", comment="no").status_code


def test_another_content_than_was_reviewed_is_refused(
    make_dag: MakeDag, server: TestClient, airflow_store: Store
) -> None:
    run = asked(make_dag)
    answer = decide(server, run, fingerprint="sha256:of-before")

    assert 409 == answer.status_code
    assert "review it again" in answer.json()["title"]
    found = find_delivery(airflow_store, str(run.xcom("sms.prepare", "delivery")))
    assert "ready" == found.state.value


def test_the_header_tells_when_the_review_ends(
    make_dag: MakeDag, server: TestClient, airflow_store: Store
) -> None:
    before = utc_now()
    run = asked(make_dag, response_timeout=timedelta(hours=2))
    ends = header(server, run)["expires_at"]

    assert ends.endswith("+00:00")
    assert timedelta(0) <= datetime.fromisoformat(ends) - before - timedelta(hours=2) < MINUTE

    with airflow_store.transaction() as connection:
        connection.execute(
            "UPDATE smsflow_reviews SET fingerprint = 'of before' WHERE run_id = %s", (run.run_id,)
        )
    assert header(server, run)["expires_at"] is None


def test_a_review_that_may_take_for_ever_or_is_over_has_no_end(
    make_dag: MakeDag, server: TestClient
) -> None:
    assert header(server, asked(make_dag))["expires_at"] is None
    run = asked(make_dag, response_timeout=timedelta(hours=2))
    assert decide(server, run).json()["header"]["expires_at"] is None


@pytest.mark.parametrize("act", ["send", "reject"])
def test_who_may_look_and_not_answer_gets_a_403(
    act: str, make_dag: MakeDag, server: TestClient
) -> None:
    run = asked(make_dag)

    assert 403 == decide(server, run, act, user="vera").status_code
    assert "right" == header(server, run, user="vera")["actions"][act]


def test_a_decision_airflow_could_not_be_told_of_holds_and_can_be_told_again(
    make_dag: MakeDag,
    server: TestClient,
    airflow_store: Store,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    run = asked(make_dag)
    with monkeypatch.context() as meanwhile:
        # As if the root middleware had not been there.
        meanwhile.setattr("smsflow_provider.plugins.api.airflow_api.INNER", "nowhere")
        answer = decide(server, run)

    assert 202 == answer.status_code
    assert answer.json()["do"]
    assert [REVIEW] == run.waiting()
    assert "approved" == header(server, run)["state"]

    assert header(server, run)["unheard"] is None  # it may still be on its way
    with airflow_store.transaction() as connection:
        connection.execute(
            "UPDATE smsflow_approvals SET decided_at = now() - interval '16 seconds'"
        )
    late = header(server, run)
    assert ("waits", None) == (late["unheard"], late["actions"]["tell"])
    assert "right" == header(server, run, user="vera")["actions"]["tell"]

    again = decide(server, run).json()

    assert (True, True) == (again["told"], again["already"])
    assert again["header"]["unheard"] is None
    assert "success" == run.go().state


def test_a_decision_whose_task_failed_before_says_what_to_clear(
    make_dag: MakeDag, server: TestClient
) -> None:
    run = asked(make_dag).mark(REVIEW, "failed")
    answer = decide(server, run)

    assert 202 == answer.status_code
    assert "clear it" in answer.json()["do"]
    assert "ended" == answer.json()["header"]["unheard"]


def test_four_eyes_hold_over_our_api_and_over_airflows(
    make_dag: MakeDag, server: TestClient, airflow_store: Store, simulator: RunningSimulator
) -> None:
    run = asked(make_dag, four_eyes=True)
    delivery_id = str(run.xcom("sms.prepare", "delivery"))
    with airflow_store.transaction() as connection:
        connection.execute("UPDATE smsflow_deliveries SET authors = '[\"maria\"]'")

    assert "four_eyes" == header(server, run)["actions"]["send"]
    assert 403 == decide(server, run).status_code

    # Airflow itself takes the answer; it does not count, and the task asks again.
    assert 200 == run.answer(REVIEW, "Send").status_code
    run.go()
    assert [REVIEW] == run.waiting()
    assert "answer_refused" in {
        event["event"]
        for event in read_log(airflow_store, find_delivery(airflow_store, delivery_id))
    }
    assert [] == simulator.messages()

    assert 200 == decide(server, run, user="ann").status_code
    assert ("success", 2) == (run.go().state, len(simulator.messages()))


def test_only_the_named_reviewers_decide(make_dag: MakeDag, server: TestClient) -> None:
    run = asked(make_dag, assigned_users=["ann"])

    assert "not_reviewer" == header(server, run)["actions"]["send"]
    assert 403 == decide(server, run).status_code
    assert 200 == decide(server, run, user="ann").status_code
