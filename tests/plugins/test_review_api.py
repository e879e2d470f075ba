"""The review over REST: what is shown to whom, lists by reason, look-ups, whole numbers."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest
from airflow.api_fastapi.auth.managers.simple.simple_auth_manager import SimpleAuthManager
from starlette.testclient import TestClient

from smsflow_provider.core.store.connection import Row, Store
from smsflow_provider.core.store.deliveries import Delivery
from tests.airflow.running import make_metadata
from tests.plugins.calling import call
from tests.prepared_delivery import make_prepared

PHONE = "+33600000002"
ROUTES = [
    ("GET", "review", None),
    ("GET", "messages", None),
    ("GET", "exclusions?reason=opted_out", None),
    ("POST", "why", {"recipient_id": "r1"}),
    ("POST", "unmask", {"positions": [1], "fingerprint": "f"}),
]


@pytest.fixture
def delivery(airflow_store: Store) -> Delivery:
    """A delivery of two messages and three exclusions that waits for its review."""
    make_metadata()
    return make_prepared(airflow_store, count=2, delivery_id=f"d-{uuid4().hex}")


@pytest.fixture
def hidden() -> Iterator[None]:
    """An authorisation under which nobody may see a DAG of the test."""
    manager: Any = SimpleAuthManager
    allowed = manager.is_authorized_dag
    manager.is_authorized_dag = lambda *_, **__: False
    yield
    manager.is_authorized_dag = allowed


def audit_of(store: Store, delivery: Delivery) -> list[Row]:
    with store.transaction() as connection:
        return connection.execute(
            "SELECT actor, action, facts FROM smsflow_audit WHERE delivery_no = %s", [delivery.no]
        ).fetchall()


@pytest.mark.parametrize(("method", "route", "body"), ROUTES)
def test_nothing_is_shown_without_a_login_or_of_a_hidden_dag(
    method: str, route: str, body: Any, server: TestClient, delivery: Delivery, hidden: None
) -> None:
    del hidden, method

    assert 401 == call(server, delivery, route, body, user=None).status_code
    assert 404 == call(server, delivery, route, body).status_code


def test_a_review_says_all_that_its_page_shows(server: TestClient, delivery: Delivery) -> None:
    seen = call(server, delivery, "review", user="vera")
    shown = seen.json()

    assert 200 == seen.status_code
    assert (5, 2, ["invalid_number", "opted_out"]) == (
        shown["targeted"],
        shown["to_deliver"],
        [step["reason"] for step in shown["waterfall"]],
    )
    assert (None, False) == (shown["archived"], shown["may_unmask"])
    assert "sms_gateway" == shown["leaving"]["gateways"][0]["conn_id"]
    assert call(server, delivery, "review").json()["may_unmask"]


def test_a_page_of_exclusions_leads_to_the_next(server: TestClient, delivery: Delivery) -> None:
    route = "exclusions?reason=invalid_number&limit=1"
    first = call(server, delivery, route, user="vera").json()
    second = call(server, delivery, f"{route}&after={first['next']}", user="vera").json()
    third = call(server, delivery, f"{route}&after={second['next']}", user="vera").json()

    assert [["x1"], ["x2"], []] == [
        [one["recipient_id"] for one in page["people"]] for page in (first, second, third)
    ]
    assert (2, None) == (first["total"], third["next"])
    assert 422 == call(server, delivery, "exclusions?reason=bored").status_code


@pytest.mark.parametrize(
    ("body", "messages", "reasons"),
    [
        ({"number": PHONE}, ["r2"], []),
        ({"number": "06 00 00 00 02"}, ["r2"], []),
        ({"number": "+33699999999"}, [], ["opted_out"]),
        ({"recipient_id": "x1"}, [], ["invalid_number"]),
        ({"recipient_id": "nobody"}, [], []),
    ],
)
def test_one_person_is_looked_up_by_number_or_id(
    body: Any, messages: list[str], reasons: list[str], server: TestClient, delivery: Delivery
) -> None:
    answer = call(server, delivery, "why", body, user="vera")
    found = answer.json()

    assert (messages, reasons) == (
        [one["recipient_id"] for one in found["messages"]],
        [one["reason"] for one in found["exclusions"]],
    )
    assert "336" not in answer.text


@pytest.mark.parametrize(
    "body",
    [{}, {"number": "+336", "recipient_id": "r1"}, {"number": "+3360000"}, {"nmuber": "+3360000"}],
)
def test_a_look_up_that_is_wrong_does_not_repeat_the_number(
    body: Any, server: TestClient, delivery: Delivery
) -> None:
    answer = call(server, delivery, "why", body)

    assert 422 == answer.status_code
    assert "336" not in answer.text


def test_who_may_send_sees_whole_numbers_and_it_is_noted(
    server: TestClient, delivery: Delivery, airflow_store: Store
) -> None:
    body = {"positions": [2], "fingerprint": delivery.fingerprint}
    answer = call(server, delivery, "unmask", body)

    assert [{"position": 2, "phone": PHONE}] == answer.json()["phones"]
    assert "no-store" == answer.headers["cache-control"]
    (line,) = audit_of(airflow_store, delivery)
    assert ("maria", "unmasked", {"positions": [2]}) == (
        line["actor"],
        line["action"],
        line["facts"],
    )
    with airflow_store.transaction() as connection:
        kept = connection.execute("SELECT answer FROM smsflow_requests").fetchall()
    assert PHONE not in json.dumps([row["answer"] for row in kept])


def test_a_viewer_sees_no_whole_number(
    server: TestClient, delivery: Delivery, airflow_store: Store
) -> None:
    body = {"positions": [2], "fingerprint": delivery.fingerprint}
    answer = call(server, delivery, "unmask", body, user="vera")

    assert (403, "application/problem+json") == (
        answer.status_code,
        answer.headers["content-type"],
    )
    assert PHONE not in answer.text
    assert [] == audit_of(airflow_store, delivery)


@pytest.mark.parametrize(
    ("changed", "status"),
    [
        ({"fingerprint": "0" * 64}, 409),
        ({"positions": []}, 422),
        ({"positions": list(range(1, 102))}, 422),
        ({"positions": [0]}, 422),
        ({"why": "curious"}, 422),
    ],
)
def test_numbers_of_another_review_or_too_many_are_not_shown(
    changed: Any, status: int, server: TestClient, delivery: Delivery, airflow_store: Store
) -> None:
    body = {"positions": [2], "fingerprint": delivery.fingerprint} | changed

    assert status == call(server, delivery, "unmask", body).status_code
    assert [] == audit_of(airflow_store, delivery)
