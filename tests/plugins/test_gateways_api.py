"""Gateways over REST: how they are, and one message through one of them."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest
from starlette.testclient import TestClient

from smsflow_provider.core.store.circuits import open_circuit
from smsflow_provider.core.store.connection import Store
from smsflow_provider.testing.simulator import RunningSimulator
from tests.airflow.running import headers_of, make_metadata

NUMBER = "+33698765432"


@pytest.fixture
def gateway(airflow_store: Store, simulator: RunningSimulator) -> RunningSimulator:
    """The simulator behind ``sms_gateway``."""
    del airflow_store
    make_metadata()
    return simulator


def gateways(server: TestClient, *, user: str = "ann") -> dict[str, Any]:
    answer = server.get("/smsflow/api/v1/gateways", headers=headers_of(user))
    assert answer.status_code == 200
    return {one["conn_id"]: one for one in answer.json()["gateways"]}


def text(
    server: TestClient,
    *,
    user: str = "ann",
    key: str = "",
    conn_id: str = "sms_gateway",
    **more: Any,
) -> Any:
    return server.post(
        f"/smsflow/api/v1/gateways/{conn_id}/test-message",
        headers=headers_of(user) | {"Idempotency-Key": key or uuid4().hex},
        json={"to": NUMBER, "text": "Does it work?"} | more,
    )


def test_a_connection_is_listed_for_who_may_see_it_and_without_its_address(
    server: TestClient, gateway: RunningSimulator
) -> None:
    one = gateways(server)["sms_gateway"]
    assert (one["conn_type"], one["problem"], one["may_test"]) == ("sms_simulator", "", True)
    assert "receipts" in one["features"]
    assert gateway.url.rpartition(":")[2] not in str(one)


def test_an_open_circuit_is_told(
    server: TestClient, gateway: RunningSimulator, airflow_store: Store
) -> None:
    del gateway
    with airflow_store.transaction() as connection:
        open_circuit(connection, "sms_gateway", period_s=60, code="http_503", is_probe=False)
    try:
        circuit = gateways(server)["sms_gateway"]["circuit"]
    finally:
        with airflow_store.transaction() as connection:
            connection.execute("DELETE FROM smsflow_circuits")
    assert (circuit["is_open"], circuit["code"], circuit["failures"]) == (True, "http_503", 1)


def test_a_test_message_goes_once_and_is_noted(
    server: TestClient, gateway: RunningSimulator, airflow_store: Store
) -> None:
    first, again = text(server, key="k7"), text(server, key="k7")
    assert (first.status_code, first.json()["result"]) == (201, "accepted")
    assert again.json() == first.json()
    assert len(gateway.messages()) == 1
    assert gateways(server, user="maria")["sms_gateway"]["conn_type"] is None
    with airflow_store.transaction() as connection:
        row = connection.execute(
            "SELECT actor, facts FROM smsflow_audit WHERE action = 'test_message' LIMIT 1"
        ).fetchone()
    assert row == {"actor": "ann", "facts": {"gateway": "sms_gateway"}}


def test_a_test_message_is_for_who_may_see_the_connection(
    server: TestClient, gateway: RunningSimulator
) -> None:
    assert text(server, user="maria").status_code == 403
    assert text(server, user="vera").status_code == 403
    assert gateway.messages() == []


def test_no_other_number_is_texted_than_the_environment_allows(
    server: TestClient, gateway: RunningSimulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AIRFLOW__SMSFLOW__ALLOWED_NUMBERS", "+33600000000")
    answer = text(server)
    assert answer.json()["result"] == "cancelled"
    assert gateway.messages() == []


def test_what_is_wrong_with_it_is_said_without_the_number(
    server: TestClient, gateway: RunningSimulator
) -> None:
    del gateway
    wrong = text(server, to="0698765432")
    assert wrong.status_code == 422
    assert "98765432" not in wrong.text
    assert text(server, text=" ").status_code == 422


def test_a_connection_is_tested_without_a_message(
    server: TestClient, gateway: RunningSimulator
) -> None:
    path = "/smsflow/api/v1/gateways/sms_gateway/test"
    answer = server.post(path, headers=headers_of("ann"), json={}).json()
    assert answer["is_ok"], answer["message"]
    assert gateway.messages() == []
    assert server.post(path, headers=headers_of("vera"), json={}).status_code == 403
