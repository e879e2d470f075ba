"""What tests of the bindings and the plugin need: Airflow, a store, a simulator, people."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from airflow.sdk import DAG
from psycopg.conninfo import conninfo_to_dict
from starlette.testclient import TestClient

from smsflow_provider import BuildAudienceOperator, SmsDeliveryOperator
from smsflow_provider.core.store.connection import Store
from smsflow_provider.core.store.embedded import EmbeddedPostgres
from smsflow_provider.testing.simulator import RunningSimulator
from tests.airflow.running import make_metadata, make_server

#: Each phone and each name stands nowhere else, so that a leak is easy to find.
PEOPLE = [
    ("c1", "+33612345671", "Zephyrine"),
    ("c2", "06 12 34 56 72", "Balthazar"),
    ("c3", "12", "Nobody"),
    ("c4", "+33612345671", "Twin"),
]
DIGITS = ("612345671", "612345672", "12 34 56 72")
WORDS = ("Zephyrine", "Balthazar", "Xylophone")
TEMPLATE = """\
---
label: Spring sale
sender: ACME
gateway: sms_gateway
region: FR
---
Xylophone sale for {{ first_name }}!
"""


#: What a request to Airflow's API server leaves behind, in this process.
LEFT_STREAMS = "ignore:Unclosed <MemoryObject:ResourceWarning"


@cache
def _shared_dsn(postgres: EmbeddedPostgres, template: str) -> str:
    """One store a process: the API server keeps the keys of the first it finds."""
    return postgres.create_database("airflow_tests", template=template)


@pytest.fixture
def airflow_store(
    postgres: EmbeddedPostgres, migrated_template: str, monkeypatch: pytest.MonkeyPatch
) -> Store:
    """The store of all these tests, behind the connection ``smsflow_store``."""
    dsn = _shared_dsn(postgres, migrated_template)
    monkeypatch.setenv("AIRFLOW_CONN_SMSFLOW_STORE", store_connection(dsn))
    return Store(dsn)


def store_connection(dsn: str, **changes: Any) -> str:
    """Write a connection to a database as JSON: of the store, if *changes* do not say otherwise."""
    parts = conninfo_to_dict(dsn)
    fields = {
        "conn_type": "smsflow_store",
        "host": parts["host"],
        "port": int(parts["port"] or 5432),
        "schema": parts["dbname"],
        "login": parts.get("user"),
        "password": parts.get("password"),
    }
    return json.dumps(fields | changes)


@pytest.fixture(scope="session")
def running_simulator() -> Iterator[RunningSimulator]:
    """A gateway on this machine."""
    with RunningSimulator() as simulator:
        yield simulator


@pytest.fixture
def simulator(
    running_simulator: RunningSimulator, monkeypatch: pytest.MonkeyPatch
) -> RunningSimulator:
    """The gateway behind the connection ``sms_gateway``; it has got nothing yet."""
    monkeypatch.setenv("AIRFLOW_CONN_SMS_GATEWAY", gateway_connection(running_simulator.url))
    running_simulator.forget()
    return running_simulator


def gateway_connection(url: str, **changes: Any) -> str:
    """Write a connection of the simulator as JSON."""
    host, _, port = url.removeprefix("http://").partition(":")
    return json.dumps({"conn_type": "sms_simulator", "host": host, "port": int(port)} | changes)


@pytest.fixture
def server(request: pytest.FixtureRequest) -> TestClient:
    """Airflow's API server, with the plugin."""
    client = make_server()
    if client.app_state == {}:
        client.__enter__()
        request.config.add_cleanup(lambda: client.__exit__(None, None, None))
    return client


@pytest.fixture
def templates(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of delivery templates, with one called ``sale``."""
    folder = tmp_path / "templates"
    folder.mkdir()
    (folder / "sale.sms.j2").write_text(TEMPLATE)
    monkeypatch.setenv("AIRFLOW__SMSFLOW__TEMPLATES", str(folder))
    monkeypatch.setenv("AIRFLOW__SMSFLOW__ARTIFACTS", str(tmp_path / "artifacts"))
    return folder


@pytest.fixture
def people(tmp_path: Path) -> Path:
    """A file of four people: two to text, a wrong number, and one twice."""
    path = tmp_path / "people.csv"
    rows = [",".join(row) for row in PEOPLE]
    path.write_text("\n".join(["recipient_id,phone,first_name", *rows]) + "\n")
    return path


MakeDag = Callable[..., DAG]


@pytest.fixture
def make_dag(
    request: pytest.FixtureRequest,
    people: Path,
    airflow_store: Store,  # noqa: ARG001  behind a connection
    simulator: RunningSimulator,  # noqa: ARG001  same
    server: TestClient,  # noqa: ARG001  answers the questions
    templates: Path,  # noqa: ARG001  named by the configuration
) -> MakeDag:
    """Make the DAG ``people >> sms``, named after the test."""
    make_metadata()

    def make(*, dag_id: str = "", dag: dict[str, Any] | None = None, **settings: Any) -> DAG:
        name = dag_id or f"shop.{request.node.originalname.removeprefix('test_')}"
        more = dict(dag or {})
        with DAG(name, schedule=more.pop("schedule", None), **more) as made:
            audience = BuildAudienceOperator(task_id="people", file=str(people))
            fields: dict[str, Any] = {"audience": audience.output, "template": "sale", **settings}
            SmsDeliveryOperator("sms", **fields)
        return made

    return make
