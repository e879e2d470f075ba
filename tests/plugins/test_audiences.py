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
    headers = headers_of(user) if user else {}
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
