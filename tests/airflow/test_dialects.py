"""The gateways that the receiver of the API server knows: by variable, by metadata, by delivery."""

from __future__ import annotations

import json

import pytest
from airflow.models.connection import Connection
from airflow.utils.session import create_session

from smsflow_provider.core.store.connection import Store
from smsflow_provider.hooks.dialects import read_dialects
from tests.airflow.running import make_metadata


def test_connections_of_gateways_are_found_wherever_they_are(
    airflow_store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(
        "AIRFLOW_CONN_BY_VARIABLE", json.dumps({"conn_type": "sms_kannel", "host": "kannel"})
    )
    monkeypatch.setenv(
        "AIRFLOW_CONN_NO_GATEWAY", json.dumps({"conn_type": "postgres", "host": "db"})
    )
    make_metadata()
    with create_session() as session:
        one = Connection(conn_id="by_metadata", conn_type="sms_simulator", host="simulator")
        session.add(one)
    try:
        found = read_dialects(airflow_store)
    finally:
        with create_session() as session:
            session.query(Connection).filter(Connection.conn_id == "by_metadata").delete()

    assert {"by_variable": "sms_kannel", "by_metadata": "sms_simulator"}.items() <= {
        name: dialect.name for name, dialect in found.items()
    }.items()
    assert "no_gateway" not in found
