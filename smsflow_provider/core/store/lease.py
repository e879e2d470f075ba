"""Taking hold of a delivery to send it: one owner at a time, fenced by an epoch."""

from __future__ import annotations

from typing import Final

import polars as pl
import psycopg

from smsflow_provider.core.fingerprint import MessageDigest
from smsflow_provider.core.store.connection import Connection, Store, translated_errors
from smsflow_provider.core.store.deliveries import Delivery
from smsflow_provider.core.store.digest import add_frame
from smsflow_provider.core.store.ledger import LANE, Ledger
from smsflow_provider.core.store.statements import statements

#: Messages read at once while they are digested.
_DIGESTED_ROWS: Final = 20_000


def claim(store: Store, delivery: Delivery, *, owner: str, lease_s: float) -> Ledger | None:
    """
    Take the lease of *delivery*.

    Messages that a former owner marked and never settled become ``unknown`` (``accepted``
    where a receipt proves it): they are never sent again by themselves.

    Args:
        owner: Who claims, for people to read; not empty.
        lease_s: A holder silent for longer than this has lost it.

    Returns:
        None while another sender holds the lease.
    """
    connection = store.connect()
    try:
        ledger = _claim(connection, delivery, owner=owner, lease_s=lease_s)
    except BaseException:
        connection.close()
        raise
    if ledger is None:
        connection.close()
    return ledger


def _claim(
    connection: Connection, delivery: Delivery, *, owner: str, lease_s: float
) -> Ledger | None:
    with translated_errors():
        # A frozen owner must not hold the lease's row for longer than its lease.
        connection.execute("SET idle_in_transaction_session_timeout = '5s'")
        connection.execute("SET lock_timeout = '2s'")
        connection.commit()
        try:
            with connection.transaction():
                epoch = _take_lease(connection, delivery, owner=owner, lease_s=lease_s)
                if epoch is None:
                    return None
                ledger = Ledger(connection, delivery, epoch=epoch)
                ledger.settle_orphans()
        except (psycopg.errors.LockNotAvailable, psycopg.errors.DeadlockDetected):
            return None
        connection.execute("SET lock_timeout = '0'")
        connection.commit()
        return ledger


def digest_messages(store: Store, delivery: Delivery) -> str:
    """Digest all prepared messages as the store has them now, streamed on its own connection."""
    digest = MessageDigest()
    with store.transaction() as connection, connection.cursor("smsflow_prepared") as cursor:
        cursor.execute(statements("ledger")["read_prepared"], {"preparation": delivery.preparation})
        while rows := cursor.fetchmany(_DIGESTED_ROWS):
            add_frame(digest, pl.DataFrame(rows, infer_schema_length=1))
    return digest.hexdigest()


def _take_lease(
    connection: Connection, delivery: Delivery, *, owner: str, lease_s: float
) -> int | None:
    sqls = statements("ledger")
    lane = {"delivery_no": delivery.no, "lane": LANE}
    connection.execute(sqls["ensure_lease"], lane)
    row = connection.execute(
        sqls["claim_lease"], {**lane, "owner": owner, "lease_s": lease_s}
    ).fetchone()
    return int(row["epoch"]) if row else None
