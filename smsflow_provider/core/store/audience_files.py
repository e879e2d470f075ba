"""The files of audiences that smsflow wrote: who made them, and when they may go."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any, Final, Self, TypeVar

from psycopg.types.json import Jsonb

from smsflow_provider.core.errors import AudienceError, ConfigError, NotFoundError, StoreError
from smsflow_provider.core.model import Origin
from smsflow_provider.core.store.audiences import Reference
from smsflow_provider.core.store.connection import Connection, Row, Store
from smsflow_provider.core.store.statements import statements

_SQL: Final = "audience_files"
#: A run may take days from building an audience to preparing it: no younger file is removed.
LEAST_DAYS: Final = 8
_PAGE: Final = 1_000
#: Who makes files outside Airflow.
_NO_TASK: Final = Origin()
Made = TypeVar("Made")


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownFile:
    """One file of an audience, and what is known of it. Holds no people."""

    uri: str
    #: The task that wrote it; empty and -1 outside Airflow.
    by: Origin
    #: Recipients, 0 or more; 0 also while it is being written.
    count: int
    #: Empty while it is being written.
    fingerprint: str
    #: How its people were found: no value of a row.
    made: Mapping[str, Any]
    created_at: datetime
    #: When retention removed it. None: it is there.
    purged_at: datetime | None

    @classmethod
    def from_row(cls, row: Row) -> Self:
        """Read one row of ``smsflow_audience_files``."""
        names = ("uri", "fingerprint", "made", "created_at", "purged_at")
        return cls(
            by=Origin(**{name: row[name] for name in ("dag_id", "run_id", "task_id", "map_index")}),
            count=row["row_count"],
            **{name: row[name] for name in names},
        )


def announce_file(store: Store, uri: str, *, by: Origin) -> None:
    """
    Say that a file is about to be written, before its first byte is.

    A writer that is killed leaves at most a file that retention knows of. To be called for files of
    our own only: whatever is announced is removed one day.
    """
    with store.transaction() as connection:
        connection.execute(statements(_SQL)["announce"], {"uri": uri, **asdict(by)})


def write_announced(
    store: Store, uri: str, write: Callable[[], Made | None], *, by: Origin
) -> Made | None:
    """
    Announce a file and write it; where none came of it, nobody waits for it.

    Args:
        store: Knows the files.
        uri: Where *write* writes.
        write: Writes the file whole or leaves nothing there; None: there is nobody to write.
        by: Who writes.

    Raises:
        AudienceError: What *write* raises; the announcement is taken back.
    """
    announce_file(store, uri, by=by)
    try:
        made = write()
    except AudienceError:
        # What went wrong is said, not that the store does not answer either.
        with suppress(StoreError):
            mark_purged(store, uri)
        raise
    if made is None:
        mark_purged(store, uri)
    return made


def mark_purged(store: Store, uri: str) -> None:
    """Say that a file is gone, or never came; what is known of it stays."""
    with store.transaction() as connection:
        connection.execute(statements(_SQL)["purge"], {"uri": uri})


def register_file(
    store: Store,
    reference: Reference,
    *,
    by: Origin = _NO_TASK,
    made: Mapping[str, Any] | None = None,
) -> None:
    """
    Say that a file is there, whole; announced or not. Said twice, the later word counts.

    Args:
        reference: The file. One of our own only: it is removed one day.
        by: The task that made it.
        made: How its people were found, JSON values: the rules and their SQL, a file's name. No
            value of a row.
    """
    values = {
        "uri": reference.uri,
        "count": reference.count,
        "fingerprint": reference.fingerprint,
        "made": Jsonb(dict(made or {})),
        **asdict(by),
    }
    with store.transaction() as connection:
        connection.execute(statements(_SQL)["register"], values)


def find_run_file(store: Store, *, by: Origin) -> KnownFile | None:
    """Find the newest whole file of a task of a run. None: there is none, or it was removed."""
    with store.transaction() as connection:
        row = connection.execute(statements(_SQL)["find_of_run"], asdict(by)).fetchone()
    return None if row is None else KnownFile.from_row(row)


def find_file(store: Store, uri: str) -> KnownFile:
    """
    Find what is known of a file, also of one that was removed.

    Raises:
        NotFoundError: smsflow did not write it.
    """
    found = known_file(store, uri)
    if found is None:
        raise NotFoundError("no audience was written to this file", uri=uri)
    return found


def known_file(store: Store, uri: str) -> KnownFile | None:
    """Find what is known of a file. None: it is not ours, or the schema knows no files."""
    with store.transaction() as connection:
        table = connection.execute(statements(_SQL)["has_table"]).fetchone()
        if table is None or not table["is_there"]:
            return None
        row = connection.execute(statements(_SQL)["find_file"], {"uri": uri}).fetchone()
    return None if row is None else KnownFile.from_row(row)


def iterate_files(store: Store) -> Iterator[KnownFile]:
    """Hand out the files that are there, oldest first, also those being written."""
    after: dict[str, Any] = {"after_at": None, "after_uri": None}
    while True:
        with store.transaction() as connection:
            rows = connection.execute(
                statements(_SQL)["live_files"], {**after, "limit": _PAGE}
            ).fetchall()
        yield from map(KnownFile.from_row, rows)
        if len(rows) < _PAGE:
            return
        after = {"after_at": rows[-1]["created_at"], "after_uri": rows[-1]["uri"]}


def purge_files(store: Store, *, days: int, now: datetime, remove: Callable[[str], None]) -> int:
    """
    Remove the files of audiences that are older than *days*.

    Never one that a saved version or a delivery under way refers to. A file goes first and its row
    is marked after: killed between the two, the next call finds no file and marks the row. Two
    calls at once share the files.

    Args:
        days: 8 or more; 0: nothing is ever removed, the call does nothing.
        now: The time.
        remove: Removes the file of a URI, and what a killed writer left beside it. A file that is
            not there is no error.

    Returns:
        How many went.

    Raises:
        ConfigError: 1 to 7 days.
        StoreError: Some could not be removed and are still there; the others went.
    """
    if not days:
        return 0
    if days < LEAST_DAYS:
        raise ConfigError(
            "files of audiences are kept for 8 days at the least: a run may still need them",
            audience_days=days,
        )
    gone, failed = 0, dict[str, str]()
    after: dict[str, Any] = {"after_at": None, "after_uri": None}
    while True:
        with store.transaction() as connection:
            row = _hold_due(connection, {**after, "before": now - timedelta(days=days)})
            if row is None:
                break
            after = {"after_at": row["created_at"], "after_uri": row["uri"]}
            problem = _purge(connection, row["uri"], remove)
            if problem:
                failed[row["uri"]] = problem
            gone += problem == ""
    if failed:
        raise StoreError(
            "files of audiences could not be removed",
            files=dict(list(failed.items())[:5]),
            failed=len(failed),
            removed=gone,
        )
    return gone


def _hold_due(connection: Connection, values: dict[str, Any]) -> Row | None:
    return connection.execute(statements(_SQL)["hold_due"], values).fetchone()


def _purge(connection: Connection, uri: str, remove: Callable[[str], None]) -> str | None:
    """
    Remove one file whose row is locked; None: somebody saved it just before the lock.

    Returns what went wrong; empty: nothing did.
    """
    sqls = statements(_SQL)
    row = connection.execute(sqls["is_free"], {"uri": uri}).fetchone()
    if row is None or not row["is_free"]:
        return None
    try:
        remove(uri)
    except OSError as error:
        return error.strerror or type(error).__name__
    except Exception as error:  # noqa: BLE001  the libraries of object stores have errors of their own
        return type(error).__name__
    connection.execute(sqls["purge"], {"uri": uri})
    return ""
