"""Resending and the switch over REST: who may, what is said, what stands afterwards."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest
from airflow.api_fastapi.auth.managers.simple.simple_auth_manager import SimpleAuthManager
from starlette.testclient import TestClient

from smsflow_provider.core.delivery.switch import find_switch, switch_off, switch_on
from smsflow_provider.core.states import DeliveryState
from smsflow_provider.core.store.connection import Store
from smsflow_provider.core.store.deliveries import Delivery, find_delivery
from smsflow_provider.testing.simulator import RunningSimulator
from tests.airflow.running import headers_of, make_metadata
from tests.governed import count, look, make_going, mark, move, settle

WAVES = {"waves": {"shares": ["50%"], "wait": "0s", "ask": True}}


@pytest.fixture
def going(airflow_store: Store) -> Iterator[Delivery]:
    """A delivery that is being sent; the switch is on again afterwards."""
    make_metadata()
    yield make_going(airflow_store, count=4, delivery_id=f"d-{uuid4().hex}", sending=WAVES)
    switch_on(airflow_store, actor="test")


@pytest.fixture
def ended(airflow_store: Store, going: Delivery) -> Delivery:
    """A finished one: the first message failed, the second expired."""
    mark(airflow_store, going, 1, 3, 4)
    settle(airflow_store, going, "failed", 1)
    settle(airflow_store, going, "expired", 2)
    settle(airflow_store, going, "accepted", 3, 4)
    move(airflow_store, going, "finished")
    return find_delivery(airflow_store, going.id)


@pytest.fixture
def one_dag_only() -> Iterator[None]:
    """An authorisation under which nobody has a right on all DAGs, only on named ones."""
    manager: Any = SimpleAuthManager
    allowed = manager.is_authorized_dag

    def is_authorized_dag(self: Any, *, details: Any = None, **rest: Any) -> bool:
        named = details is not None or rest["method"] == "GET"
        return named and bool(allowed(self, details=details, **rest))

    manager.is_authorized_dag = is_authorized_dag
    yield
    manager.is_authorized_dag = allowed


def call(server: TestClient, path: str, body: Any = None, *, user: str | None = "maria") -> Any:
    method = "GET" if body is None else "POST"
    headers = headers_of(user) if user else {}
    return server.request(method, f"/smsflow/api/v1/{path}", headers=headers, json=body)


def version(server: TestClient, delivery: Delivery) -> dict[str, str]:
    """Look at *delivery*, and name where it stands."""
    told = call(server, f"deliveries/{delivery.id}/header", user="ann").json()
    return {"version": told["version"]}


def resend(server: TestClient, delivery: Delivery, *kinds: str, user: str | None = "maria") -> Any:
    body = {"kinds": list(kinds), **version(server, delivery)}
    return call(server, f"deliveries/{delivery.id}/resend", body, user=user)


def resume(server: TestClient, delivery: Delivery) -> Any:
    return call(server, f"deliveries/{delivery.id}/resume", version(server, delivery))


def switch_version(server: TestClient) -> dict[str, Any]:
    return {"version": call(server, "switch").json()["at"] or "2026-01-01T00:00:00Z"}


def test_resending_answers_with_the_report_and_what_to_do(
    server: TestClient, ended: Delivery, airflow_store: Store
) -> None:
    answer = resend(server, ended, "failed", "expired")

    assert 200 == answer.status_code
    told = answer.json()
    assert ("sending", 2, 2, 2) == (
        told["state"],
        told["resent"],
        told["waiting"],
        told["accepted"],
    )
    assert "clear the send task" in told["do"]
    assert "maria" == find_delivery(airflow_store, ended.id).moved_by


@pytest.mark.parametrize("body", [{}, {"kinds": []}, {"kinds": ["unknown"]}, {"kinds": "failed"}])
def test_what_may_have_left_cannot_even_be_asked_for(
    server: TestClient, ended: Delivery, airflow_store: Store, body: Any
) -> None:
    seen = version(server, ended)
    answer = call(server, f"deliveries/{ended.id}/resend", {**body, **seen})

    assert 422 == answer.status_code
    assert DeliveryState.FINISHED is find_delivery(airflow_store, ended.id).state


def test_a_delivery_that_has_not_finished_is_not_sent_again(
    server: TestClient, going: Delivery
) -> None:
    answer = resend(server, going, "failed")

    assert (409, "only a finished delivery can be sent again") == (
        answer.status_code,
        answer.json()["title"],
    )


def test_only_who_may_send_it_may_send_it_again(server: TestClient, ended: Delivery) -> None:
    answers = [resend(server, ended, "failed", user=user) for user in (None, "vera", "maria")]

    assert [401, 403, 200] == [each.status_code for each in answers]


def test_the_switch_pauses_what_is_sent_and_is_shown_to_everybody(
    server: TestClient, going: Delivery
) -> None:
    before = call(server, "switch", user="vera").json()
    off = call(server, "switch/off", {"reason": "wrong price"}).json()
    shown = call(server, "switch", user="vera").json()

    assert not before["is_off"]
    assert going.id in off["paused"]
    assert (True, "wrong price", "maria") == (shown["is_off"], shown["reason"], shown["by"])
    report = call(server, f"deliveries/{going.id}", user="vera").json()
    assert ("paused", "switch") == (report["state"], report["pause_reason"])


def test_while_it_is_off_resuming_is_refused_and_afterwards_it_is_one_by_one(
    server: TestClient, going: Delivery
) -> None:
    call(server, "switch/off", {})
    refused = resume(server, going)
    on = call(server, "switch/on", switch_version(server)).json()
    still = call(server, f"deliveries/{going.id}").json()
    resumed = resume(server, going).json()

    assert 409 == refused.status_code
    assert refused.json()["title"].startswith("everything is switched off")
    assert not on["is_off"]
    assert ["paused", "sending"] == [still["state"], resumed["state"]]
    assert "pause_reason" not in resumed


@pytest.mark.parametrize("act", ["on", "off"])
def test_only_who_may_send_every_delivery_may_turn_the_switch(
    server: TestClient, airflow_store: Store, act: str
) -> None:
    make_metadata()
    body = switch_version(server) if act == "on" else {}
    answers = [call(server, f"switch/{act}", body, user=user) for user in (None, "vera")]

    assert [401, 403] == [each.status_code for each in answers]
    assert not find_switch(airflow_store).is_off


def test_a_right_on_one_dag_is_none_on_the_switch(
    server: TestClient, going: Delivery, airflow_store: Store, one_dag_only: None
) -> None:
    del one_dag_only
    acts = {"off": {}, "on": switch_version(server)}
    answers = [call(server, f"switch/{act}", body) for act, body in acts.items()]

    assert [403, 403] == [each.status_code for each in answers]
    assert DeliveryState.SENDING is find_delivery(airflow_store, going.id).state
    body = {"fingerprint": going.fingerprint}
    assert 200 == call(server, f"deliveries/{going.id}/pause", body).status_code


@pytest.mark.parametrize("body", [{"reason": "x" * 501}, {"raeson": "x"}, []])
def test_a_reason_that_cannot_be_read_turns_nothing(
    server: TestClient, airflow_store: Store, body: Any
) -> None:
    make_metadata()

    assert 422 == call(server, "switch/off", body).status_code
    assert not find_switch(airflow_store).is_off


def test_a_proof_is_refused_while_everything_is_off(
    server: TestClient, simulator: RunningSimulator, going: Delivery, airflow_store: Store
) -> None:
    del simulator
    switch_off(airflow_store, actor="ann")
    answer = server.post(
        f"/smsflow/api/v1/deliveries/{going.id}/proofs",
        headers={**headers_of("maria"), "Idempotency-Key": "k"},
        json={"to": ["+33698765432"], "fingerprint": going.fingerprint},
    )

    assert 409 == answer.status_code
    assert "switched off" in answer.json()["title"]


def test_the_report_tells_the_wave_and_why_the_delivery_waits(
    server: TestClient, going: Delivery, airflow_store: Store
) -> None:
    first = call(server, f"deliveries/{going.id}").json()
    count(airflow_store, going, accepted=2)
    look(airflow_store, going)
    look(airflow_store, going)
    asked = call(server, f"deliveries/{going.id}").json()
    resumed = resume(server, going).json()

    assert {"no": 1, "until": 2} == first["wave"]
    assert ("paused", "wave") == (asked["state"], asked["pause_reason"])
    assert {"no": 2, "until": None} == resumed["wave"]


@pytest.mark.parametrize("act", ["pause", "stop"])
def test_what_was_prepared_again_is_not_held_or_stopped_unseen(
    server: TestClient, going: Delivery, airflow_store: Store, act: str
) -> None:
    answer = call(server, f"deliveries/{going.id}/{act}", {"fingerprint": "another"})
    without = call(server, f"deliveries/{going.id}/{act}", {})

    assert (409, 422) == (answer.status_code, without.status_code)
    assert "review it" in answer.json()["title"]
    assert DeliveryState.SENDING is find_delivery(airflow_store, going.id).state


def test_whoever_resumes_must_have_seen_this_very_pause(
    server: TestClient, going: Delivery, airflow_store: Store
) -> None:
    content = {"fingerprint": going.fingerprint}
    seen = call(server, f"deliveries/{going.id}/pause", content).json()
    resume(server, going)
    switch_off(airflow_store, actor="ann")
    switch_on(airflow_store, actor="ann")
    old = call(server, f"deliveries/{going.id}/resume", {"version": seen["version"]})

    assert (409, True) == (old.status_code, "look again" in old.json()["title"])
    assert DeliveryState.PAUSED is find_delivery(airflow_store, going.id).state
    assert "sending" == resume(server, going).json()["state"]
    # Who comes second finds it done.
    assert 200 == call(server, f"deliveries/{going.id}/resume", {"version": "old"}).status_code


def test_a_switch_that_was_turned_anew_is_not_switched_on_by_who_saw_the_old(
    server: TestClient, going: Delivery, airflow_store: Store
) -> None:
    del going
    call(server, "switch/off", {"reason": "first"})
    seen = switch_version(server)
    switch_on(airflow_store, actor="ann")
    switch_off(airflow_store, actor="ann", reason="second")
    answer = call(server, "switch/on", seen)

    assert (409, True) == (answer.status_code, find_switch(airflow_store).is_off)
    assert "ann" not in answer.text
    assert not call(server, "switch/on", switch_version(server)).json()["is_off"]


def test_who_turned_the_switch_is_noted(
    server: TestClient, going: Delivery, airflow_store: Store
) -> None:
    call(server, "switch/off", {"reason": "wrong price"})
    call(server, "switch/on", switch_version(server))
    with airflow_store.transaction() as connection:
        rows = connection.execute(
            "SELECT actor, action FROM smsflow_audit ORDER BY no DESC LIMIT 2"
        ).fetchall()

    assert [("maria", "switched_on"), ("maria", "switched_off")] == [
        (row["actor"], row["action"]) for row in rows
    ]
    assert DeliveryState.PAUSED is find_delivery(airflow_store, going.id).state


def test_everybody_learns_who_they_are_and_what_they_may_do(
    server: TestClient, airflow_store: Store
) -> None:
    del airflow_store
    make_metadata()
    told = [call(server, "me", user=user).json() for user in ("maria", "vera")]

    assert ["maria", "vera"] == [each["id"] for each in told]
    assert [True, False] == [each["may"]["switch"] for each in told]
    assert 401 == call(server, "me", user=None).status_code
