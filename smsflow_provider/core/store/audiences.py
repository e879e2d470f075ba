"""Audiences kept under a name: every save is a new version, and none is ever changed."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Protocol, Self

from psycopg.types.json import Jsonb

from smsflow_provider.core.errors import IllegalMoveError, NotFoundError, SupersededError
from smsflow_provider.core.store.audit import write_audit
from smsflow_provider.core.store.connection import Connection, Row, Store
from smsflow_provider.core.store.statements import statements

_SQL = "audiences"


class Action(StrEnum):
    """How a version came to be."""

    #: The first one of its name, or of a name that was deleted.
    SAVE = "save"
    #: Other people in the place of those before.
    UPDATE = "update"
    #: Those before, and more.
    APPEND = "append"
    #: Those before, without some.
    DELETE = "delete"
    #: Those before, without a person who was erased.
    ERASE = "erase"


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
    #: The task that saved it; empty outside Airflow.
    dag_id: str
    run_id: str
    #: When it was saved.
    created_at: datetime
    task_id: str = ""
    #: Who saved it outside a run; empty: a run did.
    actor: str = ""
    action: Action = Action.SAVE
    #: What the name is, in a person's words.
    description: str = ""
    #: When its people were computed; for what was appended to, the newest of them.
    built_at: datetime

    @classmethod
    def from_row(cls, row: Row) -> Self:
        """Read one row of ``smsflow_audiences``."""
        names = (
            *("name", "version", "uri", "fingerprint", "dag_id", "run_id", "task_id", "actor"),
            *("description", "built_at", "created_at"),
        )
        return cls(
            count=row["row_count"],
            action=Action(row["action"]),
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
    task_id: str = "",
    actor: str = "",
    description: str | None = None,
    action: Action | None = None,
    base: int | None = None,
    built_at: datetime | None = None,
) -> int:
    """
    Keep a reference under a name, as its next version.

    Two savers of one name get two versions, one after the other. The same reference saved twice
    is two versions: a retried task leaves a spare one behind, which harms nobody. The file is
    neither read nor copied, and retention keeps it as long as the version is there.

    Args:
        name: The name people will use.
        reference: What to keep.
        columns: Name and kind of each column.
        dag_id: Who saves it.
        run_id: In which run.
        task_id: By which task.
        actor: The person, where it is no task.
        description: What the name is. None: what the newest version says.
        action: How it came to be. None: ``save`` for the first version, else ``update``.
        base: The version it was made from; 0: there was none. None: from no version.
        built_at: When its people were computed. None: when the file was registered, else now.

    Returns:
        The version, from 1. Numbers of deleted versions are not used again.

    Raises:
        SupersededError: Another version than *base* is the newest by now.
        NotFoundError: Retention has removed the file, or a person was erased from it.
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
        "task_id": task_id,
        "actor": actor,
        "description": description,
        "action": action,
        "base": base,
        "built_at": built_at,
    }
    with store.transaction() as connection:
        return _add_version(connection, values)


def _add_version(connection: Connection, values: dict[str, Any]) -> int:
    sqls = statements(_SQL)
    connection.execute(sqls["lock_name"], {"name": values["name"]})
    file = connection.execute(sqls["hold_file"], {"uri": values["uri"]}).fetchone()
    if file is not None and file["purged_at"] is not None:
        raise NotFoundError(
            "the audience's file was removed by retention: build it again", uri=values["uri"]
        )
    if file is not None and file["is_replaced"]:
        raise NotFoundError(
            "a person was erased from the audience's file meanwhile: build it again",
            uri=values["uri"],
        )
    row = connection.execute(sqls["add_version"], values).fetchone()
    if row is None:
        raise SupersededError(
            "somebody else saved this audience meanwhile",
            audience=values["name"],
            base=values["base"],
        )
    return int(row["version"])


def find_audience(store: Store, name: str, *, version: int | None = None) -> SavedAudience:
    """
    Find a saved audience.

    Args:
        name: The name it was saved under.
        version: None: the newest.

    Raises:
        NotFoundError: No such name (the facts have near ones), or no such version of it (the
            facts have the newest), or it was deleted (the facts say when).
    """
    values = {"name": name, "version": version}
    with store.transaction() as connection:
        row = connection.execute(statements(_SQL)["find_audience"], values).fetchone()
        if row is None:
            raise _not_found(connection, name, version=version)
    return SavedAudience.from_row(row)


def _not_found(connection: Connection, name: str, *, version: int | None) -> NotFoundError:
    gone = connection.execute(
        statements(_SQL)["deleted_at"], {"name": name, "version": version}
    ).fetchone()
    if gone is not None:
        return NotFoundError(
            "this version of the audience was deleted",
            audience=name,
            version=version,
            deleted_at=gone["deleted_at"].isoformat(timespec="seconds"),
        )
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
    """List the versions of one saved audience, newest first; none for a name nobody saved."""
    with store.transaction() as connection:
        rows = connection.execute(statements(_SQL)["list_versions"], {"name": name}).fetchall()
    return [SavedAudience.from_row(row) for row in rows]


def describe_audience(
    store: Store, name: str, description: str, *, actor: str | None = None
) -> int:
    """
    Say what a saved audience is; on its newest version, from where later ones take it.

    Args:
        actor: Who is noted in the audit, without the words. None: nobody is.

    Returns:
        That version.

    Raises:
        NotFoundError: No such name; with near ones.
    """
    values = {"name": name, "description": description}
    with store.transaction() as connection:
        row = connection.execute(statements(_SQL)["describe"], values).fetchone()
        if row is None:
            raise _not_found(connection, name, version=None)
        version = int(row["version"])
        _note(connection, actor, "audience_described", audience=name, versions=[version])
    return version


def _note(connection: Connection, actor: str | None, action: str, **facts: Any) -> None:
    if actor is not None:
        write_audit(connection, actor=actor, action=action, facts=facts)


def deliveries_under_way(
    store: Store, name: str, *, version: int | None = None
) -> list[tuple[str, str, int, str]]:
    """
    List up to 20 deliveries that have not ended and were made from an audience, oldest first.

    Args:
        name: The name.
        version: None: from any of the name.

    Returns:
        Id, state, version and the DAG of each. While there are any it cannot be deleted.
    """
    values = {"name": name, "version": version}
    with store.transaction() as connection:
        rows = connection.execute(statements(_SQL)["deliveries_of"], values).fetchall()
    return [(row["id"], row["state"], row["version"], row["dag_id"]) for row in rows]


def delete_audience(
    store: Store, name: str, *, version: int | None, actor: str | None = None
) -> list[int]:
    """
    Delete a version, or the whole name: nobody can read it any more.

    The version before it becomes the newest. Its file stays until retention removes it; deliveries
    that were made from it and have ended are as they were.

    Args:
        name: The name.
        version: None: all of them.
        actor: Who is noted in the audit. None: nobody is.

    Returns:
        The deleted versions, in order.

    Raises:
        NotFoundError: No such name or version.
        IllegalMoveError: A delivery under way was made from it; the facts name up to 20.
    """
    values = {"name": name, "version": version}
    sqls = statements(_SQL)
    with store.transaction() as connection:
        connection.execute(sqls["lock_name"], {"name": name})
        using = connection.execute(sqls["deliveries_of"], values).fetchall()
        if using:
            raise IllegalMoveError(
                "a delivery that has not ended was made from this audience: stop it or let it end",
                audience=name,
                versions=sorted({row["version"] for row in using}),
                deliveries={row["id"]: row["state"] for row in using},
            )
        rows = connection.execute(sqls["delete_versions"], values).fetchall()
        if not rows:
            raise _not_found(connection, name, version=version)
        deleted = sorted(int(row["version"]) for row in rows)
        _note(connection, actor, "audience_deleted", audience=name, versions=deleted)
    return deleted
