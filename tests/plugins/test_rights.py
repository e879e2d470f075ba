"""
What is for all DAGs, asked by people with rights on some: under an auth manager like FAB's.

FAB itself cannot stand beside the locked ``python-dateutil``. What is below is what
``is_authorized_dag`` of ``apache-airflow-providers-fab`` 3.10.2 was seen to do under Airflow 3.3.2,
with the permissions of its roles: asked for no DAG, it says yes to who may see *any* DAG, and yes
to whoever may edit "HITL Detail", which is what a person needs to answer the review of one. A
person's id is a number.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final
from uuid import uuid4

import pytest
from airflow.api_fastapi.auth.managers.models.resource_details import DagAccessEntity, DagDetails
from airflow.api_fastapi.auth.managers.simple.simple_auth_manager import SimpleAuthManager
from airflow.api_fastapi.auth.managers.simple.user import SimpleAuthManagerUser
from starlette.testclient import TestClient

from smsflow_provider.core.audience.reference import AudienceReference
from smsflow_provider.core.audience.saved import save
from smsflow_provider.core.delivery.switch import find_switch, switch_on
from smsflow_provider.core.store.audiences import delete_audience
from smsflow_provider.core.store.connection import Store
from tests.airflow.running import headers_of, make_metadata

_ENTITIES: Final = {DagAccessEntity.RUN: "DAG Runs", DagAccessEntity.HITL_DETAIL: "HITL Detail"}
_ACTIONS: Final = {"GET": "read", "POST": "create", "PUT": "edit"}
_VIEWER: Final = {"read DAG Runs", "read HITL Detail"}
_USER: Final = _VIEWER | {"create DAG Runs", "edit HITL Detail"}
#: Of FAB's roles. Two are made by hand, with a right on one DAG and no others. The last is a
#: User's, given to who has not logged in (``[fab] auth_role_public``).
_ROLES: Final = {
    "User": _USER | {"read DAGs", "edit DAGs"},
    "Viewer": _VIEWER | {"read DAGs"},
    "Public": set[str](),
    "Shop": _USER | {"read DAG:shop.sale", "edit DAG:shop.sale"},
    "Reader": _USER | {"read DAGs", "edit DAG:shop.sale"},
    "Anonymous": _USER | {"read DAGs", "edit DAGs"},
}


def is_authorized_as_fab(
    _: object,
    *,
    method: str,
    user: SimpleAuthManagerUser,
    access_entity: DagAccessEntity | None = None,
    details: DagDetails | None = None,
) -> bool:
    """Answer as FAB's auth manager does."""
    has = _ROLES[user.username]
    if access_entity and f"{_ACTIONS[method]} {_ENTITIES[access_entity]}" not in has:
        return False
    if not (details and details.id):
        if method == "GET":
            return any(each.startswith("read DAG") and each != "read DAG Runs" for each in has)
        return access_entity is not None or f"{_ACTIONS[method]} DAGs" in has
    action = "read" if method == "GET" else "edit"
    return not has.isdisjoint({f"{action} DAGs", f"{action} DAG:{details.id}"})


def id_of_fab(user: SimpleAuthManagerUser) -> str | None:
    """Tell a person's id as FAB does."""
    return None if user.username == "Anonymous" else str(list(_ROLES).index(user.username))


@pytest.fixture(autouse=True)
def fab() -> Iterator[None]:
    """FAB's answers, instead of those of Airflow's simple auth manager."""
    make_metadata()
    manager: Any = SimpleAuthManager
    person: Any = SimpleAuthManagerUser
    simple, id_of = manager.is_authorized_dag, person.get_id
    manager.is_authorized_dag = is_authorized_as_fab
    person.get_id = id_of_fab
    yield
    manager.is_authorized_dag, person.get_id = simple, id_of


@pytest.fixture
def by_hand(airflow_store: Store) -> Iterator[str]:
    """An audience that no workflow saved."""
    name = f"vip_{uuid4().hex}"
    reference = AudienceReference(
        uri="file:///a.parquet", count=1, fingerprint="ab" * 32, columns=()
    )
    save(airflow_store, name, reference, actor="ann")
    yield name
    delete_audience(airflow_store, name, version=None)


def call(server: TestClient, method: str, path: str, *, role: str, body: Any = None) -> Any:
    headers = headers_of(role, role="VIEWER")
    return server.request(method, f"/smsflow/api/v1/{path}", headers=headers, json=body)


@pytest.mark.parametrize("role", ["Shop", "Reader", "Viewer", "Public", "Anonymous"])
def test_a_right_on_some_dags_or_no_login_administers_nothing(
    server: TestClient, airflow_store: Store, role: str
) -> None:
    number = {"number": "+33612345678"}
    for path, body in (
        ("switch/off", {"reason": "Not mine to say"}),
        ("opt-outs", number),
        ("opt-outs/search", number),
        ("opt-outs/export", {}),
        ("quarantine/search", number),
        ("quarantine/export", {}),
        ("gateways/sms_gateway/test", {}),
    ):
        assert (403, path) == (
            call(server, "POST", path, role=role, body=body).status_code,
            path,
        )
    assert not find_switch(airflow_store).is_off
    me = call(server, "GET", "me", role=role).json()
    assert {"administer": False, "switch": False} == me["may"]
    assert not call(server, "GET", "opt-outs", role=role).json()["may_administer"]


def test_a_right_on_all_dags_administers(server: TestClient, airflow_store: Store) -> None:
    del airflow_store
    me = call(server, "GET", "me", role="User").json()
    assert {"administer": True, "switch": True} == me["may"]
    assert 200 == call(server, "POST", "opt-outs/export", role="User", body={}).status_code


def test_what_was_done_is_told_with_a_name_and_not_with_a_number(
    server: TestClient, airflow_store: Store
) -> None:
    off = call(server, "POST", "switch/off", role="User", body={"reason": "A drill"})
    switch_on(airflow_store, actor="test")
    assert ("User", 200) == (off.json()["by"], off.status_code)
    me = call(server, "GET", "me", role="User").json()
    assert ("0", "User") == (me["id"], me["name"])


def test_a_login_alone_shows_neither_gateways_nor_the_switch(
    server: TestClient, airflow_store: Store
) -> None:
    del airflow_store
    for path in ("gateways", "switch"):
        assert 403 == call(server, "GET", path, role="Public").status_code
        assert 200 == call(server, "GET", path, role="Shop").status_code


@pytest.mark.parametrize(
    ("role", "sees", "changes"),
    [
        ("User", True, True),
        ("Reader", True, False),
        ("Shop", False, False),
        ("Anonymous", True, False),
    ],
)
def test_an_audience_saved_by_hand_is_for_rights_on_all_dags(
    server: TestClient, by_hand: str, role: str, *, sees: bool, changes: bool
) -> None:
    listed = call(server, "GET", "audiences", role=role).json()["audiences"]
    assert sees is (by_hand in {one["name"] for one in listed})
    shown = call(server, "GET", f"audiences/{by_hand}", role=role)
    assert (200 if sees else 404) == shown.status_code
    assert changes is shown.json().get("may_change", False)
