"""Saved audiences over REST: who sees and changes what."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from typing import Any
from uuid import uuid4

import pytest
from starlette.testclient import TestClient

from smsflow_provider.core.audience.reference import AudienceReference, Column
from smsflow_provider.core.audience.saved import save
from smsflow_provider.core.errors import NotFoundError
from smsflow_provider.core.store.audiences import delete_audience, find_audience
from smsflow_provider.core.store.connection import Store
from tests.airflow.running import headers_of, make_metadata

REFERENCE = AudienceReference(
    uri="file:///a/1.parquet",
    count=3,
    fingerprint="ab" * 32,
    columns=(Column(name="recipient_id", kind="text"), Column(name="phone", kind="text")),
)


@pytest.fixture
def vip(airflow_store: Store) -> Iterator[str]:
    """The name of a new audience with two versions, saved by a task."""
    make_metadata()
    name = f"vip_{uuid4().hex}"
    for run in ("r1", "r2"):
        save(airflow_store, name, REFERENCE, dag_id="shop.rest", run_id=run, task_id="who")
    yield name
    with suppress(NotFoundError):
        delete_audience(airflow_store, name, version=None)


def call(
    server: TestClient, method: str, path: str, *, user: str | None = "maria", **more: Any
) -> Any:
    headers = {**(headers_of(user) if user else {}), **more.pop("headers", {})}
    address = f"/smsflow/api/v1/audiences{path}"
    return server.request(method, address, headers=headers, **more)


def test_versions_are_shown_without_people_and_without_their_file(
    server: TestClient, vip: str
) -> None:
    listed = call(server, "GET", "", user="vera").json()["audiences"]
    shown = call(server, "GET", f"/{vip}").json()

    (newest,) = [one for one in listed if one["name"] == vip]
    assert [2, 1] == [one["version"] for one in shown["versions"]]
    assert ("shop.rest", "r2", "who", "update", 3) == (
        newest["dag_id"],
        newest["run_id"],
        newest["task_id"],
        newest["action"],
        newest["count"],
    )
    assert {"name": "phone", "kind": "text"} in newest["columns"]
    assert "uri" not in newest
    assert (None, [], True) == (shown["found"], shown["used_by"], shown["may_change"])
    assert not call(server, "GET", f"/{vip}", user="vera").json()["may_change"]
    assert [1] == [one["version"] for one in call(server, "GET", f"/{vip}@1").json()["versions"]]


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "x", 404),
        ("GET", "@9", 404),
        ("GET", "@x", 422),
        ("DELETE", "", 422),
        ("DELETE", "@1?every_version=true", 422),
        ("PATCH", "@1", 422),
    ],
)
def test_what_is_not_there_or_not_meant_is_told(
    server: TestClient, vip: str, method: str, path: str, status: int
) -> None:
    body = {"description": "x"} if method == "PATCH" else None

    assert status == call(server, method, f"/{vip}{path}", json=body).status_code


def test_who_may_start_the_workflow_describes_and_deletes(
    airflow_store: Store, server: TestClient, vip: str
) -> None:
    body = {"description": "Those who buy most"}
    users = (None, "vera", "maria")

    answers = [call(server, "PATCH", f"/{vip}", user=user, json=body) for user in users]
    assert [401, 403, 200] == [each.status_code for each in answers]
    assert "Those who buy most" == find_audience(airflow_store, vip).description

    answers = [call(server, "DELETE", f"/{vip}@2", user=user) for user in users]
    assert [401, 403, 200] == [each.status_code for each in answers]
    assert {"name": vip, "deleted": [2]} == answers[-1].json()
    assert 200 == call(server, "DELETE", f"/{vip}?every_version=true").status_code
    assert 404 == call(server, "GET", f"/{vip}").status_code


def audited(store: Store, name: str) -> list[tuple[str, str, list[int]]]:
    """List who changed an audience, how, and which versions, in order."""
    with store.transaction() as connection:
        rows = connection.execute(
            "SELECT actor, action, facts FROM smsflow_audit"
            " WHERE facts ->> 'audience' = %s ORDER BY no",
            (name,),
        ).fetchall()
    assert all({"audience", "versions"} == set(row["facts"]) for row in rows)
    return [(row["actor"], row["action"], row["facts"]["versions"]) for row in rows]


def test_changes_are_noted_with_who_made_them_and_only_those(
    airflow_store: Store, server: TestClient, vip: str
) -> None:
    call(server, "PATCH", f"/{vip}", user="vera", json={"description": "no"})
    call(server, "PATCH", f"/{vip}", json={"description": "Those who buy most"})
    call(server, "DELETE", f"/{vip}@9")
    call(server, "DELETE", f"/{vip}@1")
    call(server, "DELETE", f"/{vip}?every_version=true", user="ann")

    assert [
        ("maria", "audience_described", [2]),
        ("maria", "audience_deleted", [1]),
        ("ann", "audience_deleted", [2]),
    ] == audited(airflow_store, vip)


def test_the_same_change_again_gets_the_first_answer(
    airflow_store: Store, server: TestClient, vip: str
) -> None:
    key = {"Idempotency-Key": uuid4().hex}
    first, again = (call(server, "DELETE", f"/{vip}@1", headers=key) for _ in range(2))
    other = call(server, "DELETE", f"/{vip}@2", headers=key)

    assert [200, 200, 422] == [each.status_code for each in (first, again, other)]
    assert first.json() == again.json() == {"name": vip, "deleted": [1]}
    assert "true" == again.headers["Idempotency-Replayed"]
    assert [("maria", "audience_deleted", [1])] == audited(airflow_store, vip)
    assert 2 == find_audience(airflow_store, vip).version
