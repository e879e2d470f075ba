"""
Taking hold of a delivery to send it: up to 16 workers, each in a lane, fenced by an epoch.

A worker leases chunks under its epoch. One that falls silent loses its lane: whoever looks next
gives the lane a new epoch, settles what the lost one had marked, and frees its chunks.
"""

from __future__ import annotations

from typing import Final

import psycopg
from psycopg.rows import tuple_row

from smsflow_provider.core.fingerprint import MessageDigest
from smsflow_provider.core.store.connection import Connection, Row, Store, translated_errors
from smsflow_provider.core.store.deliveries import Delivery
from smsflow_provider.core.store.ledger import Ledger
from smsflow_provider.core.store.orphans import reap, settle_former
from smsflow_provider.core.store.statements import statements

#: Workers on one delivery at once, at the most.
LANES: Final = 16
#: Who holds lane 0, the only one that senders of the former version know.
GATE: Final = "smsflow lanes"
#: Messages read at once while they are digested.
_DIGESTED_ROWS: Final = 20_000


def claim(
    store: Store, delivery: Delivery, *, owner: str, lease_s: float, alone: bool = False
) -> Ledger | None:
    """
    Take a lane of *delivery*.

    Messages that a lost worker marked and never settled become ``unknown`` (``accepted`` where
    a receipt proves it): they are never sent again by themselves.

    Args:
        owner: Who claims, for people to read; not empty.
        lease_s: A worker silent for longer than this has lost its lane.
        alone: Only if nobody else works on the delivery.

    Returns:
        None while all lanes are held, or, with *alone*, any of them.
    """
    connection = store.connect()
    try:
        ledger = _claim(connection, delivery, owner=owner, lease_s=lease_s, alone=alone)
    except BaseException:
        connection.close()
        raise
    if ledger is None:
        connection.close()
    return ledger


def _claim(
    connection: Connection, delivery: Delivery, *, owner: str, lease_s: float, alone: bool
) -> Ledger | None:
    with translated_errors():
        # A frozen worker must not hold the row of its lane for longer than its lease.
        connection.execute("SET idle_in_transaction_session_timeout = '5s'")
        # Nor may a machine that vanished hold the lock of a beginning until TCP gives up.
        connection.execute("SET tcp_keepalives_idle = 5")
        connection.execute("SET tcp_keepalives_interval = 2")
        connection.execute("SET tcp_keepalives_count = 3")
        connection.execute("SET lock_timeout = '2s'")
        connection.commit()
        try:
            with connection.transaction():
                lane = _take_lane(connection, delivery, owner=owner, lease_s=lease_s, alone=alone)
        except (psycopg.errors.LockNotAvailable, psycopg.errors.DeadlockDetected):
            return None
        if lane is None:
            return None
        connection.execute("SET lock_timeout = '0'")
        connection.commit()
        return Ledger(connection, delivery, lane=lane["lane"], epoch=lane["epoch"], gate=GATE)


def _take_lane(
    connection: Connection, delivery: Delivery, *, owner: str, lease_s: float, alone: bool
) -> Row | None:
    sqls = statements("ledger")
    values = {"delivery_no": delivery.no, "lease_s": lease_s}
    connection.execute(sqls["ensure_lanes"], {**values, "lanes": LANES})
    if not _pass_gate(connection, delivery, lease_s=lease_s):
        return None
    reap(connection, delivery, lease_s=lease_s)
    if alone:
        living = connection.execute(sqls["living_lanes"], values).fetchone()
        if living and living["living"]:
            return None
    return connection.execute(sqls["take_lane"], {**values, "owner": owner}).fetchone()


def _pass_gate(connection: Connection, delivery: Delivery, *, lease_s: float) -> bool:
    """Keep senders of the former version out; settle what one of them left behind."""
    sqls = statements("ledger")
    values = {"delivery_no": delivery.no, "lease_s": lease_s}
    held = connection.execute(sqls["lock_gate"], values).fetchone()
    if held is None or (held["owner"] not in {"", GATE} and held["is_alive"]):
        return False
    if held["owner"] != GATE and held["epoch"] > 0:
        settle_former(connection, delivery.preparation)
    connection.execute(sqls["hold_gate"], {**values, "gate": GATE})
    return True


def digest_messages(store: Store, delivery: Delivery) -> str:
    """Digest all prepared messages as the store has them now, streamed on its own connection."""
    digest, values = MessageDigest(), {"preparation": delivery.preparation}
    with (
        store.transaction() as connection,
        connection.cursor("smsflow_prepared", row_factory=tuple_row) as cursor,
    ):
        cursor.execute(statements("ledger")["read_prepared"], values)
        while rows := cursor.fetchmany(_DIGESTED_ROWS):
            digest.update("".join([written for (written,) in rows]).encode())
    return digest.hexdigest()
