"""A delivery under way over REST: figures, its messages one by one, files of them, its history."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest
from starlette.testclient import TestClient

from smsflow_provider.core.store.connection import Store
from smsflow_provider.core.store.deliveries import Delivery
from smsflow_provider.testing.simulator import RunningSimulator
from tests.airflow.running import headers_of, make_metadata
from tests.governed import make_going, mark, settle
from tests.plugins.calling import call

ROUTES = [
    ("GET", "live"),
    ("GET", "throughput"),
    ("GET", "summary"),
    ("POST", "summary"),
    ("GET", "activity"),
    ("GET", "messages/log"),
    ("GET", "messages/log/1"),
    ("GET", "messages.csv"),
    ("POST", "messages.csv"),
]
NUMBER = "+33600000001"


@pytest.fixture
def going(airflow_store: Store) -> Delivery:
    """One that is being sent: of four messages one was accepted, one failed, two are under way."""
    make_metadata()
    delivery = make_going(airflow_store, count=4, delivery_id=f"d-{uuid4().hex}")
    mark(airflow_store, delivery, 1, 2, 3, 4)
    settle(airflow_store, delivery, "accepted", 1)
    settle(airflow_store, delivery, "failed", 2)
    return delivery


@pytest.mark.parametrize(("method", "route"), ROUTES)
def test_nothing_is_told_without_a_login(
    method: str, route: str, server: TestClient, going: Delivery
) -> None:
    body: dict[str, Any] | None = None if method == "GET" else {}

    assert 401 == call(server, going, route, body, user=None).status_code


def test_how_it_goes_adds_up(server: TestClient, going: Delivery) -> None:
    told = call(server, going, "live", user="vera").json()

    assert ("sending", 4, 2, 2) == tuple(
        told[name] for name in ("state", "to_deliver", "settled", "waiting")
    )
    assert (1, 1) == (told["accepted"], told["failed"])
    assert told["causes_whole"]


def test_counts_by_country_are_those_of_the_messages(server: TestClient, going: Delivery) -> None:
    counted = call(server, going, "summary", {}).json()
    read = call(server, going, "summary", user="vera").json()

    assert 4 == sum(each["messages"] for each in counted["countries"])
    assert counted["countries"] == read["countries"]
    assert [("failed", 1)] == [(one["kind"], one["messages"]) for one in read["causes"]]


def test_codes_of_gateways_are_told_with_their_meaning(
    server: TestClient, going: Delivery, simulator: RunningSimulator, airflow_store: Store
) -> None:
    del simulator  # the delivery's gateway: a connection of the type sms_simulator
    with airflow_store.transaction() as connection:
        connection.execute(
            "UPDATE smsflow_outcomes SET code = CASE position WHEN 2 THEN 'number_denied'"
            " ELSE 'not_listed' END WHERE preparation = %s",
            (going.preparation,),
        )
    meaning = "the simulator was told to refuse this message"
    log = call(server, going, "messages/log").json()["messages"]
    story = call(server, going, "messages/log/2").json()
    call(server, going, "summary", {})

    assert [("not_listed", ""), ("number_denied", meaning), ("", ""), ("", "")] == [
        (one["code"], one["meaning"]) for one in log
    ]
    assert ["", "", meaning] == [step["meaning"] for step in story["steps"]]
    for route in ("", "live", "summary"):
        (cause,) = call(server, going, route).json()["causes"]
        assert (route, "number_denied", meaning) == (route, cause["code"], cause["meaning"])


def test_messages_in_one_of_several_states_are_listed_in_their_order(
    server: TestClient, going: Delivery
) -> None:
    wanted = "messages/log?state=failed&state=accepted"
    whole = call(server, going, wanted).json()
    first = call(server, going, f"{wanted}&limit=1").json()
    second = call(server, going, f"{wanted}&limit=1&after={first['next']}").json()
    file = call(server, going, "messages.csv?state=failed&state=accepted").text

    assert ["accepted", "failed"] == [one["state"] for one in whole["messages"]]
    assert whole["messages"] == first["messages"] + second["messages"]
    assert 3 == len(file.splitlines())
    assert 422 == call(server, going, "messages/log?state=gone").status_code


def test_the_story_of_a_message_is_told_in_order(server: TestClient, going: Delivery) -> None:
    story = call(server, going, "messages/log/2").json()

    assert ["prepared", "marked", "outcome"] == [step["event"] for step in story["steps"]]
    assert "failed" == story["state"]
    assert NUMBER[3:] not in story["phone"]
    assert 404 == call(server, going, "messages/log/5").status_code


def test_a_file_of_the_messages_hides_their_numbers(server: TestClient, going: Delivery) -> None:
    answer = call(server, going, "messages.csv", user="vera")

    assert "text/csv; charset=utf-8" == answer.headers["content-type"]
    assert "no-store" == answer.headers["cache-control"]
    assert answer.text.startswith("\ufeffphone,position,")
    assert 5 == len(answer.text.splitlines())
    assert NUMBER not in answer.text


def test_whole_numbers_are_for_who_may_send_and_it_is_noted(
    server: TestClient, going: Delivery
) -> None:
    assert 403 == call(server, going, "messages.csv", {"numbers": True}, user="vera").status_code
    assert not exports_of(server, going)

    body = {"numbers": True, "state": ["accepted", "failed"]}
    answer = call(server, going, "messages.csv", body)

    assert NUMBER in answer.text
    assert 3 == len(answer.text.splitlines())
    (noted,) = exports_of(server, going)
    assert ("maria", "accepted, failed") == (noted["actor"], noted["facts"]["state"])
    assert NUMBER[1:] not in str(noted)


def exports_of(server: TestClient, delivery: Delivery) -> list[dict[str, Any]]:
    """List what the history of the delivery says of numbers that were taken away."""
    events = call(server, delivery, "activity").json()["entries"]
    return [each for each in events if each["event"] == "numbers_exported"]


def test_what_is_not_there_is_not_told(server: TestClient, airflow_store: Store) -> None:
    del airflow_store
    make_metadata()
    for method, route in ROUTES:
        answer = server.request(
            method,
            f"/smsflow/api/v1/deliveries/nothing/{route}",
            headers=headers_of("maria"),
            json=None if method == "GET" else {},
        )
        assert 404 == answer.status_code, route
