"""The plugin's application: who may see what, and what it says when something is wrong."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from airflow.api_fastapi.auth.managers.simple.simple_auth_manager import SimpleAuthManager
from airflow.plugins_manager import get_import_errors, get_plugin_info
from starlette.testclient import TestClient

from smsflow_provider.core.delivery.tokens import Signer
from smsflow_provider.core.model import message_id_of
from smsflow_provider.core.store.connection import Store
from smsflow_provider.core.store.deliveries import Delivery, find_delivery
from smsflow_provider.core.store.keys import read_keys
from smsflow_provider.core.store.receipts import apply_all_receipts
from smsflow_provider.plugins.app import application
from smsflow_provider.plugins.plugin import SmsflowPlugin
from tests.airflow.fixtures import MakeDag
from tests.airflow.running import Run, headers_of, make_metadata, send
from tests.prepared_delivery import make_prepared

REVIEW = "sms.review_and_send"
GONE = {"conn_type": "smsflow_store", "host": "127.0.0.1", "port": 9, "schema": "smsflow"}
PLACES = [
    "/smsflow/api/v1/deliveries",
    "/smsflow/api/v1/deliveries/{id}",
    "/smsflow/api/v1/deliveries/{id}/review",
    "/smsflow/api/v1/deliveries/{id}/messages",
    "/smsflow/api/v1/deliveries/{id}/messages/log",
    "/smsflow/api/v1/deliveries/{id}/proofs",
    "/smsflow/deliveries/{id}",
]


@pytest.fixture
def waiting(make_dag: MakeDag) -> Run:
    """A run that waits for its review."""
    return Run.start(make_dag()).go()


@pytest.fixture
def delivery(waiting: Run, airflow_store: Store) -> Delivery:
    """Its delivery."""
    return find_delivery(airflow_store, waiting.xcom("sms.prepare", "delivery"))


@pytest.fixture
def prepared(airflow_store: Store) -> Delivery:
    """A delivery that waits for its review, straight from the store: no DAG runs for it."""
    make_metadata()
    return make_prepared(airflow_store, count=2, delivery_id=f"d-{uuid4().hex}")


@pytest.fixture
def other_dags_hidden() -> Iterator[list[str]]:
    """An authorisation under which people see only the DAGs that the test names."""
    visible: list[str] = []
    manager: Any = SimpleAuthManager
    allowed = manager.is_authorized_dag

    def is_authorized_dag(self: Any, *, details: Any = None, **rest: Any) -> bool:
        named = details is None or details.id is None or details.id in visible
        return named and bool(allowed(self, details=details, **rest))

    manager.is_authorized_dag = is_authorized_dag
    yield visible
    manager.is_authorized_dag = allowed


def get(server: TestClient, path: str, *, user: str | None = "vera", **more: Any) -> Any:
    return server.get(path, headers=headers_of(user) if user else {}, **more)


@pytest.mark.parametrize("place", PLACES)
def test_nobody_sees_anything_without_a_login(
    place: str, server: TestClient, prepared: Delivery
) -> None:
    answer = get(server, place.format(id=prepared.id), user=None)

    assert 401 == answer.status_code
    assert "application/problem+json" == answer.headers["content-type"]
    assert prepared.label not in answer.text


@pytest.mark.parametrize("place", PLACES)
def test_a_login_that_is_none_sees_nothing(place: str, server: TestClient) -> None:
    answer = server.get(place.format(id="x"), headers={"Authorization": "Bearer nonsense"})

    assert answer.status_code in {401, 403}


@pytest.mark.parametrize("place", PLACES)
def test_nobody_learns_without_a_login_whether_there_is_a_store(
    place: str, server: TestClient
) -> None:
    assert 401 == get(server, place.format(id="x"), user=None).status_code


@pytest.mark.parametrize("user", ["vera", "maria", "ann"])
@pytest.mark.parametrize("place", PLACES)
def test_whoever_may_see_the_dag_sees_its_delivery(
    place: str, user: str, server: TestClient, prepared: Delivery
) -> None:
    answer = get(server, place.format(id=prepared.id), user=user)

    assert 200 == answer.status_code
    assert prepared.id in answer.text


@pytest.mark.parametrize("place", PLACES[1:])
def test_a_delivery_one_may_not_see_looks_like_one_that_is_not_there(
    place: str, server: TestClient, prepared: Delivery, other_dags_hidden: list[str]
) -> None:
    hidden = get(server, place.format(id=prepared.id))
    absent = get(server, place.format(id="no-such-delivery"))

    assert [404, 404] == [hidden.status_code, absent.status_code]
    assert hidden.json() == absent.json()
    assert {"title": "there is no such delivery", "status": 404} == hidden.json()

    other_dags_hidden.append(prepared.origin.dag_id)

    assert 200 == get(server, place.format(id=prepared.id)).status_code


def test_an_id_that_is_nearly_right_names_no_other(server: TestClient, prepared: Delivery) -> None:
    answer = get(server, f"/smsflow/api/v1/deliveries/{prepared.id[:-1]}")

    assert 404 == answer.status_code
    assert prepared.id not in answer.text


def test_the_list_holds_only_what_the_caller_may_see(
    server: TestClient, delivery: Delivery, other_dags_hidden: list[str]
) -> None:
    def listed() -> list[str]:
        page = get(server, "/smsflow/api/v1/deliveries").json()
        return [each["delivery"] for each in page["deliveries"]]

    assert delivery.id not in listed()

    other_dags_hidden.append(delivery.origin.dag_id)

    assert [delivery.id] == listed()


def test_the_list_has_pages_and_can_be_narrowed(server: TestClient, make_dag: MakeDag) -> None:
    dag = make_dag()
    ids = [Run.start(dag).go().xcom("sms.prepare", "delivery") for _ in range(3)]
    first = get(server, "/smsflow/api/v1/deliveries", params={"limit": 2}).json()
    second = get(
        server, "/smsflow/api/v1/deliveries", params={"limit": 1, "before": first["next"]}
    ).json()
    ready = get(server, "/smsflow/api/v1/deliveries", params={"state": "ready", "limit": 3}).json()

    assert [ids[2], ids[1]] == [each["delivery"] for each in first["deliveries"]]
    assert [ids[0]] == [each["delivery"] for each in second["deliveries"]]
    assert ids[::-1] == [each["delivery"] for each in ready["deliveries"]]


@pytest.mark.parametrize(
    ("params", "field"),
    [({"limit": 0}, "limit"), ({"limit": "x"}, "limit"), ({"state": "raedy"}, "state")],
)
def test_a_bad_parameter_is_named(
    server: TestClient, airflow_store: Store, params: Any, field: str
) -> None:
    del airflow_store
    answer = get(server, "/smsflow/api/v1/deliveries", params=params)

    assert 422 == answer.status_code
    assert "application/problem+json" == answer.headers["content-type"]
    assert [field] == [each["field"] for each in answer.json()["problems"]]


def test_a_review_shows_texts_and_masks_phones(server: TestClient, delivery: Delivery) -> None:
    review = get(server, f"/smsflow/api/v1/deliveries/{delivery.id}/review").json()

    assert {"Xylophone sale for Zephyrine!", "Xylophone sale for Balthazar!"} == {
        each["text"] for each in review["samples"]
    }
    assert {"+33·······71", "+33·······72"} == {each["to_masked"] for each in review["samples"]}
    assert "61234" not in json.dumps(review)


def test_the_report_adds_up(server: TestClient, waiting: Run, delivery: Delivery) -> None:
    waiting.go(send)
    report = get(server, f"/smsflow/api/v1/deliveries/{delivery.id}").json()

    assert ("finished", 4, 2, 2) == (
        report["state"],
        report["targeted"],
        report["to_deliver"],
        report["accepted"],
    )
    assert report == waiting.xcom("sms.report")


# The page


def test_the_page_shows_the_review_and_where_to_answer(
    server: TestClient, waiting: Run, delivery: Delivery
) -> None:
    page = get(server, f"/smsflow/deliveries/{delivery.id}").text
    run_id = waiting.run_id.replace(":", "%3A").replace("+", "%2B")

    assert "Spring sale" in page
    assert "Xylophone sale for Zephyrine!" in page
    assert "+33·······71" in page
    assert "61234" not in page
    assert (
        f'href="http://airflow.test:8080/dags/{waiting.dag.dag_id}/runs/{run_id}'
        '/required_actions?response_received=false"'
    ) in page

    waiting.go(send)
    page = get(server, f"/smsflow/deliveries/{delivery.id}").text

    assert "required_actions" not in page
    assert "What happened" in page


def test_the_page_shows_a_script_and_does_not_run_it(
    server: TestClient, make_dag: MakeDag, templates: Path, people: Path
) -> None:
    (templates / "sale.sms.j2").write_text(
        "---\nlabel: '<b>Sale</b>'\nsender: ACME\ngateway: sms_gateway\nregion: FR\n---\n"
        "<script>alert(1)</script> {{ first_name }}\n"
    )
    people.write_text("recipient_id,phone,first_name\n1,+33612345671,<img src=x onerror=a()>\n")
    run = Run.start(make_dag()).go()
    page = get(server, f"/smsflow/deliveries/{run.xcom('sms.prepare', 'delivery')}").text

    assert "&lt;script&gt;alert(1)&lt;/script&gt; &lt;img src=x onerror=a()&gt;" in page
    assert "&lt;b&gt;Sale&lt;/b&gt;" in page
    assert not any(tag in page for tag in ("<script", "<img", "<b>Sale"))


def test_the_page_may_load_nothing_and_is_not_kept(server: TestClient, prepared: Delivery) -> None:
    headers = get(server, f"/smsflow/deliveries/{prepared.id}").headers

    assert "text/html; charset=utf-8" == headers["content-type"]
    assert "no-store" == headers["cache-control"]
    assert "nosniff" == headers["x-content-type-options"]
    assert "no-referrer" == headers["referrer-policy"]
    assert {"default-src 'none'", "form-action 'none'", "base-uri 'none'"} <= set(
        headers["content-security-policy"].split("; ")
    )


def test_a_delivery_that_failed_has_a_page_too(
    server: TestClient, make_dag: MakeDag, templates: Path
) -> None:
    (templates / "sale.sms.j2").write_text(
        "---\nsender: ACME\ngateway: sms_gateway\nregion: FR\n---\nHi {{ nobody_has_it }}\n"
    )
    run = Run.start(make_dag()).go()
    answer = get(server, f"/smsflow/deliveries/{run.xcom('sms.prepare', 'delivery')}")

    assert 200 == answer.status_code
    assert "nobody_has_it" in answer.text
    assert "preparation failed" in answer.text


# Trouble


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize(
    ("connection", "title"),
    [
        (GONE, "the store does not answer: check the connection smsflow_store"),
        ({"conn_type": "smsflow_store"}, "the connection of the store lacks fields"),
        (None, "there is no connection to the store: add one of type smsflow_store"),
    ],
    ids=["out of reach", "unreadable", "none"],
)
def test_without_a_store_the_answer_is_a_problem(
    place: str,
    connection: dict[str, Any] | None,
    title: str,
    server: TestClient,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    if connection is not None:
        monkeypatch.setenv("AIRFLOW_CONN_SMSFLOW_STORE", json.dumps(connection))
    answer = get(server, place.format(id="x"))

    assert 503 == answer.status_code
    assert "application/problem+json" == answer.headers["content-type"]
    assert {"title": title, "status": 503} == answer.json()


# Receipts


def receipt_of(delivery: Delivery, position: int, token: str) -> dict[str, Any]:
    message_id = message_id_of(delivery.no, delivery.preparation, position)
    return {
        "url": "/smsflow/receipts/sms_simulator",
        "params": {"m": message_id, "t": token},
        "json": {"id": message_id, "ref": "sim-1", "status": "delivered"},
    }


def test_a_gateway_reports_without_a_login_but_with_a_token(
    server: TestClient, waiting: Run, delivery: Delivery, airflow_store: Store
) -> None:
    waiting.go(send)
    message_id = message_id_of(delivery.no, delivery.preparation, 1)
    token = Signer(read_keys(airflow_store)).token_of(message_id)

    bad = server.post(**receipt_of(delivery, 1, "a-token-of-nobody"))
    other = server.post(**receipt_of(delivery, 2, token))
    good = server.post(**receipt_of(delivery, 1, token))
    apply_all_receipts(airflow_store)

    assert [403, 403, 200] == [bad.status_code, other.status_code, good.status_code]
    assert ["", "", ""] == [bad.text, other.text, good.text]
    report = get(server, f"/smsflow/api/v1/deliveries/{delivery.id}").json()
    assert (2, 1) == (report["accepted"], report["delivered"])


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/smsflow/receipts/sms_nobody", 404),
        ("/smsflow/receipts/", 404),
        ("/smsflow/nothing/here", 404),
        ("/smsflow/receipts/sms_kannel", 403),
        ("/smsflow/health", 200),
    ],
)
def test_other_paths_say_nothing(
    path: str, status: int, server: TestClient, airflow_store: Store
) -> None:
    del airflow_store
    answer = server.get(path)

    assert (status, "") == (answer.status_code, answer.text)


def test_a_receiver_that_was_up_before_its_store_works_once_that_is_there(
    server: TestClient, airflow_store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    del server, airflow_store
    client = TestClient(application.__wrapped__())
    with monkeypatch.context() as meanwhile:
        meanwhile.delenv("AIRFLOW_CONN_SMSFLOW_STORE")

        assert 503 == client.get("/receipts/sms_simulator").status_code

    assert 403 == client.get("/receipts/sms_simulator").status_code


# The plugin


def test_the_plugin_is_registered_once_without_errors(server: TestClient) -> None:
    del server
    assert {} == get_import_errors()
    (info,) = [each for each in get_plugin_info() if each["name"] == "smsflow"]
    assert ["/smsflow"] == [each["url_prefix"] for each in info["fastapi_apps"]]


def test_the_application_is_built_once() -> None:
    plugin = SmsflowPlugin()

    assert plugin.fastapi_apps[0]["app"] is plugin.fastapi_apps[0]["app"] is application()
    assert ["smsflow: early answers"] == [each["name"] for each in plugin.fastapi_root_middlewares]


@pytest.mark.usefixtures("prepared")
def test_its_openapi_is_for_who_is_logged_in_and_there_is_no_page_of_others(
    server: TestClient,
) -> None:
    place = "/smsflow/api/v1/openapi.json"
    document = get(server, place).json()

    assert {"/api/v1/deliveries", "/api/v1/switch/off", "/api/v1/me"} <= set(document["paths"])
    assert 401 == get(server, place, user=None).status_code
    assert [404] * 3 == [
        get(server, f"/smsflow/{path}").status_code for path in ("docs", "redoc", "openapi.json")
    ]


def test_a_get_changes_nothing_and_nothing_else_is_taken(
    server: TestClient, prepared: Delivery
) -> None:
    for method in ("POST", "PUT", "PATCH", "DELETE"):
        answer = server.request(
            method, f"/smsflow/api/v1/deliveries/{prepared.id}", headers=headers_of("ann")
        )
        assert answer.status_code in {404, 405}, method
