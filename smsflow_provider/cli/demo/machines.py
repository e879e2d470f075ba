"""What the demo runs: a private PostgreSQL, the simulated gateway, and Airflow, in this order."""

from __future__ import annotations

import os
import secrets
import shlex
import shutil
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from random import Random
from typing import Self
from urllib.parse import urlsplit

import httpx

from smsflow_provider.cli.demo.crm import (
    Customer,
    make_customers,
    opted_out,
    write_crm,
    write_opt_outs,
)
from smsflow_provider.cli.demo.history import FormerRun
from smsflow_provider.cli.demo.processes import Household, stop_leftovers
from smsflow_provider.cli.demo.stack import (
    HOST,
    AirflowStack,
    Connection,
    check_port,
    free_port,
    write_secret,
)
from smsflow_provider.core.errors import ConfigError, SmsflowError, StoreError
from smsflow_provider.core.gateways.simulator import SimulatorDialect, SimulatorSettings
from smsflow_provider.core.store.connection import Store
from smsflow_provider.core.store.embedded import EmbeddedPostgres
from smsflow_provider.core.store.migrate import migrate

#: The workflow the demo runs.
DAG_ID = "marketing.spring_sale"
CUSTOMERS = 2_000
#: Those there were a week ago.
_FORMER_CUSTOMERS = 1_950
#: A file that says a folder is the demo's own, to be emptied at will.
_OWN = ".smsflow-demo"
_SEED = 20_250_501
#: A gateway like others: it takes its time, refuses a few, and not every phone is switched on.
_SIMULATOR = ("--latency-s", "0.25", "--refused-share", "0.01", "--delivered-share", "0.96")
#: What Airflow's parts are told that ``smsflow`` needs as well.
_FOR_CLI = frozenset(
    {
        "AIRFLOW_HOME",
        "AIRFLOW__CORE__DAGS_FOLDER",
        "AIRFLOW__CORE__FERNET_KEY",
        "AIRFLOW_CONN_SMSFLOW_STORE",
        "AIRFLOW_CONN_SMS_GATEWAY",
        "AIRFLOW_CONN_CRM",
    }
)


@dataclass(slots=True, kw_only=True)
class Machines:
    """
    All servers of the demo, alive inside a ``with`` block; each start begins with an empty home.

    The logs of the last run stay in *home* until the next one.
    """

    home: Path
    #: The checkout whose ``dags`` folder is used.
    checkout: Path
    #: Port of Airflow, the only one people type.
    port: int
    today: date
    progress: Callable[[str], None]
    _postgres: EmbeddedPostgres = field(init=False)
    _household: Household = field(init=False)
    _simulator_port: int = field(init=False, default=0)
    _api_key: str = field(init=False, default_factory=lambda: secrets.token_urlsafe(24))
    airflow: AirflowStack = field(init=False)
    store: Store = field(init=False)
    _stack: ExitStack = field(init=False, default_factory=ExitStack)

    def __enter__(self) -> Self:
        """Start everything; where one thing fails, stop what was started."""
        check_port(self.port, what="Airflow's web server")
        empty_home(self.home)
        with ExitStack() as stack:
            self._start_postgres(stack)
            self._start_simulator(stack)
            self._fill()
            self._start_airflow(stack)
            self._write_environment()
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *_error: object) -> None:
        """Stop everything, Airflow first, the database last."""
        self._stack.close()

    def _start_postgres(self, stack: ExitStack) -> None:
        self.progress("starting PostgreSQL")
        self._postgres = stack.enter_context(EmbeddedPostgres(self.home / "postgres"))
        for name in ("airflow", "smsflow", "crm"):
            self._postgres.create_database(name)
        self.store = Store(self._postgres.dsn("smsflow"))

    def _start_simulator(self, stack: ExitStack) -> None:
        self.progress("starting the gateway simulator")
        self._household = Household(home=self.home / "simulator")
        stack.callback(self._household.stop)
        self._simulator_port = free_port()
        arguments = ["--host", HOST, "--port", str(self._simulator_port), *_SIMULATOR]
        key = {"SMSFLOW_SIMULATOR_API_KEY": self._api_key}
        self._household.spawn(
            "simulator", smsflow("simulator", *arguments), env={**os.environ, **key}
        )
        self._wait_for_simulator()

    def _wait_for_simulator(self) -> None:
        deadline = time.monotonic() + 30
        while not _answers(f"http://{HOST}:{self._simulator_port}/health"):
            self._household.check()
            if time.monotonic() > deadline:
                raise SmsflowError("the simulator does not answer", logs=str(self.home))
            time.sleep(0.1)

    def _fill(self) -> None:
        """Make the tables, the customers, and the list of those who want no messages."""
        self.progress(f"filling the CRM with {CUSTOMERS:,} customers")
        migrate(self.store)
        random = Random(_SEED)  # noqa: S311  invented customers need no secrecy
        customers = make_customers(CUSTOMERS, random=random, today=self.today)
        write_crm(self._postgres.dsn("crm"), customers)
        opt_outs = self.home / "opted-out.csv"
        write_opt_outs(opt_outs, opted_out(customers, random=random))
        command = smsflow("opt-outs", "import", str(opt_outs))
        self._household.run("opt-outs", command, env=self._cli_env(), timeout_s=60)
        self._prepare_former_run(customers[:_FORMER_CUSTOMERS])

    def _prepare_former_run(self, customers: Sequence[Customer]) -> None:
        self.progress("preparing what a run of last week would have had")
        gate = SimulatorSettings(base_url=f"http://{HOST}:{self._simulator_port}")
        former = FormerRun(
            dag_id=DAG_ID,
            dags=self.checkout / "dags",
            folder=self.home / "last-week",
            dialect=SimulatorDialect(gate),
        )
        former.prepare(self.store, customers)

    def _cli_env(self) -> dict[str, str]:
        """Tell `smsflow` commands where the store is."""
        return {**os.environ, "SMSFLOW_STORE": self._postgres.dsn("smsflow")}

    def _start_airflow(self, stack: ExitStack) -> None:
        metadata = self._postgres.dsn("airflow").replace("postgresql:", "postgresql+psycopg2:", 1)
        self.airflow = AirflowStack(
            self.home / "airflow",
            dags_folder=self.checkout / "dags",
            metadata=metadata,
            connections=self._connections(),
            env={
                "AIRFLOW__SMSFLOW__PUBLIC_URL": f"http://{HOST}:{self.port}",
                "AIRFLOW__SMSFLOW__TEMPLATES": str(self.checkout / "dags" / "templates"),
                "AIRFLOW__SMSFLOW__RULES": str(self.checkout / "dags" / "rules"),
                "AIRFLOW__SMSFLOW__ARTIFACTS": str(self.home / "artifacts"),
            },
            port=self.port,
            progress=self.progress,
        )
        stack.enter_context(self.airflow)

    def _write_environment(self) -> None:
        """Let a shell of its owner use ``smsflow`` with the demo: the file holds passwords."""
        told = {name: value for name, value in self.airflow.env().items() if _is_for_cli(name)}
        told["SMSFLOW_STORE"] = self._postgres.dsn("smsflow")
        lines = [f"export {name}={shlex.quote(value)}" for name, value in sorted(told.items())]
        programs = shlex.quote(str(Path(sys.executable).parent))
        lines.append(f'export PATH={programs}:"$PATH"')
        write_secret(self.environment, "\n".join(lines) + "\n")

    @property
    def environment(self) -> Path:
        """A file for ``source``: with it, ``smsflow`` finds the demo's store and gateway."""
        return self.home / "cli.env"

    def _connections(self) -> dict[str, Connection]:
        return {
            "smsflow_store": to_postgres("smsflow_store", self._postgres.dsn("smsflow")),
            "crm": to_postgres("postgres", self._postgres.dsn("crm")),
            "sms_gateway": {
                "conn_type": "sms_simulator",
                "schema": "http",
                "host": HOST,
                "port": self._simulator_port,
                "password": self._api_key,
            },
        }


def _is_for_cli(name: str) -> bool:
    return name in _FOR_CLI or name.startswith("AIRFLOW__SMSFLOW__")


def empty_home(home: Path) -> None:
    """
    Stop what a killed demo left in *home*, and empty it for the next one.

    Raises:
        ConfigError: A demo runs there, or the folder holds other things than a demo's.
    """
    _check_own(home)
    _destroy_postgres(home)
    for name in ("airflow", "simulator"):
        stop_leftovers(home / name)
    if home.exists():
        shutil.rmtree(home)
    home.mkdir(parents=True)
    (home / _OWN).touch()


def remove_home(home: Path) -> None:
    """
    Stop what a killed demo left in *home*, and delete it. A missing one is no error.

    Raises:
        ConfigError: A demo runs there, or the folder holds other things than a demo's.
    """
    if home.exists():
        empty_home(home)
        shutil.rmtree(home)


def smsflow(*arguments: str) -> list[str]:
    """Compose the command line of an `smsflow` command in this environment."""
    return [sys.executable, "-m", "smsflow_provider.cli.main", *arguments]


def _check_own(home: Path) -> None:
    if home.exists() and not (home / _OWN).exists() and any(home.iterdir()):
        raise ConfigError(
            "the demo empties its home folder, and this one holds something else",
            home=str(home),
            do="name an empty or a new folder: smsflow demo --home DIR",
        )


def _destroy_postgres(home: Path) -> None:
    try:
        EmbeddedPostgres(home / "postgres").destroy()
    except StoreError as error:
        raise ConfigError(
            "a demo is running in this folder already",
            home=str(home),
            pid=error.facts.get("owner_pid"),
            do="stop it, or start another: smsflow demo --home DIR --port N",
        ) from error


def to_postgres(conn_type: str, dsn: str) -> Connection:
    """Write a DSN as an Airflow connection."""
    parts = urlsplit(dsn)
    return {
        "conn_type": conn_type,
        "host": parts.hostname,
        "port": parts.port,
        "login": parts.username,
        "password": parts.password,
        "schema": parts.path.lstrip("/"),
    }


def _answers(url: str) -> bool:
    try:
        return httpx.get(url, timeout=2, trust_env=False).is_success
    except httpx.HTTPError:
        return False
