"""Audiences kept under a name: every save is a new version, and none is ever changed."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol, Self

from psycopg.types.json import Jsonb

from smsflow_provider.core.errors import NotFoundError
from smsflow_provider.core.store.connection import Connection, Row, Store
from smsflow_provider.core.store.statements import statements

_SQL = "audiences"


class Reference(Protocol):
    """What is saved: where an audience lies and what it must be."""

    @property
    def uri(self) -> str:
        """Where the file lies."""

    @property
    def count(self) -> int:
        """Recipients in it."""

    @property
    def fingerprint(self) -> str:
        """Hash of its content."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SavedAudience:
    """One version of a saved audience. The store keeps the reference, not the people."""

    name: str
    #: 1 for the first save of the name.
    version: int
    uri: str
    #: Recipients, 0 or more.
    count: int
    fingerprint: str
    #: Name and kind of each column, in order.
    columns: tuple[tuple[str, str], ...]
    #: The run that saved it; empty outside Airflow.
    dag_id: str
    run_id: str
    created_at: datetime

    @classmethod
    def from_row(cls, row: Row) -> Self:
        """Read one row of ``smsflow_audiences``."""
        names = ("name", "version", "uri", "fingerprint", "dag_id", "run_id", "created_at")
        return cls(
            count=row["row_count"],
            columns=tuple((one["name"], one["kind"]) for one in row["columns"]),
            **{name: row[name] for name in names},
        )


def save_audience(
    store: Store,
    name: str,
    reference: Reference,
    *,
    columns: Sequence[tuple[str, str]] = (),
    dag_id: str = "",
    run_id: str = "",
) -> int:
    """
    Keep a reference under a name, as its next version.

    Two savers of one name get two versions, one after the other. The same reference saved twice
    is two versions: a retried task leaves a spare one behind, which harms nobody. The file is
    neither read nor copied.

    Args:
        name: The name people will use.
        reference: What to keep.
        columns: Name and kind of each column.
        dag_id: Who saves it.
        run_id: In which run.

    Returns:
        The version, from 1.

    Raises:
        StoreError: The store is out of reach, or its schema is another one.
    """
    values: dict[str, Any] = {
        "name": name,
        "uri": reference.uri,
        "count": reference.count,
        "fingerprint": reference.fingerprint,
        "columns": Jsonb([{"name": column, "kind": kind} for column, kind in columns]),
        "dag_id": dag_id,
        "run_id": run_id,
    }
    with store.transaction() as connection:
        connection.execute(statements(_SQL)["lock_name"], {"name": name})
        rows = connection.execute(statements(_SQL)["add_version"], values).fetchall()
    return int(rows[0]["version"])


def find_audience(store: Store, name: str, *, version: int | None = None) -> SavedAudience:
    """
    Find a saved audience.

    Args:
        name: The name it was saved under.
        version: None: the newest.

    Raises:
        NotFoundError: No such name (the facts have near ones), or no such version of it (the
            facts have the newest).
    """
    values = {"name": name, "version": version}
    with store.transaction() as connection:
        row = connection.execute(statements(_SQL)["find_audience"], values).fetchone()
        if row is None:
            raise _not_found(connection, name, version=version)
    return SavedAudience.from_row(row)


def _not_found(connection: Connection, name: str, *, version: int | None) -> NotFoundError:
    newest = {
        str(row["name"]): row["version"]
        for row in connection.execute(statements(_SQL)["list_audiences"])
    }
    if name in newest:
        return NotFoundError(
            "a saved audience has no such version",
            audience=name,
            version=version,
            newest=newest[name],
        )
    near = difflib.get_close_matches(name, newest, n=3)
    return NotFoundError("there is no saved audience of this name", audience=name, near=near)


def list_audiences(store: Store) -> list[SavedAudience]:
    """List the newest version of every saved audience, by name."""
    with store.transaction() as connection:
        rows = connection.execute(statements(_SQL)["list_audiences"]).fetchall()
    return [SavedAudience.from_row(row) for row in rows]


def list_versions(store: Store, name: str) -> list[SavedAudience]:
    """List every version of one saved audience, newest first; none for a name nobody saved."""
    with store.transaction() as connection:
        rows = connection.execute(statements(_SQL)["list_versions"], {"name": name}).fetchall()
    return [SavedAudience.from_row(row) for row in rows]
