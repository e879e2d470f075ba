"""
Databases that hold a world: PostgreSQL, SQLite and DuckDB, each as awkward as it can be.

One column of texts is under a collation without case in SQLite and DuckDB (the PostgreSQL of the
tests has collations by code point only); sessions are in time zones of their own; tables and
columns have names that must be quoted.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import duckdb
import psycopg

from smsflow_provider.core.audience.rules.plan import Kind
from tests.core.audience.rules.worlds import CARELESS, COLUMNS, FLOATING, World


@dataclass(frozen=True, slots=True, kw_only=True)
class Engine:
    """A database with the tables of a world."""

    #: As ``select_sql`` calls it.
    dialect: str
    #: Runs a statement as it is; rows of a query.
    run: Callable[[str], list[tuple[Any, ...]]]
    #: Runs a statement with values for its marks.
    fill: Callable[[str, list[Any]], object]
    types: Mapping[Kind, str]
    floating: str
    careless: str
    #: Stands for a value in a statement.
    mark: str = "?"
    #: Writes a value as this database keeps it.
    write: Callable[[Any], Any] = lambda value: value
    #: Ends the connection.
    close: Callable[[], object] = lambda: None

    def create(self) -> None:
        """Make the tables, empty."""
        for table, columns in COLUMNS.items():
            kinds = [f"{_quoted(name)} {self._type(name, kind)}" for name, kind in columns.items()]
            self.run(f"CREATE TABLE {quoted(table)} ({', '.join(kinds)})")

    def _type(self, name: str, kind: Kind) -> str:
        if name == CARELESS:
            return self.careless
        return self.floating if name == FLOATING else self.types[kind]

    def load(self, world: World) -> None:
        """Put the rows of a world in place of those there are."""
        for table, rows in world.rows.items():
            self.run(f"DELETE FROM {quoted(table)}")  # noqa: S608  names of our own
            if rows:
                marks = ", ".join([f"({', '.join([self.mark] * len(rows[0]))})"] * len(rows))
                written = [self.write(value) for row in rows for value in row]
                self.fill(f"INSERT INTO {quoted(table)} VALUES {marks}", written)  # noqa: S608


def quoted(table: str) -> str:
    """Write the name of a table, with its schema if it has one."""
    return ".".join(map(_quoted, table.split(".")))


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def postgres_engine(dsn: str) -> Engine:
    """Make the tables in an empty database of PostgreSQL."""
    connection = psycopg.connect(dsn, autocommit=True)

    def run(statement: str) -> list[tuple[Any, ...]]:
        found = connection.execute(statement.encode())
        return found.fetchall() if found.description else []

    def fill(statement: str, values: list[Any]) -> object:
        return connection.execute(statement.encode(), values)

    run("CREATE SCHEMA crm")
    run("SET TimeZone = 'Asia/Kolkata'")
    run("SET standard_conforming_strings = on")
    kinds = {
        Kind.TEXT: "text",
        Kind.INTEGER: "bigint",
        Kind.NUMBER: "numeric(12, 2)",
        Kind.BOOLEAN: "boolean",
        Kind.DATE: "date",
        Kind.MOMENT: "timestamptz",
        Kind.LOCAL_MOMENT: "timestamp",
    }
    engine = Engine(
        dialect="postgres",
        run=run,
        fill=fill,
        types=kinds,
        floating="double precision",
        careless="text",
        mark="%s",
        close=connection.close,
    )
    engine.create()
    return engine


def sqlite_engine() -> Engine:
    """Make the tables in a database of SQLite, in memory; ``crm`` is one beside it."""
    connection = sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False)

    def run(statement: str) -> list[tuple[Any, ...]]:
        return list(connection.execute(statement))

    run("ATTACH ':memory:' AS crm")
    run("PRAGMA case_sensitive_like = OFF")
    kinds = {
        Kind.TEXT: "TEXT",
        Kind.INTEGER: "INTEGER",
        Kind.NUMBER: "NUMERIC",
        Kind.BOOLEAN: "BOOLEAN",
        Kind.DATE: "DATE",
        Kind.MOMENT: "TIMESTAMP",
        Kind.LOCAL_MOMENT: "TIMESTAMP",
    }
    engine = Engine(
        dialect="sqlite",
        run=run,
        fill=connection.execute,
        types=kinds,
        floating="REAL",
        careless="TEXT COLLATE NOCASE",
        write=sqlite_value,
        close=connection.close,
    )
    engine.create()
    return engine


def sqlite_value(value: Any) -> Any:
    """Write a value as programs keep it in SQLite: moments as texts, those with a zone in UTC."""
    if isinstance(value, datetime):
        utc = value.astimezone(UTC).replace(tzinfo=None) if value.tzinfo else value
        return utc.isoformat(" ", timespec="microseconds")
    if isinstance(value, date):
        return value.isoformat()
    return float(value) if isinstance(value, Decimal) else value


def duckdb_engine() -> Engine:
    """Make the tables in a database of DuckDB, in memory."""
    connection = duckdb.connect()

    def run(statement: str) -> list[tuple[Any, ...]]:
        return connection.execute(statement).fetchall()

    run("CREATE SCHEMA crm")
    run("SET TimeZone = 'America/New_York'")
    kinds = {
        Kind.TEXT: "VARCHAR",
        Kind.INTEGER: "BIGINT",
        Kind.NUMBER: "DECIMAL(12, 2)",
        Kind.BOOLEAN: "BOOLEAN",
        Kind.DATE: "DATE",
        Kind.MOMENT: "TIMESTAMPTZ",
        Kind.LOCAL_MOMENT: "TIMESTAMP",
    }
    engine = Engine(
        dialect="duckdb",
        run=run,
        fill=connection.execute,
        types=kinds,
        floating="DOUBLE",
        careless="VARCHAR COLLATE NOCASE",
        close=connection.close,
    )
    engine.create()
    return engine
