"""A real Airflow, a real Kannel, the simulator and a real store, started once for the folder."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import date
from itertools import count
from pathlib import Path
from random import Random
from typing import Any
from urllib.parse import urlsplit

import pytest
from psycopg.conninfo import conninfo_to_dict

from smsflow_provider.cli.demo.crm import make_customers, write_crm
from smsflow_provider.cli.demo.rest import AirflowClient
from smsflow_provider.cli.demo.stack import USERS, AirflowStack, User, free_port
from smsflow_provider.core.delivery.identity import delivery_id_of
from smsflow_provider.core.delivery.report import report
from smsflow_provider.core.model import Origin
from smsflow_provider.core.store.connection import Store
from smsflow_provider.core.store.embedded import EmbeddedPostgres
from smsflow_provider.simulator.behaviour import Behaviour
from smsflow_provider.testing.simulator import RunningSimulator
from tests.kannel_harness import Kannel
from tests.sending import check_sums
from tests.system.people import write_people

HERE = Path(__file__).parent
#: The Airflow of these tests, once it runs.
_RUNNING = ExitStack()
_RUNS = count(1)
#: Two people more who may start and send, for what needs two pairs of eyes or two hands at once.
_PEOPLE = (
    *USERS,
    User(name="ann", password="ann", role="USER"),
    User(name="bob", password="bob", role="USER"),
)


def connection_of(conn_type: str, dsn: str) -> dict[str, object]:
    """Write a PostgreSQL DSN as an Airflow connection."""
    parts = conninfo_to_dict(dsn)
    return {
        "conn_type": conn_type,
        "host": parts["host"],
        "port": int(str(parts["port"])),
        "login": parts["user"],
        "password": parts["password"],
        "schema": parts["dbname"],
    }


@dataclass(slots=True, kw_only=True)
class System:
    """All that runs, and how to use it."""

    airflow: AirflowStack
    kannel: Kannel
    simulator: RunningSimulator
    store: Store
    store_dsn: str = field(repr=False)
    templates: Path

    def start(self, dag_id: str, **conf: Any) -> Run:
        """Start a run as the manager would."""
        run_id = f"test-{next(_RUNS)}"
        client = self.airflow.client("manager")
        client.wait_for_dag(dag_id)
        client.start_run(dag_id, run_id=run_id, conf=conf)
        return Run(system=self, dag_id=dag_id, run_id=run_id)


@dataclass(slots=True, kw_only=True)
class Run:
    """One run of one DAG."""

    system: System
    dag_id: str
    run_id: str

    @property
    def client(self) -> AirflowClient:
        """The manager's client."""
        return self.system.airflow.client("manager")

    @property
    def delivery_id(self) -> str:
        """The delivery of the run."""
        return delivery_id_of(Origin(dag_id=self.dag_id, run_id=self.run_id, task_id="sms"))

    def wait_for_review(self) -> dict[str, Any]:
        """Wait until a person is asked."""
        return self.client.wait_for_review(self.dag_id, self.run_id)

    def answer(self, option: str, **how: Any) -> None:
        """Wait for the review and answer it."""
        self.client.answer(self.wait_for_review(), option, **how)

    def wait(self, state: str = "success", *, timeout_s: float = 240) -> dict[str, str]:
        """Wait for the end of the run; returns the states of its tasks."""
        self.client.wait_for_run(self.dag_id, self.run_id, states=[state], timeout_s=timeout_s)
        return self.client.task_states(self.dag_id, self.run_id)

    def report(self) -> dict[str, Any]:
        """Report on the delivery, checked for its sums."""
        result = report(self.system.store, self.delivery_id)
        check_sums(result)
        return result


@pytest.fixture(scope="session")
def kannel(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kannel]:
    """A real Kannel with its fake carrier."""
    with Kannel(tmp_path_factory.mktemp("kannel")) as running:
        yield running


@pytest.fixture(scope="session")
def simulator() -> Iterator[RunningSimulator]:
    """The simulator, with quick receipts."""
    behaviour = Behaviour(receipt_delay_min_s=0.1, receipt_delay_max_s=0.5)
    with RunningSimulator(behaviour) as running:
        yield running


@pytest.fixture(scope="session")
def system(
    postgres: EmbeddedPostgres,
    kannel: Kannel,
    simulator: RunningSimulator,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[System]:
    """Airflow with connections to all of them. Its store is migrated by ``airflow db migrate``."""
    home = tmp_path_factory.mktemp("airflow")
    templates = home / "templates"
    # The DAGs of these tests, and the examples beside them.
    examples = HERE.parent.parent / "dags"
    shutil.copytree(examples, home / "dags")
    shutil.copytree(HERE / "dags", home / "dags", dirs_exist_ok=True)
    shutil.copytree(examples / "templates", templates)
    shutil.copytree(HERE / "templates", templates, dirs_exist_ok=True)
    store_dsn, crm_dsn, metadata = (
        postgres.create_database(name) for name in ("system_store", "system_crm", "system_airflow")
    )
    write_people(crm_dsn)
    write_crm(crm_dsn, make_customers(200, random=Random(7), today=date(2026, 11, 22)))
    port = free_port()
    gate = urlsplit(simulator.url)
    stack = AirflowStack(
        home,
        dags_folder=home / "dags",
        metadata=metadata.replace("postgresql:", "postgresql+psycopg2:", 1),
        users=_PEOPLE,
        port=port,
        connections={
            "smsflow_store": connection_of("smsflow_store", store_dsn),
            "crm": connection_of("postgres", crm_dsn),
            "simulator": {"conn_type": "sms_simulator", "host": gate.hostname, "port": gate.port},
            "sms_gateway": {
                "conn_type": "sms_simulator",
                "host": gate.hostname,
                "port": gate.port,
            },
            "slow_gateway": {
                "conn_type": "sms_simulator",
                "host": gate.hostname,
                "port": gate.port,
                "extra": '{"parts_per_s": 4}',
            },
            "kannel": {
                "conn_type": "sms_kannel",
                "host": "127.0.0.1",
                "port": kannel.port,
                "login": "smsflow",
                "password": "secret",
                "extra": '{"max_connections": 16}',
            },
        },
        env={
            "AIRFLOW__SMSFLOW__PUBLIC_URL": f"http://127.0.0.1:{port}",
            "AIRFLOW__SMSFLOW__TEMPLATES": str(templates),
            "AIRFLOW__SMSFLOW__ARTIFACTS": str(home / "artifacts"),
            "AIRFLOW__SCHEDULER__TRIGGER_TIMEOUT_CHECK_INTERVAL": "2",
        },
    )
    _RUNNING.enter_context(stack)
    yield System(
        airflow=stack,
        kannel=kannel,
        simulator=simulator,
        store=Store(store_dsn),
        store_dsn=store_dsn,
        templates=templates,
    )
    _RUNNING.close()


@pytest.hookimpl(trylast=True)
def pytest_runtest_teardown(nextitem: pytest.Item | None) -> None:
    """Stop Airflow behind the last test that needs it: tests behind it want its processor."""
    if nextitem is None or HERE not in nextitem.path.parents:
        _RUNNING.close()
