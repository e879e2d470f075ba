"""Writes that are asked for twice under one key."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest
from starlette.testclient import TestClient

from smsflow_provider.core.store.connection import Store
from smsflow_provider.core.store.requests import (
    Asked,
    Claim,
    Used,
    answer_request,
    begin_request,
    forget_old_requests,
    release_request,
)
from tests.airflow.running import headers_of, make_metadata

ADD = {"number": "+33612000111", "reason": "asked by letter", "scope": "sender:ACME"}
REMOVE = {"number": "+33612000111", "reason": "a mistake", "every_scope": True}


@pytest.fixture
def key(airflow_store: Store, server: TestClient) -> Iterator[str]:
    """A key nobody used; the list is as before afterwards."""
    del airflow_store
    make_metadata()
    yield uuid4().hex
    call(server, "opt-outs/remove", REMOVE)


def call(
    server: TestClient, path: str, body: Any, *, key: str | None = None, user: str = "ann"
) -> Any:
    headers = headers_of(user) | ({} if key is None else {"Idempotency-Key": key})
    return server.post(f"/smsflow/api/v1/{path}", headers=headers, json=body)


def asked(**changes: Any) -> Asked:
    fields: dict[str, Any] = {"key": uuid4().hex, "route": "POST /x", "body_hash": b"1"}
    return Asked(actor="ann", **(fields | changes))


def age(store: Store, request: Asked, age: str) -> None:
    with store.transaction() as connection:
        connection.execute(
            "UPDATE smsflow_requests SET begun_at = begun_at - %s::interval WHERE key = %s",
            (age, request.key),
        )


def test_the_same_request_again_gets_the_first_answer(server: TestClient, key: str) -> None:
    first = call(server, "opt-outs", ADD, key=key)
    again = call(server, "opt-outs", ADD, key=key)
    without = call(server, "opt-outs", ADD)

    assert [201, 201, 201] == [each.status_code for each in (first, again, without)]
    assert [1, 1, 0] == [each.json()["changed"] for each in (first, again, without)]
    assert "true" == again.headers["Idempotency-Replayed"]
    assert "Idempotency-Replayed" not in first.headers


def test_a_key_is_for_one_request_of_one_person(server: TestClient, key: str) -> None:
    call(server, "opt-outs", ADD, key=key)
    other_body = call(server, "opt-outs", {**ADD, "scope": ""}, key=key)
    other_route = call(server, "opt-outs/remove", REMOVE, key=key)
    other_person = call(server, "opt-outs", ADD, key=key, user="maria")

    assert [422, 422] == [other_body.status_code, other_route.status_code]
    assert "take a new one" in other_body.json()["title"]
    assert other_person.status_code in {201, 403}
    assert "Idempotency-Replayed" not in other_person.headers


def test_what_was_refused_may_be_tried_again(server: TestClient, key: str) -> None:
    body = {**ADD, "number": "nonsense"}
    answers = [call(server, "opt-outs", body, key=key) for _ in range(2)]

    assert [422, 422] == [each.status_code for each in answers]
    assert 201 == call(server, "opt-outs", ADD, key=key).status_code


@pytest.mark.parametrize("wrong", ["", "k" * 256])
def test_a_key_that_is_none_does_nothing(server: TestClient, key: str, wrong: str) -> None:
    del key

    assert 422 == call(server, "opt-outs", ADD, key=wrong).status_code
    assert 1 == call(server, "opt-outs", ADD).json()["changed"]


def test_a_key_is_no_login(server: TestClient, key: str) -> None:
    call(server, "opt-outs", ADD, key=key)
    headers = {"Idempotency-Key": key}

    assert 401 == server.post("/smsflow/api/v1/opt-outs", headers=headers, json=ADD).status_code


def test_a_look_up_is_not_remembered(server: TestClient, key: str, airflow_store: Store) -> None:
    call(server, "opt-outs/search", {"number": ADD["number"]}, key=key)

    assert isinstance(begin_request(airflow_store, asked(key=key)), Claim)


def test_of_two_at_once_one_is_done_and_the_other_told(airflow_store: Store) -> None:
    request = asked()
    first, second = (begin_request(airflow_store, request) for _ in range(2))

    assert isinstance(first, Claim)
    assert Used(is_same=True, status=None, answer=None) == second


def test_a_died_process_keeps_its_key_for_a_minute_from_the_same_request(
    airflow_store: Store,
) -> None:
    request = asked()
    died = begin_request(airflow_store, request)
    age(airflow_store, request, "61 seconds")
    other = begin_request(airflow_store, asked(key=request.key, body_hash=b"2"))
    taken = begin_request(airflow_store, request)

    assert isinstance(other, Used)
    assert isinstance(died, Claim)
    assert isinstance(taken, Claim)
    # Not dead after all: what it has to say comes too late.
    answer_request(airflow_store, died, status=200, answer={"late": True})
    release_request(airflow_store, died)
    answer_request(airflow_store, taken, status=200, answer={"late": False})
    assert Used(is_same=True, status=200, answer={"late": False}) == begin_request(
        airflow_store, request
    )


def test_answers_are_kept_for_a_day(airflow_store: Store) -> None:
    kept, old = asked(), asked()
    for each in (kept, old):
        claim = begin_request(airflow_store, each)
        assert isinstance(claim, Claim)
        answer_request(airflow_store, claim, status=201, answer={})
    age(airflow_store, old, "25 hours")

    assert forget_old_requests(airflow_store) >= 1
    assert isinstance(begin_request(airflow_store, kept), Used)
    assert isinstance(begin_request(airflow_store, old), Claim)
