"""``airflow db migrate`` reaches the store, through Airflow's own runner of such migrations."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from airflow.utils.db_manager import RunDBManager
from airflow.utils.session import create_session

from smsflow_provider.core.errors import ConfigError, StoreUnreachableError
from smsflow_provider.core.store.connection import Store
from smsflow_provider.core.store.embedded import EmbeddedPostgres
from smsflow_provider.core.store.migrate import check_schema, current_revision, newest_revision
from smsflow_provider.hooks.db_manager import SmsflowDBManager
from tests.airflow.fixtures import store_connection
from tests.airflow.running import make_metadata
from tests.prepared_delivery import make_prepared

CONNECTION = "AIRFLOW_CONN_SMSFLOW_STORE"
GONE = {"conn_type": "smsflow_store", "host": "127.0.0.1", "port": 9, "schema": "smsflow"}


@pytest.fixture
def empty(postgres: EmbeddedPostgres, monkeypatch: pytest.MonkeyPatch) -> Iterator[Store]:
    """A configured store without a table."""
    make_metadata()
    dsn = postgres.create_database("fresh")
    monkeypatch.setenv(CONNECTION, store_connection(dsn))
    yield Store(dsn)
    postgres.drop_database("fresh")


def run(command: str) -> bool | None:
    """Run one of the commands for every manager Airflow found."""
    runner: Any = RunDBManager()  # type: ignore[no-untyped-call]
    runner.validate()
    assert SmsflowDBManager in runner._managers
    with create_session() as session:
        more = [None] if command == "drop_tables" else []
        result: bool | None = getattr(runner, command)(session, *more)
        return result


def manager_of(session: Any) -> Any:
    """Make ours, as Airflow's runner does."""
    return SmsflowDBManager(session)  # type: ignore[no-untyped-call]


@pytest.mark.parametrize("command", ["initdb", "upgradedb"])
def test_a_configured_store_is_migrated(command: str, empty: Store) -> None:
    assert current_revision(empty) is None

    run(command)

    assert newest_revision() == check_schema(empty)


def test_migrating_twice_changes_nothing(empty: Store) -> None:
    run("upgradedb")
    make_prepared(empty, count=2)
    run("upgradedb")

    with empty.transaction() as connection:
        found = connection.execute("SELECT count(*) AS n FROM smsflow_messages").fetchone()
    assert {"n": 2} == found


@pytest.mark.parametrize("command", ["initdb", "upgradedb"])
def test_without_a_connection_it_says_so_and_goes_on(
    command: str, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    make_metadata()
    run(command)
    said = caplog.text + capfd.readouterr().out

    assert "There is no connection smsflow_store: its migration is left out" in said


@pytest.mark.parametrize("command", ["initdb", "upgradedb", "check_migration", "drop_tables"])
def test_a_store_out_of_reach_fails(command: str, monkeypatch: pytest.MonkeyPatch) -> None:
    make_metadata()
    monkeypatch.setenv(CONNECTION, json.dumps(GONE))

    with pytest.raises(StoreUnreachableError, match="the store does not answer"):
        run(command)


def test_a_connection_that_cannot_be_read_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    make_metadata()
    monkeypatch.setenv(CONNECTION, json.dumps({"conn_type": "smsflow_store", "host": "h"}))

    with pytest.raises(ConfigError, match="lacks fields"):
        run("upgradedb")


def test_the_check_tells_a_migrated_store_from_an_empty_one(empty: Store) -> None:
    assert run("check_migration") is False

    run("upgradedb")

    assert run("check_migration") is True
    with empty.transaction() as connection:
        connection.execute("UPDATE smsflow_alembic_version SET version_num = '0000'")

    assert run("check_migration") is False


def test_the_check_asks_nothing_of_an_installation_without_a_store() -> None:
    make_metadata()

    assert run("check_migration") is True


def test_the_revision_is_that_of_the_store(empty: Store) -> None:
    with create_session() as session:
        manager = manager_of(session)
        assert manager.get_current_revision() is None

        run("upgradedb")

        assert current_revision(empty) == manager.get_current_revision()


def test_nothing_is_written_to_airflows_own_database(empty: Store) -> None:
    run("upgradedb")

    assert {} == dict(SmsflowDBManager.metadata.tables)
    assert current_revision(empty) is not None
    with create_session() as session:
        names = session.connection().exec_driver_sql(
            "SELECT name FROM sqlite_master WHERE name LIKE 'smsflow%'"
        )
        assert [] == names.all()


def test_dropping_removes_every_table_and_what_is_in_them(empty: Store) -> None:
    run("upgradedb")
    make_prepared(empty, count=3)
    run("drop_tables")

    with empty.transaction() as connection:
        left = connection.execute(
            "SELECT relname FROM pg_class WHERE relname LIKE 'smsflow%' AND relkind IN ('r', 'p')"
        ).fetchall()
    assert [] == [row["relname"] for row in left if row["relname"] != "smsflow_alembic_version"]
    assert current_revision(empty) is None


def test_dropping_what_is_not_there_is_no_error(empty: Store) -> None:
    run("drop_tables")

    assert current_revision(empty) is None


def test_a_reset_of_one_manager_drops_and_migrates_again(empty: Store) -> None:
    run("upgradedb")
    make_prepared(empty, count=3)
    with create_session() as session:
        manager_of(session).resetdb()

    assert newest_revision() == check_schema(empty)
    with empty.transaction() as connection:
        found = connection.execute("SELECT count(*) AS n FROM smsflow_deliveries").fetchone()
    assert {"n": 0} == found


def test_the_store_is_not_downgraded() -> None:
    with create_session() as session, pytest.raises(NotImplementedError, match="not downgraded"):
        manager_of(session).downgrade("0000")
