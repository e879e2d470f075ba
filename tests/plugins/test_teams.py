"""Where Airflow keeps teams apart, what is of one team is of no other."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

import pytest
from airflow.api_fastapi.app import get_auth_manager
from airflow.api_fastapi.auth.managers.simple.user import SimpleAuthManagerUser
from airflow.models.connection import Connection
from airflow.models.dag import DagModel
from airflow.models.dagbundle import DagBundleModel
from airflow.models.team import Team
from airflow.utils.session import create_session
from starlette.testclient import TestClient

from smsflow_provider.core.store.connection import Store
from smsflow_provider.plugins.api.access import (
    may_edit_all,
    may_read,
    may_read_all,
    may_send,
    may_send_all,
    may_start,
    readable_dags,
)
from smsflow_provider.plugins.api.gateways import may_see_connection

#: The DAG of each team, one of nobody in particular, and one that Airflow does not know.
BLUE, RED, SHARED, GONE = DAGS = "blue.sale", "red.sale", "shared.sale", "gone.sale"


def person(*teams: str, role: str = "OP") -> SimpleAuthManagerUser:
    return SimpleAuthManagerUser(username="-".join(teams) or "chief", role=role, teams=list(teams))


_BLUE: Final = person("blue")
_BOTH: Final = person("blue", "red")
_CHIEF: Final = person(role="ADMIN")


@contextmanager
def rows() -> Iterator[None]:
    """Two teams, each with a bundle, and what is in them, for a while."""
    dag_model: Any = DagModel
    with create_session() as session:
        teams = [Team(name="blue"), Team(name="red")]
        bundles = [DagBundleModel(name=f"of-{name}") for name in ("blue", "red", "shared")]
        for bundle, team in zip(bundles, teams, strict=False):
            bundle.teams.append(team)
        dags = [
            dag_model(dag_id=dag, bundle_name=f"of-{dag.partition('.')[0]}", is_stale=False)
            for dag in (BLUE, RED, SHARED)
        ]
        connection = Connection(conn_id="of_red", conn_type="sms_simulator", team_name="red")
        made: list[Any] = [*teams, *bundles]
        session.add_all(made)
        session.flush()
        session.add_all([*dags, connection])
    yield
    with create_session() as session:
        for each in (connection, *dags, *bundles, *teams):
            session.delete(session.merge(each))


@pytest.fixture
def kept_apart(
    monkeypatch: pytest.MonkeyPatch, airflow_store: Store, server: TestClient
) -> Iterator[TestClient]:
    """An API server that keeps teams apart."""
    del airflow_store
    monkeypatch.setenv("AIRFLOW__CORE__MULTI_TEAM", "True")
    with rows():
        yield server


def test_a_dag_is_for_its_team(kept_apart: TestClient) -> None:
    del kept_apart
    for may in (may_read, may_start, may_send):
        assert [True, False, True, False] == [may(_BLUE, dag) for dag in DAGS]
        assert [True, True, True, True] == [may(_BOTH, dag) for dag in DAGS]
        assert [True, True, True, True] == [may(_CHIEF, dag) for dag in DAGS]
    assert {BLUE, SHARED} == readable_dags(_BLUE, DAGS)
    assert set(DAGS) == readable_dags(_BOTH, DAGS)


def test_what_is_for_all_dags_is_for_who_is_in_every_team(kept_apart: TestClient) -> None:
    for may in (may_read_all, may_edit_all, may_send_all):
        assert [False, True, True] == [may(each) for each in (_BLUE, _BOTH, _CHIEF)]
    token = get_auth_manager().generate_jwt(_BLUE)
    off = kept_apart.post(
        "/smsflow/api/v1/switch/off",
        headers={"Authorization": f"Bearer {token}"},
        json={"reason": "Not mine to say"},
    )
    assert 403 == off.status_code


def test_a_connection_is_for_its_team(kept_apart: TestClient) -> None:
    del kept_apart
    assert [False, True] == [may_see_connection(each, "of_red") for each in (_BLUE, _BOTH)]


def test_teams_are_not_looked_for_where_there_are_none(server: TestClient) -> None:
    del server
    with rows():
        assert may_send_all(_BLUE)
        assert set(DAGS) == readable_dags(_BLUE, DAGS)
