"""Reaching the store: connections, transactions, and the errors of both in our own words."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
from psycopg.rows import dict_row

from smsflow_provider.core.errors import IllegalMoveError, SchemaError, StoreUnreachableError

Row = dict[str, Any]
Connection = psycopg.Connection[Row]

#: SQLSTATE of the trigger that guards the moves of a delivery.
ILLEGAL_MOVE = "SF001"

#: SQLSTATEs of a connection that is gone: none at all, ended by an administrator or a crash, or for
#: being idle in a transaction.
_LOST = frozenset({None, "57P01", "57P02", "57P03", "25P03", "08000", "08003", "08006"})


class Store:
    """
    The store of one installation: a PostgreSQL database (14 or newer).

    Holds no connection itself: it is cheap to make, safe to share, and opens nothing until used.

    Args:
        dsn: A libpq connection string or URI. Never shown in a repr or an error.
    """

    def __init__(self, dsn: str) -> None:
        self._dsn = dsn

    def __repr__(self) -> str:
        """Say what it is; the DSN holds a password."""
        return "Store(...)"

    @property
    def dsn(self) -> str:
        """The connection string, with its password: for a process of our own, by a pipe only."""
        return self._dsn

    def connect_plain(self) -> psycopg.Connection[Any]:
        """
        Open a connection with psycopg's own rows.

        Raises:
            StoreUnreachableError: The server does not answer or refuses the credentials.
        """
        try:
            connection = psycopg.connect(
                self._dsn, application_name="smsflow", connect_timeout=10, autocommit=True
            )
            # A plan for whatever delivery may come would lock the tables of all of them.
            connection.execute("SET plan_cache_mode = force_custom_plan")
        except psycopg.OperationalError as error:
            raise StoreUnreachableError(
                "the store does not answer: check the connection smsflow_store",
                **_place_of(self._dsn),
                cause=_first_line(error),
            ) from None
        connection.autocommit = False
        # Locks are taken and rows read again behind them, whatever the server's default is.
        connection.isolation_level = psycopg.IsolationLevel.READ_COMMITTED
        return connection

    def connect(self) -> Connection:
        """Open a connection whose rows are dictionaries. Same errors as ``connect_plain``."""
        connection = self.connect_plain()
        connection.row_factory = dict_row
        return connection

    @contextmanager
    def transaction(self) -> Iterator[Connection]:
        """
        Run one transaction on a connection of its own: committed at the end, or not at all.

        Raises:
            StoreUnreachableError: No connection.
            IllegalMoveError: The store refused a move of a delivery.
            SchemaError: A table or column is missing.
        """
        with translated_errors(), self.connect() as connection:
            yield connection


@contextmanager
def translated_errors() -> Iterator[None]:
    """
    Turn the driver's errors into ours, without any value of a row in the text.

    What has no error of ours keeps its type, and loses the words that quote rows.
    """
    try:
        yield
    except psycopg.Error as error:
        if error.sqlstate == ILLEGAL_MOVE:
            raise IllegalMoveError(_first_line(error)) from None
        if isinstance(error, psycopg.errors.UndefinedTable | psycopg.errors.UndefinedColumn):
            raise SchemaError(
                "the store's schema is older than this version: run 'smsflow db migrate'",
                cause=_first_line(error),
            ) from None
        if isinstance(error, psycopg.OperationalError) and error.sqlstate in _LOST:
            raise StoreUnreachableError(
                "the connection to the store was lost", cause=_first_line(error)
            ) from None
        raise _without_rows(error) from None


def _without_rows(error: psycopg.Error) -> psycopg.Error:
    """
    Make the same error without what it quotes.

    DETAIL and CONTEXT show whole rows, and a ``DataError`` a value in its very first line.
    """
    words = _first_line(error)
    if isinstance(error, psycopg.DataError):
        words = f"a value does not fit: {type(error).__name__}"
    return type(error)(words)


def _first_line(error: BaseException) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0]


def _place_of(dsn: str) -> dict[str, object]:
    """Read host, port and database from *dsn*: what a person needs to see, and no password."""
    try:
        parts = psycopg.conninfo.conninfo_to_dict(dsn)
    except psycopg.Error:
        return {}
    return {name: parts[name] for name in ("host", "port", "dbname") if parts.get(name)}
