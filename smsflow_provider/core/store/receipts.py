"""Receipts in the store: appended first, then applied in batches as monotonic moves."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from smsflow_provider.core.model import ReceiptKind, read_message_id
from smsflow_provider.core.store.connection import Connection, Row, Store
from smsflow_provider.core.store.prepared import CHUNK_SIZE
from smsflow_provider.core.store.statements import statements

_SQL = "receipts"
_INT4_MAX = 2**31 - 1

#: A receipt moves a message only forward in this order.
_RANK = {kind.value: rank for rank, kind in enumerate(ReceiptKind, start=1)}


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceivedReceipt:
    """One receipt as it came in, its token checked."""

    message_id: str
    kind: ReceiptKind
    code: str
    gateway_ref: str
    received_at: datetime
    conn_type: str


def append_receipts(connection: Connection, receipts: Sequence[ReceivedReceipt]) -> None:
    """
    Store *receipts* as they came, by COPY. Durable when the transaction is committed.

    Raises:
        ValueError: A message id is not one of ours; nothing is stored.
    """
    with (
        connection.cursor() as cursor,
        cursor.copy(
            "COPY smsflow_receipt_inbox (received_at, conn_type, delivery_no, preparation,"
            " position, kind, code, gateway_ref) FROM STDIN"
        ) as copy,
    ):
        for one in receipts:
            copy.write_row(
                (
                    one.received_at,
                    one.conn_type,
                    *read_message_id(one.message_id),
                    one.kind.value,
                    one.code,
                    one.gateway_ref,
                )
            )


def apply_receipts(store: Store, *, limit: int = 5000) -> int:
    """
    Apply the oldest stored receipts in one transaction.

    A receipt that says less than what is known changes nothing; one for a message in doubt
    resolves it; one that fits no message that was ever handed over is kept as a stray.

    Returns:
        How many were taken from the inbox; 0 when it is empty.
    """
    with store.transaction() as connection:
        rows = connection.execute(statements(_SQL)["take_inbox"], {"limit": limit}).fetchall()
        best = _best_of(row for row in rows if row["position"] <= _INT4_MAX)
        known = _lock_and_read(connection, best)
        strays = [
            {**row, "problem": problem}
            for row in rows
            if (problem := _problem_of(row, known.get(_key(row))))
        ]
        _apply(connection, best, known)
        if strays:
            connection.cursor().executemany(statements(_SQL)["write_strays"], strays)
    return len(rows)


def apply_all_receipts(store: Store, *, batch_size: int = 5000) -> int:
    """Apply receipts until the inbox is empty. Returns how many there were."""
    total = 0
    while applied := apply_receipts(store, limit=batch_size):
        total += applied
    return total


_Key = tuple[int, int]


def _key(row: Row) -> _Key:
    return row["preparation"], row["position"]


def _best_of(rows: Iterable[Row]) -> dict[_Key, Row]:
    """Keep, of each message, the receipt that says most; the first of equals."""
    best: dict[_Key, Row] = {}
    for row in rows:
        known = best.get(_key(row))
        if known is None or _RANK[row["kind"]] > _RANK[known["kind"]]:
            best[_key(row)] = row
    return best


def _lock_and_read(connection: Connection, best: dict[_Key, Row]) -> dict[_Key, Row]:
    if not best:
        return {}
    keys = {
        "preparations": [preparation for preparation, _ in best],
        "positions": [position for _, position in best],
    }
    connection.execute(statements(_SQL)["lock_chunks"], {**keys, "size": CHUNK_SIZE})
    rows = connection.execute(statements(_SQL)["known_messages"], keys).fetchall()
    return {_key(row): row for row in rows}


def _problem_of(row: Row, known: Row | None) -> str | None:
    """Say why a receipt fits no message of ours. None: it fits."""
    if known is None or known["delivery_no"] != row["delivery_no"]:
        return "no such message"
    if known["marked"] is None:
        return "the message was never handed over"
    if known["outcome"] not in {None, "accepted", "unknown"}:
        return "the message was recorded as not taken by the gateway"
    return None


def _apply(connection: Connection, best: dict[_Key, Row], known: dict[_Key, Row]) -> None:
    forward = [row for key, row in best.items() if _is_forward(row, known.get(key))]
    if not forward:
        return
    forward.sort(key=_key)
    sqls = statements(_SQL)
    keys = {
        "preparations": [row["preparation"] for row in forward],
        "positions": [row["position"] for row in forward],
    }
    connection.execute(
        sqls["write_receipts"],
        {
            **keys,
            "kinds": [row["kind"] for row in forward],
            "codes": [row["code"] for row in forward],
            "gateway_refs": [row["gateway_ref"] for row in forward],
            "received_ats": [row["received_at"] for row in forward],
        },
    )
    connection.execute(sqls["resolve_unknown"], keys)
    _count(connection, forward, known)


def _is_forward(row: Row, known: Row | None) -> bool:
    if known is None or _problem_of(row, known):
        return False
    before = known["receipt"]
    return before is None or _RANK[row["kind"]] > _RANK[before]


def _count(connection: Connection, forward: list[Row], known: dict[_Key, Row]) -> None:
    """Add the moves to the counters of their chunks, in the order in which they are locked."""
    sums: dict[_Key, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    for row in forward:
        before = known[_key(row)]
        chunk = sums[row["preparation"], (row["position"] - 1) // CHUNK_SIZE]
        if before["outcome"] == "unknown":
            chunk["unknown"] -= 1
            chunk["accepted"] += 1
        if before["receipt"] in {"delivered", "undelivered"}:
            chunk[before["receipt"]] -= 1
        if row["kind"] in {"delivered", "undelivered"}:
            chunk[row["kind"]] += 1
    for (preparation, number), sum_ in sorted(sums.items()):
        _add(connection, preparation, number, sum_)


def _add(connection: Connection, preparation: int, chunk: int, sums: dict[str, int]) -> None:
    names = ("accepted", "failed", "unknown", "cancelled", "expired", "delivered", "undelivered")
    values: dict[str, Any] = {name: sums.get(name, 0) for name in names}
    connection.execute(
        statements("ledger")["add_to_chunk"],
        {"preparation": preparation, "chunk": chunk, **values},
    )
