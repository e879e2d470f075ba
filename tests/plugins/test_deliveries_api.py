"""Lists of deliveries over REST: who sees which, filters, pages, what is refused."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest
from airflow.api_fastapi.auth.managers.simple.simple_auth_manager import SimpleAuthManager
from starlette.testclient import TestClient

from smsflow_provider.core.model import DeliveryKind, Origin
from smsflow_provider.core.store.connection import Store
from smsflow_provider.core.store.deliveries import ensure_delivery
from tests.airflow.running import headers_of, make_metadata
from tests.prepared_delivery import make_prepared

LIST = "/smsflow/api/v1/deliveries"


@pytest.fixture
def team(airflow_store: Store) -> str:
    """A team of its own: a prefix of DAG ids that no other test has."""
    make_metadata()
    name = f"team{uuid4().hex[:8]}"
    for number in range(1, 7):
        flow = "seen" if number % 2 else "hidden"
        ensure_delivery(
            airflow_store,
            f"{name}-{number}",
            kind=DeliveryKind.CAMPAIGN,
            label=f"{name} {number}0% off_{number}",
            origin=Origin(dag_id=f"{name}.{flow}", run_id=f"r{number}", task_id="sms"),
            actor="ann",
        )
    return name


@pytest.fixture
def only_seen() -> Iterator[None]:
    """An authorisation under which people see only DAGs whose ids end in ``seen``."""
    manager: Any = SimpleAuthManager
    allowed = manager.is_authorized_dag

    def is_authorized_dag(self: Any, *, details: Any = None, **rest: Any) -> bool:
        named = details is None or details.id is None or details.id.endswith(".seen")
        return named and bool(allowed(self, details=details, **rest))

    manager.is_authorized_dag = is_authorized_dag
    yield
    manager.is_authorized_dag = allowed


def get(server: TestClient, path: str = LIST, **params: Any) -> Any:
    answer = server.get(path, params=params, headers=headers_of("vera"))
    assert 200 == answer.status_code, answer.text
    return answer.json()


def ids_of(page: dict[str, Any], team: str) -> list[str]:
    return [row["delivery"].removeprefix(f"{team}-") for row in page["deliveries"]]


@pytest.mark.usefixtures("only_seen")
def test_pages_are_full_although_most_may_not_be_seen(server: TestClient, team: str) -> None:
    first = get(server, q=team, limit=2)
    second = get(server, q=team, limit=2, before=first["next"])

    assert ["5", "3"] == ids_of(first, team)
    assert ["1"] == ids_of(second, team)
    assert None is second["next"]


@pytest.mark.usefixtures("only_seen")
def test_groups_and_counts_are_of_what_may_be_seen(server: TestClient, team: str) -> None:
    groups = get(server, f"{LIST}/groups", q=team)["groups"]
    told = get(server, f"{LIST}/summary", most=20)

    assert [(f"{team}.seen", "sms", 3)] == [
        (row["dag_id"], row["task_id"], row["occurrences"]) for row in groups
    ]
    shown = [row["dag_id"] for name in ("attention", "sending") for row in told[name]]
    assert all(dag_id.endswith(".seen") for dag_id in shown)


@pytest.mark.usefixtures("only_seen")
def test_a_dag_that_may_not_be_seen_cannot_be_asked_for(server: TestClient, team: str) -> None:
    assert [] == get(server, dag_id=f"{team}.hidden")["deliveries"]
    assert ["5", "3", "1"] == ids_of(get(server, dag_id=f"{team}.seen"), team)


def test_filters_narrow_the_list(server: TestClient, team: str) -> None:
    flow = f"{team}.hidden"
    assert ["4"] == ids_of(get(server, dag_id=flow, run_id="r4"), team)
    assert [] == ids_of(get(server, dag_id=flow, state=["sending", "paused"]), team)
    assert ["6", "4", "2"] == ids_of(get(server, dag_id=flow, state=["draft", "paused"]), team)
    assert [] == ids_of(get(server, dag_id=flow, kind="proof"), team)
    assert [] == ids_of(get(server, dag_id=flow, until="2020-01-01T00:00:00Z"), team)
    assert [] == ids_of(get(server, dag_id=flow, attention=True), team)
    assert [] == ids_of(get(server, dag_id=flow, ended_since="2020-01-01T00:00:00Z"), team)


def test_what_is_sought_is_taken_by_the_letter(server: TestClient, team: str) -> None:
    def found(text: str) -> list[str]:
        return ids_of(get(server, q=text), team)

    assert ["3"] == found(f"{team.upper()} 30% OFF_3")
    assert [] == found(f"{team} 3%")[1:]
    assert [] == found(f"{team}_3")
    assert [] == found(f"{team}\\")


def test_a_delivery_that_waits_for_its_review_needs_somebody(
    server: TestClient, airflow_store: Store
) -> None:
    make_metadata()
    ready = make_prepared(airflow_store, count=2, delivery_id=f"d-{uuid4().hex}")

    rows = get(server, attention=True, limit=1)["deliveries"]
    told = get(server, f"{LIST}/summary", most=1)

    assert [(ready.id, "waiting_for_review")] == [
        (one["delivery"], one["attention"]) for one in rows
    ]
    assert [ready.id] == [one["delivery"] for one in told["attention"]]
    assert 1 <= told["counts"]["attention"] <= 100


@pytest.mark.parametrize(
    "params",
    [
        {"before": "1"},
        {"before": "99999999999999999999-1"},
        {"q": "\x00"},
        {"since": "2026-01-01T00:00:00"},
        {"kind": "letter"},
    ],
)
def test_what_cannot_be_read_is_refused(
    server: TestClient, team: str, params: dict[str, str]
) -> None:
    answer = server.get(LIST, params=params, headers=headers_of("vera"))

    assert 422 == answer.status_code, team
    assert list(params) == [each["field"] for each in answer.json()["problems"]]


def test_the_ends_of_time_are_times(server: TestClient, team: str) -> None:
    wide = {"since": "0001-01-01T00:00:00+14:00", "until": "9999-12-31T23:59:59-12:00"}

    assert 6 == len(ids_of(get(server, q=team, before="99999999999999999-1", **wide), team))
