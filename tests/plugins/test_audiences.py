"""Saved audiences over REST: who sees and changes what."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

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
def saved(airflow_store: Store) -> Iterator[Store]:
    """Two versions of ``rest.vip``, saved by a task."""
    make_metadata()
    for run in ("r1", "r2"):
        save(airflow_store, "rest.vip", REFERENCE, dag_id="shop.rest", run_id=run, task_id="who")
    yield airflow_store
    try:
        delete_audience(airflow_store, "rest.vip", version=None)
    except NotFoundError:
        return


def call(
    server: TestClient, method: str, path: str, *, user: str | None = "maria", **more: Any
) -> Any:
    headers = headers_of(user) if user else {}
    address = f"/smsflow/api/v1/audiences{path}"
    return server.request(method, address, headers=headers, **more)


@pytest.mark.usefixtures("saved")
def test_versions_are_shown_without_people_and_without_their_file(server: TestClient) -> None:
    listed = call(server, "GET", "", user="vera").json()["audiences"]
    shown = call(server, "GET", "/rest.vip").json()

    (vip,) = [one for one in listed if one["name"] == "rest.vip"]
    assert [vip["version"], 1] == [one["version"] for one in shown["versions"]]
    assert ("shop.rest", "r2", "who", "update", 3) == (
        vip["dag_id"],
        vip["run_id"],
        vip["task_id"],
        vip["action"],
        vip["count"],
    )
    assert {"name": "phone", "kind": "text"} in vip["columns"]
    assert "uri" not in vip
    assert [1] == [one["version"] for one in call(server, "GET", "/rest.vip@1").json()["versions"]]


@pytest.mark.usefixtures("saved")
@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/rest.vpi", 404),
        ("GET", "/rest.vip@9", 404),
        ("GET", "/rest.vip@x", 422),
        ("DELETE", "/rest.vip", 422),
        ("DELETE", "/rest.vip@1?every_version=true", 422),
        ("PATCH", "/rest.vip@1", 422),
    ],
)
def test_what_is_not_there_or_not_meant_is_told(
    server: TestClient, method: str, path: str, status: int
) -> None:
    body = {"json": {"description": "x"}} if method == "PATCH" else {}

    assert status == call(server, method, path, **body).status_code


def test_who_may_start_the_workflow_describes_and_deletes(saved: Store, server: TestClient) -> None:
    said = {"json": {"description": "Those who buy most"}}
    users = (None, "vera", "maria")

    answers = [call(server, "PATCH", "/rest.vip", user=user, **said) for user in users]
    assert [401, 403, 200] == [each.status_code for each in answers]
    assert "Those who buy most" == find_audience(saved, "rest.vip").description

    version = find_audience(saved, "rest.vip").version
    answers = [call(server, "DELETE", f"/rest.vip@{version}", user=user) for user in users]
    assert [401, 403, 200] == [each.status_code for each in answers]
    assert {"name": "rest.vip", "deleted": [version]} == answers[-1].json()
    assert 1 < version
    assert 200 == call(server, "DELETE", "/rest.vip?every_version=true").status_code
    assert 404 == call(server, "GET", "/rest.vip").status_code
