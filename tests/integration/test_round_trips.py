"""Transactions that wait for the server as seldom as they can."""

from __future__ import annotations

import psycopg
import pytest

from smsflow_provider.core.store.connection import Connection, Store
from smsflow_provider.core.store.round_trips import one_transaction


def _is_idle(connection: Connection) -> bool:
    return connection.info.transaction_status is psycopg.pq.TransactionStatus.IDLE


def test_it_is_committed_at_its_end(store: Store) -> None:
    with store.connect() as connection:
        with one_transaction(connection), connection.pipeline():
            connection.execute("CREATE TABLE noted (no integer)")
            connection.execute("INSERT INTO noted VALUES (1)")
        assert _is_idle(connection)
    with store.transaction() as other:
        assert [{"no": 1}] == other.execute("SELECT no FROM noted").fetchall()


def test_an_error_leaves_nothing_and_an_idle_connection(store: Store) -> None:
    with store.connect() as connection:
        with pytest.raises(LookupError):
            _fail_behind_a_statement(connection)
        assert _is_idle(connection)
        found = connection.execute("SELECT to_regclass('noted') AS found").fetchone()
        assert found == {"found": None}


def _fail_behind_a_statement(connection: Connection) -> None:
    with one_transaction(connection):
        connection.execute("CREATE TABLE noted (no integer)")
        raise LookupError("of the one who writes")


def test_an_error_amid_statements_of_one_round_trip_leaves_a_connection_that_works(
    store: Store,
) -> None:
    with store.connect() as connection:
        with pytest.raises(psycopg.errors.DivisionByZero):
            _fail_amid_statements(connection)
        with one_transaction(connection):
            connection.execute("CREATE TABLE noted (no integer)")
        assert _is_idle(connection)


def _fail_amid_statements(connection: Connection) -> None:
    with one_transaction(connection), connection.pipeline():
        connection.execute("CREATE TABLE noted (no integer)")
        connection.execute("SELECT 1 / 0")
        connection.execute("INSERT INTO noted VALUES (1)")
