"""
A real Airflow on 127.0.0.1 for as long as a block runs: api-server, scheduler, dag-processor.

Not `airflow standalone`: that says it is ready when its api-server has died, and its log server
listens on every interface. There is no triggerer: nothing of ours needs one.
"""

from __future__ import annotations

import json
import os
import secrets
import socket
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Literal, Self

from smsflow_provider.cli.demo.processes import Household, stop_leftovers
from smsflow_provider.cli.demo.rest import AirflowClient
from smsflow_provider.core.errors import ConfigError, NotFoundError, SmsflowError

HOST = "127.0.0.1"
#: The parts of Airflow that run, with the arguments of each.
PARTS: Mapping[str, tuple[str, ...]] = {
    "api-server": ("api-server",),
    "scheduler": ("scheduler", "--skip-serve-logs"),
    "dag-processor": ("dag-processor",),
}
_HEALTHY = {"metadatabase": "healthy", "scheduler": "healthy", "dag_processor": "healthy"}

Connection = Mapping[str, object]
"""An Airflow connection as its JSON form has it: ``conn_type``, ``host``, ``extra`` and so on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class User:
    """A login of this Airflow."""

    name: str
    password: str = field(repr=False)
    #: What Airflow lets this user do: an ADMIN all, a USER start and answer, a VIEWER look.
    role: Literal["ADMIN", "OP", "USER", "VIEWER"]


USERS: Sequence[User] = (
    User(name="admin", password="admin", role="ADMIN"),  # noqa: S106  known, on the loopback only
    User(name="manager", password="manager", role="USER"),  # noqa: S106  same
    User(name="viewer", password="viewer", role="VIEWER"),  # noqa: S106  same
)


def _ignore(_step: str) -> None:
    pass


class AirflowStack:
    """
    One Airflow in one folder, alive between `start` and `stop`.

    Variables of the caller that begin with ``AIRFLOW`` do not reach it, so it does the same on
    every machine.

    Args:
        home: Holds everything: configuration, logs, passwords, the SQLite file if there is one.
            Nobody else may use it meanwhile.
        dags_folder: Where the DAG files are.
        metadata: SQLAlchemy URL of the metadata database; None means SQLite in *home*.
        users: Who can log in.
        connections: Airflow connections by their id.
        env: More variables for all parts, such as ``AIRFLOW__SMSFLOW__ARTIFACTS``.
        port: Port of the api-server; None takes a free one.
        progress: Told what happens, a few words at a time.
    """

    def __init__(
        self,
        home: Path,
        *,
        dags_folder: Path,
        metadata: str | None = None,
        users: Sequence[User] = USERS,
        connections: Mapping[str, Connection] | None = None,
        env: Mapping[str, str] | None = None,
        port: int | None = None,
        progress: Callable[[str], None] = _ignore,
    ) -> None:
        self.home = home.absolute()
        self.dags_folder = dags_folder.absolute()
        self.metadata = metadata or f"sqlite:///{self.home / 'airflow.db'}"
        self.users = {user.name: user for user in users}
        self.connections = dict(connections or {})
        self.extra_env = dict(env or {})
        self.port = free_port() if port is None else port
        self._progress = progress
        self._household = Household(home=self.home)
        self._clients: dict[str, AirflowClient] = {}

    @property
    def base_url(self) -> str:
        """Address of the api-server and the UI, without a path at its end."""
        return f"http://{HOST}:{self.port}"

    def start(self, *, timeout_s: float = 180.0) -> Self:
        """
        Make or upgrade the metadata database, start the parts, wait until all are healthy.

        Raises:
            ConfigError: The port is taken.
            SmsflowError: A part died or did not become healthy within *timeout_s*; the facts name
                its log and hold the end of it.
        """
        check_port(self.port, what="Airflow's web server")
        stop_leftovers(self.home)
        try:
            self._write_logins()
            self._progress("making Airflow's database")
            self.airflow("db", "migrate", timeout_s=timeout_s)
            self._progress("starting Airflow")
            for part in PARTS:
                self.start_part(part)
            self._wait_until_healthy(timeout_s=timeout_s)
        except BaseException:
            self.stop()
            raise
        return self

    def stop(self) -> None:
        """Stop all parts, tasks that run included. Does nothing when all are stopped."""
        for client in self._clients.values():
            client.close()
        self._clients.clear()
        self._household.stop()

    def start_part(self, part: str) -> int:
        """
        Start one of `PARTS`; for tests that have killed it.

        Returns:
            Its process id, which is also the id of its group.
        """
        return self._household.spawn(part, self._command(*PARTS[part]), env=self.env()).process.pid

    def stop_part(self, part: str) -> None:
        """Stop one of `PARTS` and what it started."""
        self._household.stop_child(part)

    def pid(self, part: str) -> int:
        """Give the process id of a part."""
        return self._household.child(part).process.pid

    def airflow(self, *arguments: str, timeout_s: float = 120.0) -> None:
        """
        Run an `airflow` command in this environment, to its end. It costs five seconds or more.

        Raises:
            SmsflowError: It failed, or took longer than *timeout_s*.
        """
        name = "-".join(word for word in arguments if word.isalpha())
        command = self._command(*arguments)
        self._household.run(f"airflow-{name}", command, env=self.env(), timeout_s=timeout_s)

    def check(self) -> None:
        """
        Raise if a part has died.

        Raises:
            SmsflowError: It names the part and its log, and holds the end of that log.
        """
        self._household.check()

    def client(self, user: str = "admin") -> AirflowClient:
        """
        Give the REST client of a user, the same one each time. It notices when a part dies.

        Raises:
            NotFoundError: There is no such user.
        """
        if user not in self.users:
            raise NotFoundError("no such user", user=user, users=sorted(self.users))
        if user not in self._clients:
            password = self.users[user].password
            client = AirflowClient(self.base_url, user=user, password=password, check=self.check)
            self._clients[user] = client
        return self._clients[user]

    def token(self, user: str = "admin") -> str:
        """Log a user in and give the token for the header ``Authorization: Bearer``."""
        return self.client(user).token()

    def env(self) -> dict[str, str]:
        """
        Compose the environment of every part; ``airflow`` commands of a test may use it too.

        It holds the passwords of the connections: do not print it.
        """
        inherited = {k: v for k, v in os.environ.items() if not k.startswith("AIRFLOW")}
        return {
            **inherited,
            **_settings(self),
            **{_variable(name): json.dumps(conn) for name, conn in self.connections.items()},
            **self.extra_env,
        }

    def __enter__(self) -> Self:
        """Start, and stop at the end of the block."""
        return self.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Stop, whatever happened."""
        self.stop()

    def _command(self, *arguments: str) -> list[str]:
        return [sys.executable, "-m", "airflow", *arguments]

    def _write_logins(self) -> None:
        self.home.mkdir(parents=True, exist_ok=True)
        logins = {user.name: user.password for user in self.users.values()}
        write_secret(self.home / "passwords.json", json.dumps(logins))

    def _wait_until_healthy(self, *, timeout_s: float) -> None:
        with AirflowClient(self.base_url, user="", password="", check=self._check_port) as asker:

            def look() -> bool | None:
                if not self._household.child("api-server").listens_at(self.port):
                    return None  # another server may answer there, and be healthy
                try:
                    health = asker.health()
                except SmsflowError:
                    return None
                return _HEALTHY.items() <= health.items() or None

            if asker.poll(look, timeout_s=timeout_s) is None:
                raise SmsflowError(
                    "Airflow did not become healthy",
                    seconds=timeout_s,
                    logs=str(self.home / "logs"),
                )

    def _check_port(self) -> None:
        """Check the parts; one that died because its port was taken meanwhile is told as such."""
        try:
            self.check()
        except SmsflowError as error:
            if error.facts["name"] == "api-server":
                check_port(self.port, what="Airflow's web server")
            raise


def free_port() -> int:
    """Find a port of 127.0.0.1 that nobody uses now. Somebody may take it in the next moment."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


def check_port(port: int, *, what: str) -> None:
    """
    Raise unless *port* of 127.0.0.1 is free.

    Raises:
        ConfigError: It is taken; the fact ``do`` says what to do.
    """
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError as error:
            raise ConfigError(
                f"port {port} for {what} cannot be used",
                cause=error.strerror,
                do="name a free one: smsflow demo --port N, or make demo PORT=N",
            ) from error


def _variable(connection_id: str) -> str:
    return f"AIRFLOW_CONN_{connection_id.upper()}"


def _settings(stack: AirflowStack) -> dict[str, str]:
    """Compose Airflow's settings for one small machine."""
    roles = ",".join(f"{user.name}:{user.role}" for user in stack.users.values())
    home = stack.home
    return {
        "AIRFLOW_HOME": str(home),
        "AIRFLOW__CORE__DAGS_FOLDER": str(stack.dags_folder),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__CORE__DAGS_ARE_PAUSED_AT_CREATION": "False",
        "AIRFLOW__CORE__EXECUTOR": "LocalExecutor",
        "AIRFLOW__CORE__PARALLELISM": "4",
        "AIRFLOW__CORE__TEST_CONNECTION": "Enabled",
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_USERS": roles,
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE": str(home / "passwords.json"),
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": stack.metadata,
        "AIRFLOW__LOGGING__BASE_LOG_FOLDER": str(home / "logs" / "tasks"),
        "AIRFLOW__API__HOST": HOST,
        "AIRFLOW__API__PORT": str(stack.port),
        "AIRFLOW__API__BASE_URL": stack.base_url,
        # The default of 5 s holds a slot that long after a short task.
        "AIRFLOW__WORKERS__MIN_HEARTBEAT_INTERVAL": "1",
        "AIRFLOW__DAG_PROCESSOR__REFRESH_INTERVAL": "10",
        "AIRFLOW__DAG_PROCESSOR__PARSING_PROCESSES": "1",
        "AIRFLOW__USAGE_DATA_COLLECTION__ENABLED": "False",
        "NO_PROXY": f"{HOST},localhost",
        "no_proxy": f"{HOST},localhost",
        "PYTHONUNBUFFERED": "1",
        **_secrets(home / "secrets.json"),
    }


def _secrets(file: Path) -> dict[str, str]:
    """Read the keys all parts must share; made at the first use, kept for the next ones."""
    if not file.exists():
        file.parent.mkdir(parents=True, exist_ok=True)
        fresh = {
            "AIRFLOW__API_AUTH__JWT_SECRET": secrets.token_urlsafe(48),
            "AIRFLOW__API__SECRET_KEY": secrets.token_urlsafe(32),
            "AIRFLOW__CORE__FERNET_KEY": _fernet_key(),
        }
        write_secret(file, json.dumps(fresh))
    known: dict[str, str] = json.loads(file.read_text())
    return known


def _fernet_key() -> str:
    """Make a key as Fernet wants it: 32 bytes, in URL-safe base 64 with the padding."""
    return secrets.token_urlsafe(32) + "="


def write_secret(file: Path, text: str) -> None:
    """Write a file that its owner alone can read."""
    file.touch(mode=0o600)
    file.chmod(0o600)
    file.write_text(text)
