"""
Retention: messages of deliveries that ended long ago go to Parquet files, and from the store.

The order is the promise: the files are whole, on disk and read back, and only then one transaction
drops the rows, and only if nothing of the delivery has changed since the files were written. Killed
at any point, the rows are in the store, or in files, or in both. What stays in the store: the
delivery with its figures, approval and log, and the counters of its chunks.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import psycopg
from psycopg import sql
from psycopg.rows import tuple_row
from psycopg.types.json import Jsonb

from smsflow_provider.core.errors import (
    IllegalMoveError,
    NotFoundError,
    SchemaError,
    StoreError,
    SupersededError,
)
from smsflow_provider.core.store.archive_files import (
    FILES,
    ArchiveFile,
    Folder,
    check_rows,
    writing,
)
from smsflow_provider.core.store.connection import Connection, Row, Store, translated_errors
from smsflow_provider.core.store.prepared import PARTITIONED
from smsflow_provider.core.store.statements import statements

_SQL: Final = "archive"
#: Receipts come up to seven days late: nothing younger than this is ever dropped.
LEAST_DAYS: Final = 8
#: Deliveries of few messages that share their files; five tables each are locked at once.
MOST_TOGETHER: Final = 50
#: Rows in memory at once.
_ROWS: Final = 50_000
_ENDED: Final = frozenset({"finished", "stopped", "rejected", "expired"})
_UNSAFE: Final = re.compile(r"[^A-Za-z0-9_-]")


@dataclass(frozen=True, slots=True, kw_only=True)
class ArchiveResult:
    """What was archived and dropped."""

    #: Ids of the deliveries.
    deliveries: tuple[str, ...]
    #: Where their files are; empty: they were dropped without.
    uri: str
    #: Rows by file. Empty without files.
    rows: dict[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Archived:
    """When the messages of a delivery left the store, and where they are."""

    at: datetime
    #: The folder of its files; empty: there are none.
    uri: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Due:
    """Deliveries whose time is over."""

    #: Each gets files of its own.
    campaigns: list[str]
    #: Direct texts and proofs: few messages each, so several share their files.
    small: list[str]


def archive(store: Store, *delivery_ids: str, folder: Folder | None) -> ArchiveResult:
    """
    Write the messages of ended deliveries to files, with their outcomes and receipts; drop them.

    The files: ``messages``, ``attempts``, ``receipt_parts`` and ``exclusions``, all ``.parquet``,
    in a folder named after the first preparation. They hold numbers and texts. At most 50,000 rows
    are in memory at once. The same call after a crash writes the files again and goes on.

    Args:
        delivery_ids: One campaign, or up to 50 deliveries of few messages.
        folder: Where the archive is. None: drop without files.

    Raises:
        NotFoundError: There is no such delivery, or its messages are gone already.
        IllegalMoveError: One of them has not ended.
        SupersededError: Another process archives; or receipts wait for one of the deliveries, it
            has changed meanwhile, or its tables are in use. Nothing was dropped, another call may.
        StoreError: A file is not what was written; nothing was dropped.
    """
    rows: dict[str, int]
    with translated_errors(), _archiving(store) as connection:
        found = _find(connection, delivery_ids)
        if folder is None:
            uri, rows, stamps = "", {}, _stamps(connection, found)
        else:
            own = folder / _name_of(found)
            own.mkdir(parents=True, exist_ok=True)
            stamps, rows = _export(connection, found, own)
            check_rows(own, rows)
            uri = str(own)
        _drop(connection, found, stamps=stamps, uri=uri)
    return ArchiveResult(deliveries=tuple(row["id"] for row in found), uri=uri, rows=rows)


def due_archives(store: Store, *, days: int) -> Due:
    """
    Find the deliveries that ended more than *days* ago and still have their rows.

    A campaign stays at least as long as the longest window of a pressure rule, of those that
    deliveries of the last year were prepared with: its texts are counted so long.

    Args:
        days: 8 or more; receipts come up to seven days late.

    Raises:
        ValueError: Fewer days.
    """
    if days < LEAST_DAYS:
        raise ValueError(f"messages are kept for {LEAST_DAYS} days at the least")
    sqls = statements(_SQL)
    with store.transaction() as connection:
        longest = connection.execute(sqls["longest_pressure"]).fetchone() or {"days": 0}
        counted = longest["days"] + 1 if longest["days"] else 0
        rows = connection.execute(
            sqls["due_archives"], {"days": days, "counted_days": counted}
        ).fetchall()
    return Due(
        campaigns=[row["id"] for row in rows if row["kind"] == "campaign"],
        small=[row["id"] for row in rows if row["kind"] != "campaign"],
    )


def find_archive(store: Store, preparation: int) -> Archived | None:
    """
    Say when and where to the messages of a preparation went. None: they are in the store.

    A schema of the former version knows of no archive: a sender that outlives an upgrade reports.
    """
    try:
        with store.transaction() as connection:
            row = connection.execute(
                statements(_SQL)["find_archive"], {"preparation": preparation}
            ).fetchone()
    except SchemaError:
        return None
    return None if row is None else Archived(at=row["archived_at"], uri=row["archive_uri"])


def check_kept(store: Store, delivery_id: str, preparation: int) -> None:
    """
    Make sure that the messages of a delivery can be read in the store.

    Raises:
        NotFoundError: They are archived; says since when and where.
    """
    found = find_archive(store, preparation)
    if found is not None:
        raise NotFoundError(
            "the messages of this delivery are archived: its figures are all the store has",
            delivery=delivery_id,
            archived_at=found.at.isoformat(timespec="seconds"),
            archive=found.uri or "dropped without files",
        )


def prune_strays(store: Store, *, days: int, batch_size: int = 10_000) -> int:
    """Forget receipts that fitted nothing and are older than *days*. Returns how many."""
    total = 0
    while True:
        with store.transaction() as connection:
            gone = connection.execute(
                statements(_SQL)["prune_strays"], {"days": days, "limit": batch_size}
            ).rowcount
        total += gone
        if gone < batch_size:
            return total


@contextmanager
def _archiving(store: Store) -> Iterator[Connection]:
    """Be the only archiver as long as the connection lives: files of one name are written once."""
    with store.connect() as connection:
        row = connection.execute(statements(_SQL)["try_archiving"]).fetchone()
        connection.commit()
        if row is None or not row["is_ours"]:
            raise SupersededError("another process is archiving: try again later")
        yield connection


def _find(connection: Connection, ids: Sequence[str]) -> list[Row]:
    if not 1 <= len(ids) <= MOST_TOGETHER:
        raise ValueError(f"archive 1 to {MOST_TOGETHER} deliveries at once")
    with connection.transaction():
        rows = connection.execute(statements(_SQL)["archivable"], {"ids": list(ids)}).fetchall()
    missing = sorted(set(ids) - {row["id"] for row in rows})
    if missing:
        raise NotFoundError("there is no such delivery", deliveries=missing)
    running = {row["id"]: row["state"] for row in rows if row["state"] not in _ENDED}
    if running:
        raise IllegalMoveError("only a delivery that has ended is archived", states=running)
    gone = [row["id"] for row in rows if row["published_at"] is None or row["dropped_at"]]
    if gone:
        raise NotFoundError("the messages of these deliveries are not there", deliveries=gone)
    waiting = [row["id"] for row in rows if row["receipts_wait"]]
    if waiting:
        raise SupersededError("receipts wait for these deliveries", deliveries=waiting)
    return rows


def _name_of(found: Sequence[Row]) -> str:
    first, last = found[0], found[-1]
    if first is last:
        return f"p{first['preparation']}-{_UNSAFE.sub('_', first['id'])}"
    return f"p{first['preparation']}-to-p{last['preparation']}"


def _stamps(connection: Connection, found: Sequence[Row]) -> list[str]:
    """Read what changes whenever something of a delivery does."""
    stamps = []
    for each in found:
        row = connection.execute(
            statements(_SQL)["stamp"], {"preparation": each["preparation"]}, prepare=False
        ).fetchone()
        stamps.append(str(row and row["stamp"]))
    return stamps


def _export(
    connection: Connection, found: Sequence[Row], folder: Folder
) -> tuple[list[str], dict[str, int]]:
    """Write all files from one snapshot. Returns its stamps, and the rows by file."""
    with connection.transaction(), ExitStack() as files:
        connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
        stamps = _stamps(connection, found)
        opened = {kind: files.enter_context(writing(folder, kind)) for kind in FILES}
        for each in found:
            before = opened["messages"].rows
            _write(connection, each, opened)
            if opened["messages"].rows - before != each["to_deliver"]:
                raise StoreError(
                    "the store holds another number of messages than was prepared: not archived",
                    delivery=each["id"],
                    found=opened["messages"].rows - before,
                    prepared=each["to_deliver"],
                )
    return stamps, {kind: file.rows for kind, file in opened.items()}


def _write(connection: Connection, row: Row, files: dict[str, ArchiveFile]) -> None:
    sqls = statements(_SQL)
    preparation = {"preparation": row["preparation"]}
    bounds = connection.execute(sqls["bounds"], preparation, prepare=False).fetchone()
    assert bounds is not None
    for kind, file in files.items():
        last = bounds["row_numbers" if kind == "exclusions" else "positions"]
        for first in range(1, last + 1, _ROWS):
            values = {**preparation, "first": first, "last": first + _ROWS - 1}
            # Planned anew each time, with the number of the preparation: one partition is read.
            with connection.cursor(row_factory=tuple_row, binary=True) as cursor:
                cursor.execute(sqls[f"read_{kind}"], values, prepare=False)
                file.add(row["id"], row["preparation"], cursor.fetchall())


def _drop(connection: Connection, found: Sequence[Row], *, stamps: list[str], uri: str) -> None:
    """Drop the rows in one transaction, if all is as it was when the files were written."""
    try:
        with connection.transaction():
            connection.execute("SET LOCAL lock_timeout = '2s'")
            _check_unchanged(connection, found, stamps)
            for each in found:
                _forget(connection, each, uri=uri)
            # Last: the partitioned tables are locked for everybody from here to the end.
            for each in found:
                _drop_tables(connection, each["preparation"])
    except (psycopg.errors.LockNotAvailable, psycopg.errors.DeadlockDetected):
        raise SupersededError("the tables of the messages are in use: try again later") from None


def _check_unchanged(connection: Connection, found: Sequence[Row], stamps: list[str]) -> None:
    sqls = statements(_SQL)
    connection.execute(sqls["hold_archivable"], {"numbers": [row["no"] for row in found]})
    held = connection.execute(sqls["archivable"], {"ids": [row["id"] for row in found]}).fetchall()
    connection.execute(sqls["hold_chunks"], {"preparations": [row["preparation"] for row in found]})
    if held != list(found) or _stamps(connection, found) != stamps:
        raise SupersededError(
            "a delivery has changed while it was archived: try again later",
            deliveries=[row["id"] for row in found],
        )


def _forget(connection: Connection, row: Row, *, uri: str) -> None:
    sqls = statements(_SQL)
    preparation = {"preparation": row["preparation"]}
    causes: list[dict[str, Any]] = connection.execute(
        statements("deliveries")["causes"], preparation, prepare=False
    ).fetchall()
    connection.execute(sqls["keep_causes"], {"delivery_no": row["no"], "causes": Jsonb(causes)})
    connection.execute(sqls["forget_references"], preparation)
    connection.execute(sqls["forget_receipt_parts"], preparation)
    connection.execute(sqls["mark_archived"], {**preparation, "uri": uri})


def _drop_tables(connection: Connection, preparation: int) -> None:
    for kind in PARTITIONED:
        table = sql.Identifier(f"smsflow_{kind}_p{preparation}")
        connection.execute(sql.SQL("DROP TABLE IF EXISTS {}").format(table))
