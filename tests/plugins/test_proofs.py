"""Proofs, messages and control over REST: who may, what is said, what leaves."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest
from airflow.api_fastapi.auth.managers.simple.simple_auth_manager import SimpleAuthManager
from airflow.models.connection import Connection
from airflow.utils.session import create_session
from starlette.testclient import TestClient

from smsflow_provider.core.delivery.report import report, summaries_of
from smsflow_provider.core.states import DeliveryState
from smsflow_provider.core.store.connection import Store
from smsflow_provider.core.store.deliveries import Delivery, find_delivery, read_log
from smsflow_provider.core.store.proofs import list_proofs
from smsflow_provider.testing.gateway import RecordingGateway
from smsflow_provider.testing.simulator import RunningSimulator
from tests.airflow.fixtures import gateway_connection
from tests.airflow.running import headers_of, make_metadata
from tests.prepared_delivery import approve, make_prepared
from tests.sending import run_send

TEST_NUMBER = "+33698765432"
ROUTES = [
    ("GET", "messages"),
    ("GET", "proofs"),
    ("POST", "proofs"),
    ("POST", "pause"),
    ("POST", "resume"),
    ("POST", "stop"),
]


@pytest.fixture
def delivery(airflow_store: Store, simulator: RunningSimulator) -> Delivery:
    """A delivery of two messages that waits for its review; the gateway has got nothing yet."""
    del simulator
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


def call(
    server: TestClient, method: str, path: str, *, user: str | None = "maria", **more: Any
) -> Any:
    headers = {**(headers_of(user) if user else {}), **more.pop("headers", {})}
    return server.request(method, f"/smsflow/api/v1/{path}", headers=headers, **more)


def prove(
    server: TestClient, delivery: Delivery, *, key: str = "k1", user: str = "maria", **changed: Any
) -> Any:
    body = {"to": [TEST_NUMBER], "fingerprint": delivery.fingerprint, "recipients": ["r1"]}
    return call(
        server,
        "POST",
        f"deliveries/{delivery.id}/proofs",
        user=user,
        json=body | changed,
        headers={"Idempotency-Key": key},
    )


def order(server: TestClient, delivery: Delivery, verb: str, *, user: str = "maria") -> Any:
    head = call(server, "GET", f"deliveries/{delivery.id}/header", user=user).json()
    looked_at = "version" if verb == "resume" else "fingerprint"
    body = {looked_at: head[looked_at]}
    return call(server, "POST", f"deliveries/{delivery.id}/{verb}", user=user, json=body)


# Who may


@pytest.mark.parametrize(("method", "route"), ROUTES)
def test_nobody_does_anything_without_a_login(
    method: str, route: str, server: TestClient, delivery: Delivery
) -> None:
    answer = call(server, method, f"deliveries/{delivery.id}/{route}", user=None, json={})

    assert 401 == answer.status_code


@pytest.mark.parametrize(("method", "route"), ROUTES)
def test_what_one_may_not_see_is_not_there(
    method: str, route: str, server: TestClient, delivery: Delivery, hidden: None
) -> None:
    del hidden
    body = {"to": [TEST_NUMBER], "fingerprint": "f"} if route == "proofs" else {}
    key = {"Idempotency-Key": "k"}
    answers = [
        call(server, method, f"deliveries/{name}/{route}", json=body, headers=key)
        for name in (delivery.id, "no-such-delivery")
    ]

    assert [404, 404] == [each.status_code for each in answers]
    assert answers[0].json() == answers[1].json()


def test_a_viewer_sees_messages_and_proofs_and_sends_none(
    server: TestClient, delivery: Delivery, simulator: RunningSimulator, airflow_store: Store
) -> None:
    proof = prove(server, delivery, user="vera")
    orders = [order(server, delivery, verb, user="vera") for verb in ("pause", "resume", "stop")]
    seen = [
        call(server, "GET", f"deliveries/{delivery.id}/{route}", user="vera")
        for route in ("messages", "proofs")
    ]

    assert [403] * 4 == [each.status_code for each in (proof, *orders)]
    assert "application/problem+json" == proof.headers["content-type"]
    assert [200, 200] == [each.status_code for each in seen]
    assert {"delivery": delivery.id, "proofs": []} == seen[1].json()
    assert [] == simulator.messages()
    assert DeliveryState.READY is find_delivery(airflow_store, delivery.id).state


# Proofs


def test_a_proof_is_sent_to_the_test_number_and_its_author_is_recorded(
    server: TestClient, delivery: Delivery, simulator: RunningSimulator, airflow_store: Store
) -> None:
    answer = prove(server, delivery)
    report = answer.json()

    assert 201 == answer.status_code
    assert [(TEST_NUMBER, "PROOF #1 Hello 1")] == [
        (one["to"], one["text"]) for one in simulator.messages()
    ]
    assert ("finished", 1, "maria") == (
        report["state"],
        report["accepted"],
        report["proof"]["by"],
    )
    (line,) = [row for row in read_log(airflow_store, delivery) if row["event"] == "proof_sent"]
    assert ("maria", 1) == (line["facts"]["by"], line["facts"]["proof"])
    assert DeliveryState.READY is find_delivery(airflow_store, delivery.id).state


def test_a_proof_is_told_as_the_core_tells_it(
    server: TestClient, delivery: Delivery, airflow_store: Store
) -> None:
    sent = prove(server, delivery).json()
    listed = call(server, "GET", f"deliveries/{delivery.id}/proofs").json()

    assert report(airflow_store, sent["delivery"]) == sent
    of_it = summaries_of(airflow_store, list_proofs(airflow_store, delivery))
    assert {"delivery": delivery.id, "proofs": of_it} == listed


def test_the_same_request_again_sends_nothing_again(
    server: TestClient, delivery: Delivery, simulator: RunningSimulator
) -> None:
    first, again = prove(server, delivery), prove(server, delivery)

    assert first.json() == again.json()
    assert 1 == len(simulator.messages())


def test_another_request_under_the_same_key_is_a_conflict(
    server: TestClient, delivery: Delivery, simulator: RunningSimulator
) -> None:
    prove(server, delivery)
    answer = prove(server, delivery, mark=False)

    assert 409 == answer.status_code
    assert {"title": "this key was used for another proof: nothing was sent", "status": 409} == (
        answer.json()
    )
    assert 1 == len(simulator.messages())


def test_other_content_than_was_looked_at_is_a_conflict(
    server: TestClient, delivery: Delivery, simulator: RunningSimulator
) -> None:
    answer = prove(server, delivery, fingerprint="0" * 64)

    assert 409 == answer.status_code
    assert [] == simulator.messages()


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"to": []}, "to"),
        ({"to": [TEST_NUMBER] * 101}, "to"),
        ({"to": ["06 98 76"]}, "by place"),
        ({"to": ["+3369876543298765432" * 20]}, "to"),
        ({"random": 101}, "random"),
        ({"random": -1}, "random"),
        ({"picks": ["longer"]}, "picks"),
        ({"recipients": ["r1", "x1"]}, "at these places: 2"),
        ({"nmae": 1}, "nmae"),
        ({"fingerprint": None}, "fingerprint"),
    ],
)
def test_a_request_that_is_wrong_says_what_without_a_number(
    server: TestClient,
    delivery: Delivery,
    simulator: RunningSimulator,
    changed: dict[str, Any],
    said: str,
) -> None:
    answer = prove(server, delivery, **changed)

    assert 422 == answer.status_code, answer.text
    assert said in answer.text
    assert all({"field", "text"} == set(each) for each in answer.json().get("problems", []))
    assert "98" not in answer.text
    assert [] == simulator.messages()


@pytest.mark.parametrize("headers", [{}, {"Idempotency-Key": ""}, {"Idempotency-Key": "k" * 256}])
def test_a_proof_wants_a_key(
    server: TestClient, delivery: Delivery, headers: dict[str, str]
) -> None:
    body = {"to": [TEST_NUMBER], "fingerprint": delivery.fingerprint}
    answer = call(server, "POST", f"deliveries/{delivery.id}/proofs", json=body, headers=headers)

    assert 422 == answer.status_code
    assert ["Idempotency-Key"] == [each["field"] for each in answer.json()["problems"]]


def test_a_form_of_another_site_starts_nothing(
    server: TestClient, delivery: Delivery, simulator: RunningSimulator, airflow_store: Store
) -> None:
    body = json.dumps({"to": [TEST_NUMBER], "fingerprint": delivery.fingerprint})
    headers = {"Idempotency-Key": "k", "Content-Type": "text/plain"}
    place = f"deliveries/{delivery.id}"
    answers = [
        call(server, "POST", f"{place}/proofs", content=body, headers=headers),
        call(server, "POST", f"{place}/stop", content="{}", headers=headers),
        call(server, "POST", f"{place}/stop"),
    ]

    assert [422] * 3 == [each.status_code for each in answers]
    assert [] == simulator.messages()
    assert DeliveryState.READY is find_delivery(airflow_store, delivery.id).state


def test_a_gateway_that_is_kept_in_airflows_metadata_is_found(
    server: TestClient,
    delivery: Delivery,
    simulator: RunningSimulator,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("AIRFLOW_CONN_SMS_GATEWAY")
    host, _, port = simulator.url.removeprefix("http://").partition(":")
    kept = Connection(conn_id="sms_gateway", conn_type="sms_simulator", host=host, port=int(port))
    with create_session() as session:
        session.add(kept)
    try:
        answer = prove(server, delivery)
    finally:
        with create_session() as session:
            session.delete(session.merge(kept))

    assert (201, 1) == (answer.status_code, len(simulator.messages()))


def test_a_gateway_that_is_not_configured_is_no_fault_of_the_request(
    server: TestClient,
    delivery: Delivery,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("AIRFLOW_CONN_SMS_GATEWAY")
    answer = prove(server, delivery)

    assert 503 == answer.status_code
    assert "there is no such connection" in answer.json()["title"]


def test_a_gateway_that_refuses_everything_is_told_and_gone_on_with_when_mended(
    server: TestClient,
    delivery: Delivery,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    answers = []
    with RunningSimulator(api_key="right") as guarded:
        for password in ("wrong", "right"):
            connection = gateway_connection(guarded.url, password=password)
            monkeypatch.setenv("AIRFLOW_CONN_SMS_GATEWAY", connection)
            answers.append(prove(server, delivery))
        taken = len(guarded.messages())

    assert [502, 201] == [each.status_code for each in answers]
    assert "the gateway refuses every message" in answers[0].json()["title"]
    assert (1, 1) == (answers[1].json()["accepted"], taken)


def test_the_allow_list_holds_for_a_proof(
    server: TestClient,
    delivery: Delivery,
    simulator: RunningSimulator,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("AIRFLOW__SMSFLOW__ALLOWED_NUMBERS", "none")
    report = prove(server, delivery).json()

    assert 1 == report["cancelled"]
    assert [] == simulator.messages()


def test_proofs_are_listed_apart_from_deliveries(server: TestClient, delivery: Delivery) -> None:
    prove(server, delivery)
    prove(server, delivery, key="k2")
    proofs = call(server, "GET", f"deliveries/{delivery.id}/proofs", user="vera").json()["proofs"]

    def listed(**params: str) -> list[str]:
        page = call(server, "GET", "deliveries", params={"limit": "3", **params}).json()
        return [each["delivery"] for each in page["deliveries"]]

    assert [2, 1] == [each["proof"]["no"] for each in proofs]
    assert delivery.id == listed()[0]
    assert [each["delivery"] for each in proofs] == listed(kind="proof")[:2]
    assert [*[each["delivery"] for each in proofs], delivery.id] == listed(kind="all")
    assert "98765432" not in json.dumps(proofs)


def test_a_viewer_of_the_dag_may_look_at_a_proof(server: TestClient, delivery: Delivery) -> None:
    proof_id = prove(server, delivery).json()["delivery"]
    report = call(server, "GET", f"deliveries/{proof_id}", user="vera")
    page = server.get(f"/smsflow/deliveries/{proof_id}", headers=headers_of("vera"))

    assert (200, delivery.id) == (report.status_code, report.json()["proof"]["of"])
    assert (200, True) == (page.status_code, "PROOF #1 of" in page.text)


# Messages


def test_messages_are_shown_with_texts_and_masked_numbers(
    server: TestClient, delivery: Delivery
) -> None:
    def texts(**params: Any) -> list[str]:
        answer = call(
            server, "GET", f"deliveries/{delivery.id}/messages", user="vera", params=params
        )
        assert "3360000" not in answer.text
        return [each["text"] for each in answer.json()["messages"]]

    assert ["Hello 2", "Hello 1"] == texts(position=[2, 1])
    assert ["Hello 2"] == texts(recipient="r2")
    assert [] == texts() == texts(pick="longest") == texts(recipient="x1")


@pytest.mark.parametrize(
    ("params", "field"),
    [
        ({"recipient": "+33612345671"}, "recipient"),
        ({"position": 0}, "position"),
        ({"position": "x"}, "position"),
        ({"pick": "longer"}, "pick"),
    ],
)
def test_a_question_that_is_wrong_is_refused_without_quoting_it(
    server: TestClient, delivery: Delivery, params: dict[str, Any], field: str
) -> None:
    answer = call(server, "GET", f"deliveries/{delivery.id}/messages", params=params)

    assert 422 == answer.status_code
    assert [field] == [each["field"] for each in answer.json()["problems"]]
    assert "61234" not in answer.text


# Pause, resume, stop


def test_an_approved_delivery_is_stopped_for_good(
    server: TestClient, delivery: Delivery, simulator: RunningSimulator, airflow_store: Store
) -> None:
    approve(airflow_store, delivery.id)
    answer = order(server, delivery, "stop")

    assert 200 == answer.status_code
    assert ("stopped", 2, 0) == tuple(
        answer.json()[name] for name in ("state", "cancelled", "waiting")
    )
    assert "maria" == find_delivery(airflow_store, delivery.id).moved_by
    assert 409 == order(server, delivery, "resume").status_code
    assert [] == simulator.messages()


def test_a_delivery_that_is_being_sent_is_paused_and_goes_on(
    server: TestClient, delivery: Delivery, airflow_store: Store
) -> None:
    put_state(airflow_store, delivery, "sending")
    paused = order(server, delivery, "pause")
    again = order(server, delivery, "pause")
    resumed = order(server, delivery, "resume")

    assert ["paused", "paused", "sending"] == [
        each.json()["state"] for each in (paused, again, resumed)
    ]


def put_state(store: Store, delivery: Delivery, state: str) -> None:
    with store.transaction() as connection:
        connection.execute("ALTER TABLE smsflow_deliveries DISABLE TRIGGER ALL")
        connection.execute(
            "UPDATE smsflow_deliveries SET state = %s WHERE no = %s", (state, delivery.no)
        )
        connection.execute("ALTER TABLE smsflow_deliveries ENABLE TRIGGER ALL")


@pytest.mark.parametrize("verb", ["pause", "resume", "stop"])
def test_a_delivery_that_waits_for_its_review_cannot_be_held(
    verb: str, server: TestClient, delivery: Delivery
) -> None:
    answer = order(server, delivery, verb)

    assert 409 == answer.status_code
    assert "application/problem+json" == answer.headers["content-type"]


def test_a_preparation_is_seen_on_its_way_and_stopped(
    server: TestClient, delivery: Delivery, airflow_store: Store
) -> None:
    put_state(airflow_store, delivery, "preparing")
    with airflow_store.transaction() as connection:
        connection.execute(
            "UPDATE smsflow_preparations SET progress = %s WHERE no = %s",
            (json.dumps({"step": "texts", "targeted": 1400, "texts": 700}), delivery.preparation),
        )
    seen = call(server, "GET", f"deliveries/{delivery.id}").json()
    page = server.get(f"/smsflow/deliveries/{delivery.id}", headers=headers_of("vera")).text
    stopped = order(server, delivery, "stop")

    assert ("preparing", 700) == (seen["state"], seen["progress"]["texts"])
    assert 'texts written<span class="bar"><i style="width:50.0%">' in page
    assert '<meta http-equiv="refresh" content="5">' in page
    assert (200, "draft") == (stopped.status_code, stopped.json()["state"])


def test_a_delivery_that_was_sent_is_proved_still_and_held_no_more(
    server: TestClient, delivery: Delivery, simulator: RunningSimulator, airflow_store: Store
) -> None:
    approve(airflow_store, delivery.id)
    run_send(airflow_store, RecordingGateway(), delivery.id)

    assert 201 == prove(server, delivery).status_code
    assert 1 == len(simulator.messages())
    assert 409 == order(server, delivery, "pause").status_code


# The page of the review


def test_the_page_shows_cost_picks_and_where_a_text_is_cut(
    server: TestClient, delivery: Delivery, airflow_store: Store
) -> None:
    country = {"country": "FR", "messages": 2, "parts": 3, "prices": ["0.045"], "cost": "0.135000"}
    other = {"country": "BR", "messages": 1, "parts": 1, "prices": [], "cost": None}
    cost = {
        "currency": "EUR",
        "as_of": "2026-11-01",
        "total": "0.135000",
        "is_complete": False,
        "countries": [country, other],
        "missing": [{"country": "BR", "messages": 1, "parts": 1}],
        "rates": [{"country": "FR", "sender": "*", "price": "0.045"}],
    }
    figures = {"samples": {"first": [1], "longest": 2, "parts": {"1": 1, "2": 2}}, "cost": cost}
    with airflow_store.transaction() as connection:
        connection.execute(
            "UPDATE smsflow_deliveries SET figures = figures || %s::jsonb WHERE no = %s",
            (json.dumps(figures), delivery.no),
        )
        connection.execute(
            "UPDATE smsflow_messages SET body = %s, parts = 2"
            " WHERE preparation = %s AND position = 2",
            ("<" * 153 + "tail of it", delivery.preparation),
        )
    page = server.get(f"/smsflow/deliveries/{delivery.id}", headers=headers_of("vera")).text

    assert "Cost, at least<b>0.14 EUR</b>" in page
    assert "no price" in page
    assert "prices of 2026-11-01" in page
    assert '<span class="chip">longest</span> <span class="chip">2 parts</span>' in page
    assert '&lt;<span class="cut" data-part="part 2"></span>tail of it' in page
    assert "0.09 EUR" in page


def test_the_page_tells_what_changed_since_the_former_run(
    server: TestClient, delivery: Delivery, airflow_store: Store
) -> None:
    task = f"sms-{uuid4().hex}"
    later = make_prepared(airflow_store, count=5, delivery_id=f"d-{uuid4().hex}")
    texts = {delivery.no: "Hi & welcome", later.no: "Hi & goodbye"}
    with airflow_store.transaction() as connection:
        for no, body in texts.items():
            connection.execute(
                "UPDATE smsflow_deliveries SET task_id = %s, fingerprint = %s,"
                " template = template || %s::jsonb WHERE no = %s",
                (task, f"{no}", json.dumps({"body": body}), no),
            )
    page = server.get(f"/smsflow/deliveries/{later.id}", headers=headers_of("vera")).text
    first = server.get(f"/smsflow/deliveries/{delivery.id}", headers=headers_of("vera")).text
    review = call(server, "GET", f"deliveries/{later.id}/review", user="vera").json()

    assert "Since the former run" not in first
    assert f'<a href="{delivery.id}">' in page
    assert '<td class="n"><b>+3</b></td>' in page
    assert '<span class="gone">-Hi &amp; welcome</span>' in page
    assert '<span class="add">+Hi &amp; goodbye</span>' in page
    assert (2, 5) == tuple(
        review["changes"]["figures"]["to_deliver"][name] for name in ("before", "after")
    )
