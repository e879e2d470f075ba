"""Receipts for tests, and a sender whose every step the test decides."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

from smsflow_provider.core.model import OutcomeKind, ReceiptKind, message_id_of
from smsflow_provider.core.store.connection import Row, Store
from smsflow_provider.core.store.deliveries import Delivery, find_delivery, read_figures
from smsflow_provider.core.store.lease import claim
from smsflow_provider.core.store.ledger import Ledger
from smsflow_provider.core.store.ledger_rows import Settled, Taken
from smsflow_provider.core.store.receipts import ReceivedReceipt, append_receipts
from tests.prepared_delivery import approve, make_prepared
from tests.sending import tick

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)


def make_sending(store: Store, *, count: int, delivery_id: str = "d1") -> tuple[Delivery, Ledger]:
    """Prepare, approve and claim a delivery of *count* messages; nothing has left yet."""
    make_prepared(store, count=count, delivery_id=delivery_id)
    delivery = approve(store, delivery_id)
    ledger = take_over(store, delivery_id)
    ledger.begin(actor="tester")
    return delivery, ledger


def take_over(store: Store, delivery_id: str) -> Ledger:
    """Claim a delivery, also from a sender that is gone."""
    ledger = claim(store, find_delivery(store, delivery_id), owner="tester", lease_s=0.0)
    assert ledger is not None
    return ledger


def die(ledger: Ledger) -> None:
    """End a sender as a kill does: its connection drops, and nothing is released."""
    ledger._connection.close()


def take(ledger: Ledger, wanted: int) -> list[Taken]:
    """Mark the next messages: from here on they may have left."""
    return tick(ledger, wanted=wanted)[1]


def settle(ledger: Ledger, taken: Iterable[Taken], kind: OutcomeKind) -> None:
    """Record what became of messages that were handed over."""
    settled = [Settled(position=one.position, attempt=one.attempt, kind=kind) for one in taken]
    tick(ledger, settled=settled)


def received(
    delivery: Delivery,
    position: int,
    kind: ReceiptKind = ReceiptKind.DELIVERED,
    *,
    code: str = "",
    ref: str = "",
) -> ReceivedReceipt:
    """Make a receipt for one message of *delivery*."""
    return ReceivedReceipt(
        message_id=message_id_of(delivery.no, delivery.preparation, position),
        kind=kind,
        code=code,
        gateway_ref=ref,
        received_at=NOON,
        conn_type="sms_simulator",
    )


def append(store: Store, *receipts: ReceivedReceipt) -> None:
    """Put receipts into the inbox, as the receiver does."""
    with store.transaction() as connection:
        append_receipts(connection, receipts)


def states_of(store: Store, delivery: Delivery) -> Counter[str]:
    """Count the messages of *delivery* by their derived state."""
    return Counter(row["state"] for row in _states(store, delivery))


def state_of(store: Store, delivery: Delivery, position: int) -> str:
    """Tell the derived state of one message."""
    return str(_states(store, delivery)[position - 1]["state"])


def _states(store: Store, delivery: Delivery) -> Sequence[Row]:
    with store.transaction() as connection:
        return connection.execute(
            "SELECT position, state FROM smsflow_message_states"
            " WHERE preparation = %s ORDER BY position",
            (delivery.preparation,),
        ).fetchall()


def strays_of(store: Store) -> list[tuple[int, str]]:
    """List stray receipts: position and problem."""
    with store.transaction() as connection:
        rows = connection.execute(
            "SELECT position, problem FROM smsflow_stray_receipts ORDER BY no"
        ).fetchall()
    return [(row["position"], row["problem"]) for row in rows]


def figures_of(store: Store, delivery_id: str = "d1") -> dict[str, int]:
    """Read the counters of a delivery, without those that are 0."""
    figures = read_figures(store, find_delivery(store, delivery_id))
    return {name: count for name, count in figures.items() if count}


def check_counters(store: Store, delivery: Delivery) -> None:
    """Make sure that the counters say what the rows say, once all is settled."""
    states = states_of(store, delivery)
    figures = read_figures(store, delivery)
    final = figures["delivered"] + figures["undelivered"]
    from_counters = Counter(figures) + Counter()
    from_counters["accepted"] -= final
    waiting = states["prepared"] + states["sending"]
    assert +from_counters == +Counter({**states, "prepared": 0, "sending": 0})
    settled = sum(figures[k] for k in ("accepted", "failed", "unknown", "cancelled", "expired"))
    assert delivery.to_deliver == settled + waiting


def until_waiting(store: Store) -> None:
    """Wait until some transaction on this database waits for the lock of another one."""
    deadline = time.monotonic() + 30
    query = (
        "SELECT count(*) AS n FROM pg_stat_activity"
        " WHERE datname = current_database() AND wait_event_type = 'Lock'"
    )
    while time.monotonic() < deadline:
        with store.transaction() as connection:
            row = connection.execute(query).fetchone()
        if row and row["n"]:
            return
        time.sleep(0.01)
    raise AssertionError("nobody waits for a lock")


def slip_past(store: Store, delivery: Delivery, *positions: int) -> None:
    """Apply receipts as if their messages had been given up in the very same moment."""
    with store.transaction() as connection:
        for position in positions:
            connection.execute(
                "INSERT INTO smsflow_receipts (preparation, position, kind, received_at)"
                " VALUES (%s, %s, 'delivered', now())",
                (delivery.preparation, position),
            )
            connection.execute(
                "UPDATE smsflow_chunks SET delivered = delivered + 1"
                " WHERE preparation = %s AND %s BETWEEN first_position AND last_position",
                (delivery.preparation, position),
            )
