"""Receipts in the store: appended first, then applied in batches as monotonic moves."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from operator import itemgetter

import psycopg

from smsflow_provider.core.model import ReceiptKind, read_message_id
from smsflow_provider.core.store.connection import Connection, Row, Store
from smsflow_provider.core.store.counters import add_to_chunk, chunk_of
from smsflow_provider.core.store.prepared import CHUNK_SIZE
from smsflow_provider.core.store.statements import statements

_SQL = "receipts"
_INT4_MAX = 2**31 - 1
_FINAL = frozenset({"delivered", "undelivered"})
#: How often a batch is tried that a sender's locks keep out.
_TRIES = 3

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
    for _ in range(_TRIES - 1):
        try:
            return _apply_oldest(store, limit=limit)
        except psycopg.errors.DeadlockDetected:
            continue  # rolled back as a whole: a sender was in the way
    return _apply_oldest(store, limit=limit)


def apply_all_receipts(store: Store, *, batch_size: int = 5000) -> int:
    """Apply receipts until the inbox is empty. Returns how many there were."""
    total = 0
    while applied := apply_receipts(store, limit=batch_size):
        total += applied
    return total


def resolve_proven(store: Store, preparation: int | None = None) -> int:
    """
    End the doubt about messages whose receipt is here.

    A receipt is applied before the sender gives the message up as ``unknown`` when the gateway's
    answer was lost on its way: nobody applies it again then, so this looks from the other side.

    Args:
        preparation: Only messages of this one. None: of all, for maintenance.

    Returns:
        How many messages are ``accepted`` now.
    """
    found = [preparation]
    if preparation is None:
        with store.transaction() as connection:
            rows = connection.execute(statements(_SQL)["doubtful_preparations"]).fetchall()
        found = [row["preparation"] for row in rows]
    return sum(_resolve_one(store, one) for one in found if one is not None)


def _resolve_one(store: Store, preparation: int) -> int:
    with store.transaction() as connection:
        rows = connection.execute(
            statements(_SQL)["lock_doubtful_chunks"], {"preparation": preparation}
        ).fetchall()
        return _resolve(connection, preparation, [row["chunk"] for row in rows])


_Key = tuple[int, int]


def _key(row: Row) -> _Key:
    return row["preparation"], row["position"]


def _apply_oldest(store: Store, *, limit: int) -> int:
    sqls = statements(_SQL)
    with store.transaction() as connection:
        taken = connection.execute(sqls["take_inbox"], {"limit": limit}).fetchall()
        rows = sorted(taken, key=itemgetter("no"))
        known = _lock_and_read(connection, sorted({_key(row) for row in rows if _is_possible(row)}))
        problems = [_problem_of(row, known.get(_key(row))) for row in rows]
        fitting = [row for row, problem in zip(rows, problems, strict=True) if problem is None]
        strays = [{**row, "problem": p} for row, p in zip(rows, problems, strict=True) if p]
        _apply(connection, _best_of(fitting), known)
        if strays:
            connection.cursor().executemany(sqls["write_strays"], strays)
    return len(rows)


def _is_possible(row: Row) -> bool:
    return bool(row["position"] <= _INT4_MAX)


def _lock_and_read(connection: Connection, keys: Sequence[_Key]) -> dict[_Key, Row]:
    if not keys:
        return {}
    values = _columns_of(keys)
    connection.execute(statements(_SQL)["lock_chunks"], {**values, "size": CHUNK_SIZE})
    by_preparation: dict[int, list[int]] = defaultdict(list)
    for preparation, position in keys:
        by_preparation[preparation].append(position)
    return {
        _key(row): row
        for preparation, positions in by_preparation.items()
        for row in connection.execute(
            statements(_SQL)["known_messages"],
            {"preparation": preparation, "positions": positions},
        )
    }


def _columns_of(keys: Sequence[_Key]) -> dict[str, list[int]]:
    return {
        "preparations": [preparation for preparation, _ in keys],
        "positions": [position for _, position in keys],
    }


def _problem_of(row: Row, known: Row | None) -> str | None:
    """Say why a receipt fits no message of ours. None: it fits."""
    if known is None or known["delivery_no"] != row["delivery_no"]:
        return "no such message"
    if known["marked"] is None:
        return "the message was never handed over"
    if known["outcome"] not in {None, "accepted", "unknown"}:
        return "the message was recorded as not taken by the gateway"
    return None


def _best_of(rows: Iterable[Row]) -> dict[_Key, Row]:
    """Keep, of each message, the receipt that says most; the first of equals."""
    best: dict[_Key, Row] = {}
    for row in rows:
        known = best.get(_key(row))
        if known is None or _RANK[row["kind"]] > _RANK[known["kind"]]:
            best[_key(row)] = row
    return best


def _apply(connection: Connection, best: dict[_Key, Row], known: dict[_Key, Row]) -> None:
    """Write what is new, then end the doubts; the chunks are locked."""
    forward = [best[key] for key in sorted(best) if _is_forward(best[key], known[key])]
    if forward:
        _write(connection, forward)
        _count(connection, forward, known)
    doubtful: dict[int, set[int]] = defaultdict(set)
    for preparation, position in best:
        if known[preparation, position]["outcome"] == "unknown":
            doubtful[preparation].add(chunk_of(position))
    for preparation, chunks in sorted(doubtful.items()):
        _resolve(connection, preparation, sorted(chunks))


def _is_forward(row: Row, known: Row) -> bool:
    before = known["receipt"]
    return before is None or _RANK[row["kind"]] > _RANK[before]


def _write(connection: Connection, forward: Sequence[Row]) -> None:
    connection.execute(
        statements(_SQL)["write_receipts"],
        {
            **_columns_of([_key(row) for row in forward]),
            "kinds": [row["kind"] for row in forward],
            "codes": [row["code"] for row in forward],
            "gateway_refs": [row["gateway_ref"] for row in forward],
            "received_ats": [row["received_at"] for row in forward],
        },
    )


def _count(connection: Connection, forward: Sequence[Row], known: dict[_Key, Row]) -> None:
    """Add the moves to the counters of their chunks, in the order in which they are locked."""
    sums: dict[_Key, Counter[str]] = defaultdict(Counter)
    for row in forward:
        chunk = sums[row["preparation"], chunk_of(row["position"])]
        before = known[_key(row)]["receipt"]
        if before in _FINAL:
            chunk[before] -= 1
        if row["kind"] in _FINAL:
            chunk[row["kind"]] += 1
    for (preparation, number), changes in sorted(sums.items()):
        add_to_chunk(connection, preparation, number, changes)


def _resolve(connection: Connection, preparation: int, chunks: Sequence[int]) -> int:
    """Turn doubts with a receipt into acceptances, and count them; the chunks are locked."""
    if not chunks:
        return 0
    rows = connection.execute(
        statements(_SQL)["resolve_proven"], {"preparation": preparation, "chunks": list(chunks)}
    ).fetchall()
    moved = Counter(chunk_of(row["position"]) for row in rows)
    for number, count in sorted(moved.items()):
        add_to_chunk(connection, preparation, number, {"unknown": -count, "accepted": count})
    return len(rows)
