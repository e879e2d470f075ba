"""Writing one preparation: tables of its own, filled by COPY, shown all at once or not at all."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import polars as pl
import psycopg
from psycopg import sql
from psycopg.types.json import Jsonb

from smsflow_provider.core.errors import IllegalMoveError, SupersededError
from smsflow_provider.core.store.connection import Connection, Store, translated_errors
from smsflow_provider.core.store.copying import CopyThread
from smsflow_provider.core.store.deliveries import (
    Delivery,
    LogRow,
    read_delivery,
    write_log_rows,
)
from smsflow_provider.core.store.statements import statements

#: Messages in one chunk: the grain of counters, and later of leases.
CHUNK_SIZE = 1000
#: More exclusions than these get an index by reason; fewer are read whole in a few milliseconds.
INDEXED_EXCLUSIONS = 20_000

#: The partitioned tables, in the order in which partitions are made, attached and dropped.
PARTITIONED = ("messages", "exclusions", "marks", "outcomes", "receipts")

#: (position, phone, recipient_id, sender, body, encoding, parts, region)
MessageRow = tuple[int, int, str, str, str, str, int, str]
_MESSAGE = {
    "position": pl.Int32,
    "phone": pl.UInt64,
    "recipient_id": pl.String,
    "sender": pl.String,
    "body": pl.String,
    "encoding": pl.String,
    "parts": pl.Int16,
    "region": pl.String,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Published:
    """What a complete preparation says of itself."""

    fingerprint: str
    targeted: int
    excluded: int
    to_deliver: int
    #: Parts of all messages.
    parts: int
    #: JSON values only.
    figures: dict[str, Any]


def begin_preparation(
    store: Store,
    delivery_id: str,
    *,
    label: str,
    gateway: str,
    dry_run: bool,
    template: dict[str, Any],
    settings: dict[str, Any],
    audience: dict[str, Any],
    validity_s: int | None,
    actor: str,
) -> Delivery:
    """
    Begin a preparation under a new number; any approval is void from here on.

    A preparation that is still running elsewhere can no longer publish.

    Raises:
        IllegalMoveError: Messages of this delivery may have left already, or it was stopped.
    """
    values = {
        "label": label,
        "gateway": gateway,
        "dry_run": dry_run,
        "template": Jsonb(template),
        "settings": Jsonb(settings),
        "audience": Jsonb(audience),
        "validity_s": validity_s,
        "actor": actor,
    }
    with store.transaction() as connection:
        read_delivery(connection, delivery_id, lock=True)
        return _begin(connection, delivery_id, values)


def _begin(connection: Connection, delivery_id: str, values: dict[str, Any]) -> Delivery:
    sqls = statements("preparation")
    number = connection.execute(sqls["new_preparation"], {"id": delivery_id}).fetchone()
    begun = connection.execute(
        sqls["begin_preparation"],
        {**values, "id": delivery_id, "preparation": number and number["no"]},
    ).fetchone()
    delivery = read_delivery(connection, delivery_id)
    if begun is None:
        raise IllegalMoveError(
            "a delivery that has begun to send is not prepared again: start a new run",
            delivery=delivery_id,
            state=delivery.state.value,
        )
    return delivery


def fail_preparation(
    store: Store, delivery: Delivery, *, figures: dict[str, Any], lines: Sequence[LogRow] = ()
) -> None:
    """
    Say that this preparation found errors, and which, in the log.

    Raises:
        SupersededError: Another preparation of this delivery has begun since; nothing is said.
    """
    with store.transaction() as connection:
        failed = connection.execute(
            statements("preparation")["fail_preparation"],
            {
                "delivery_no": delivery.no,
                "preparation": delivery.preparation,
                "figures": Jsonb(figures),
            },
        ).fetchone()
        if failed is None:
            raise _superseded(delivery)
        write_log_rows(connection, delivery, lines)


def _superseded(delivery: Delivery) -> SupersededError:
    return SupersededError(
        "this preparation was stopped, or another one of the delivery has begun",
        delivery=delivery.id,
    )


def message_frame(rows: Sequence[MessageRow]) -> pl.DataFrame:
    """Make a frame of a few messages; millions come as columns from the start."""
    return pl.DataFrame(list(rows), schema=_MESSAGE, orient="row")


class PreparationWriter:
    """Rows of one preparation on their way into the store. Made by ``writing_preparation``."""

    def __init__(self, connection: Connection, delivery: Delivery, copying: CopyThread) -> None:
        self._connection = connection
        self._delivery = delivery
        self._copying = copying

    def write_messages(self, frame: pl.DataFrame) -> None:
        """
        Append messages; positions rise from 1 without a gap over all calls.

        Args:
            frame: Columns ``position``, ``phone``, ``recipient_id``, ``sender``, ``body``,
                ``encoding``, ``parts``, ``region`` and, where known, ``kind``, ``zone`` and
                ``language``. Must not change afterwards.
        """
        self._write("messages", frame)

    def write_exclusions(self, frame: pl.DataFrame) -> None:
        """
        Append excluded recipients.

        Args:
            frame: Columns ``row_number``, ``recipient_id``, ``phone``, ``reason``, ``detail`` and,
                where known, ``winner_id``. Must not change afterwards.
        """
        self._write("exclusions", frame)

    def _write(self, kind: str, frame: pl.DataFrame) -> None:
        number = pl.lit(self._delivery.preparation, dtype=pl.Int64).alias("preparation")
        self._copying.add(self._table(kind), frame.select(number, pl.all()))

    def finish(self) -> Connection:
        """
        Wait until every row is copied.

        Returns:
            The connection of the transaction: what else belongs to the preparation goes there.
        """
        self._copying.finish()
        return self._connection

    def publish(self, published: Published, *, lines: Sequence[LogRow] = ()) -> None:
        """
        Index and attach the tables, write the log, and make the delivery ready for review.

        Raises:
            SupersededError: Another preparation of this delivery has begun since.
        """
        sqls = statements("preparation")
        number = {"delivery_no": self._delivery.no, "preparation": self._delivery.preparation}
        self.finish()
        if self._connection.execute(sqls["hold_preparation"], number).fetchone() is None:
            raise _superseded(self._delivery)
        for kind in PARTITIONED:
            self._attach(kind)
        if published.excluded > INDEXED_EXCLUSIONS:
            self._index_reasons()
        self._connection.execute(
            sqls["fill_chunks"], {**number, "size": CHUNK_SIZE, "to_deliver": published.to_deliver}
        )
        self._connection.execute(sqls["mark_published"], number)
        write_log_rows(self._connection, self._delivery, lines)
        self._connection.execute(
            sqls["publish"],
            {
                **number,
                "fingerprint": published.fingerprint,
                "figures": Jsonb(published.figures),
                "targeted": published.targeted,
                "excluded": published.excluded,
                "to_deliver": published.to_deliver,
                "parts": published.parts,
            },
        )

    def _attach(self, kind: str) -> None:
        """Build the primary key after the load (no random-order index on the way), then attach."""
        keys = {"messages": "position", "receipts": "position", "exclusions": "row_number"}
        key = keys.get(kind, "position, attempt")
        table, parent = self._table(kind), sql.Identifier(f"smsflow_{kind}")
        self._connection.execute(
            sql.SQL("ALTER TABLE {} ADD PRIMARY KEY (preparation, {})").format(
                table,
                sql.SQL(key),
            )
        )
        self._connection.execute(
            sql.SQL("ALTER TABLE {} ATTACH PARTITION {} FOR VALUES IN ({})").format(
                parent, table, sql.Literal(self._delivery.preparation)
            )
        )

    def _index_reasons(self) -> None:
        """Let pages of those left out for one reason be read without the others."""
        self._connection.execute(
            sql.SQL("CREATE INDEX ON {} (reason, row_number)").format(self._table("exclusions"))
        )

    def _table(self, kind: str) -> sql.Identifier:
        return sql.Identifier(_partition(kind, self._delivery.preparation))


@contextmanager
def writing_preparation(store: Store, delivery: Delivery) -> Iterator[PreparationWriter]:
    """
    Write one preparation in one transaction: a crash, or an error, leaves nothing of it.

    The caller writes rows and ends with ``publish``.
    """
    with store.transaction() as connection:
        _create_tables(connection, delivery)
        with CopyThread(connection) as copying:
            yield PreparationWriter(connection, delivery, copying)


def _create_tables(connection: Connection, delivery: Delivery) -> None:
    """Make the tables, outside the partitioned ones, with the check that lets them join."""
    for kind in PARTITIONED:
        table = sql.Identifier(_partition(kind, delivery.preparation))
        connection.execute(
            sql.SQL("CREATE TABLE {} (LIKE {} INCLUDING DEFAULTS INCLUDING CONSTRAINTS)").format(
                table, sql.Identifier(f"smsflow_{kind}")
            )
        )
        connection.execute(
            sql.SQL("ALTER TABLE {} ADD CONSTRAINT preparation_v1 CHECK (preparation = {})").format(
                table, sql.Literal(delivery.preparation)
            )
        )


def report_progress(store: Store, delivery: Delivery, progress: dict[str, Any]) -> None:
    """Say once how far a preparation is; see ``reporting_progress``."""
    with reporting_progress(store, delivery) as report:
        report(progress)


@contextmanager
def reporting_progress(
    store: Store, delivery: Delivery
) -> Iterator[Callable[[dict[str, Any]], None]]:
    """
    Hand out what says how far a preparation is, on a connection of its own, so that people see it.

    It is called with counts by step; no phone and no text.

    Raises:
        SupersededError: By the call: another preparation of this delivery has begun, or this one
            was stopped. The caller must end; what it wrote is not to be committed.
    """
    statement = statements("preparation")["write_progress"]
    number = {"delivery_no": delivery.no, "preparation": delivery.preparation}

    def report(progress: dict[str, Any]) -> None:
        with translated_errors(), connection.transaction():
            told = connection.execute(statement, {**number, "progress": Jsonb(progress)})
            if told.fetchone() is None:
                raise _superseded(delivery)

    with store.connect() as connection:
        # Nobody misses the last word of a server that crashed; waiting for the disk costs more.
        connection.execute("SET synchronous_commit = off")
        connection.commit()
        yield report


def zone_numbers(store: Store, names: Iterable[str]) -> dict[str, int]:
    """Give every set of time zones its number; new sets get one. The empty set has none."""
    wanted = sorted({name for name in names if name})
    if not wanted:
        return {}
    sqls = statements("preparation")
    with store.transaction() as connection:
        connection.execute(sqls["ensure_zones"], {"names": wanted})
        rows = connection.execute(sqls["find_zones"], {"names": wanted}).fetchall()
    return {str(row["names"]): int(row["no"]) for row in rows}


def drop_replaced(store: Store, delivery_id: str | None = None) -> int:
    """
    Drop the rows of preparations that another one has replaced.

    Needs the partitioned tables for itself for a moment, and whoever reads them waits with it.
    So it gives up after a second where they are in use; the next call, or ``smsflow maintain``,
    tries again.

    Args:
        delivery_id: Only preparations of this delivery. None: of all.

    Returns:
        How many were dropped.
    """
    with store.transaction() as connection:
        found = connection.execute(
            statements("preparation")["replaced_preparations"], {"id": delivery_id}
        ).fetchall()
    dropped = 0
    for row in found:
        try:
            _drop(store, row["no"])
        except (psycopg.errors.LockNotAvailable, psycopg.errors.DeadlockDetected):
            break
        dropped += 1
    return dropped


def _drop(store: Store, preparation: int) -> None:
    with store.transaction() as connection:
        connection.execute("SET LOCAL lock_timeout = '1s'")
        for kind in PARTITIONED:
            table = sql.Identifier(_partition(kind, preparation))
            connection.execute(sql.SQL("DROP TABLE IF EXISTS {}").format(table))
        connection.execute(statements("preparation")["mark_dropped"], {"preparation": preparation})


def _partition(kind: str, preparation: int) -> str:
    return f"smsflow_{kind}_p{preparation}"
