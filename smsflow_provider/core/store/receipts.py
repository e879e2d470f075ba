"""Receipts in the store: appended first, then applied in batches as monotonic moves."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import wraps
from operator import itemgetter
from typing import Final, ParamSpec, TypeVar

import psycopg

from smsflow_provider.core.model import ReceiptKind, read_message_id
from smsflow_provider.core.store.connection import Connection, Row, Store
from smsflow_provider.core.store.counters import add_to_chunk, chunk_of
from smsflow_provider.core.store.prepared import CHUNK_SIZE
from smsflow_provider.core.store.qualified import note_final_receipts
from smsflow_provider.core.store.receipt_moves import (
    Key,
    best_of,
    columns_of,
    count_moves,
    is_final,
    is_forward,
    is_possible,
    key_of,
    problem_of,
    rank_of,
    settled_of,
)
from smsflow_provider.core.store.statements import statements

_SQL = "receipts"
#: How often a batch is tried that a sender's locks keep out, or an archive that is being made.
_TRIES = 3
#: COPY's text form: a tab between columns, a line feed between rows.
_ESCAPES: Final = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"})
_NOT_APPLIED = (psycopg.errors.DeadlockDetected, psycopg.errors.CheckViolation)

_P = ParamSpec("_P")
_T = TypeVar("_T")


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceivedReceipt:
    """One receipt as it came in, found to come from the gateway."""

    #: Ours. Empty: the gateway names its own id only, ``gateway_ref``.
    message_id: str
    kind: ReceiptKind
    code: str
    gateway_ref: str
    received_at: datetime
    conn_type: str
    #: With an empty ``message_id``: the connection it came in by, whose own id ``gateway_ref`` is.
    #: Else the only connection it may speak for: a message of another one is not its to report
    #: on. Empty: it comes from somebody who may report on this message, whoever sent it.
    gateway: str = ""
    #: Of a report about one part: which, from 1, and of how many. 0: the whole message.
    part: int = 0
    parts: int = 0


def append_receipts(connection: Connection, receipts: Sequence[ReceivedReceipt]) -> None:
    """
    Store *receipts* as they came, by COPY. Durable when the transaction is committed.

    Raises:
        ValueError: A message id is not one of ours, or there is neither that nor a reference of
            the gateway; nothing is stored.
    """
    lines = [_line(one) for one in receipts if one.message_id]
    by_ref = [_line_by_ref(one) for one in receipts if not one.message_id]
    if lines:
        _copy(
            connection,
            "COPY smsflow_receipt_inbox (received_at, conn_type, gateway, delivery_no, preparation,"
            " position, kind, code, gateway_ref, part, parts) FROM STDIN",
            lines,
        )
    if by_ref:
        _copy(
            connection,
            "COPY smsflow_receipts_by_ref (received_at, retry_at, conn_type, gateway, kind, code,"
            " gateway_ref, part, parts) FROM STDIN",
            by_ref,
        )


def _line(one: ReceivedReceipt) -> str:
    delivery_no, preparation, position = read_message_id(one.message_id)
    return (
        f"{one.received_at.isoformat()}\t{_text(one.conn_type)}\t{_text(one.gateway)}"
        f"\t{delivery_no}\t{preparation}\t{position}\t{one.kind.value}\t{_text(one.code)}"
        f"\t{_text(one.gateway_ref)}\t{one.part:d}\t{one.parts:d}\n"
    )


def _line_by_ref(one: ReceivedReceipt) -> str:
    if not one.gateway_ref or not one.gateway:
        raise ValueError("a receipt names a message id of ours, or the gateway and its own id")
    moment = one.received_at.isoformat()
    return (
        f"{moment}\t{moment}\t{_text(one.conn_type)}\t{_text(one.gateway)}\t{one.kind.value}"
        f"\t{_text(one.code)}\t{_text(one.gateway_ref)}\t{one.part:d}\t{one.parts:d}\n"
    )


def _text(value: str) -> str:
    return value.translate(_ESCAPES) if value and not value.isalnum() else value


def _copy(connection: Connection, command: str, lines: Sequence[str]) -> None:
    with connection.cursor() as cursor, cursor.copy(command.encode()) as copy:
        copy.write("".join(lines).encode())


def _tried_again(act: Callable[_P, _T]) -> Callable[_P, _T]:
    """Run a transaction again that was rolled back as a whole because somebody was in the way."""

    @wraps(act)
    def again(*args: _P.args, **kwargs: _P.kwargs) -> _T:
        for _ in range(_TRIES - 1):
            try:
                return act(*args, **kwargs)
            except _NOT_APPLIED:
                continue
        return act(*args, **kwargs)

    return again


@_tried_again
def apply_receipts(store: Store, *, limit: int = 5000) -> int:
    """
    Apply the oldest stored receipts in one transaction.

    A receipt that says less than what is known changes nothing; one for a message in doubt
    resolves it; one that fits no message that was ever handed over is kept as a stray. One that
    names the gateway's own id only, which nobody knows yet, waits: at first a second, then as
    long again as it has waited, at most an hour; after seven days it is a stray.

    Returns:
        How many were looked at; 0 when there is nothing to do now.
    """
    with store.transaction() as connection:
        taken = connection.execute(statements(_SQL)["take_inbox"], {"limit": limit}).fetchall()
        named = _take_by_ref(connection, limit=limit)
        known_by_ref = [row for row in named if row["preparation"] is not None]
        lost = [row for row in named if row["preparation"] is None and row["too_old"]]
        _apply_rows(connection, sorted([*taken, *known_by_ref], key=itemgetter("no")))
        _keep_strays(connection, [(row, "the gateway's id was never heard of") for row in lost])
    return len(taken) + len(named)


def apply_all_receipts(store: Store, *, batch_size: int = 5000) -> int:
    """Apply receipts until there is nothing to do now. Returns how many were looked at."""
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


@_tried_again
def _resolve_one(store: Store, preparation: int) -> int:
    with store.transaction() as connection:
        rows = connection.execute(
            statements(_SQL)["lock_doubtful_chunks"], {"preparation": preparation}
        ).fetchall()
        return _resolve(connection, preparation, [row["chunk"] for row in rows])


def _take_by_ref(connection: Connection, *, limit: int) -> list[Row]:
    """Take receipts by the gateway's own id whose time has come; put the early ones off."""
    rows = connection.execute(statements(_SQL)["take_by_ref"], {"limit": limit}).fetchall()
    early = [row["no"] for row in rows if row["preparation"] is None and not row["too_old"]]
    done = [row["no"] for row in rows if row["preparation"] is not None or row["too_old"]]
    if early:
        connection.execute(statements(_SQL)["put_off"], {"nos": early})
    if done:
        connection.execute(statements(_SQL)["drop_by_ref"], {"nos": done})
    return rows


def _apply_rows(connection: Connection, rows: Sequence[Row]) -> None:
    known = _lock_and_read(connection, [row for row in rows if is_possible(row)])
    problems = [problem_of(row, known.get(key_of(row))) for row in rows]
    fitting = [row for row, problem in zip(rows, problems, strict=True) if problem is None]
    _apply(connection, best_of(_with_parts(connection, fitting, known)), known)
    _keep_strays(connection, [(r, p) for r, p in zip(rows, problems, strict=True) if p])


def _lock_and_read(connection: Connection, rows: Sequence[Row]) -> dict[Key, Row]:
    """Lock the chunks of *rows*, then read what is known of their messages."""
    keys = sorted({key_of(row) for row in rows})
    if not keys:
        return {}
    values = columns_of(keys)
    connection.execute(statements(_SQL)["lock_chunks"], {**values, "size": CHUNK_SIZE})
    asked = {
        "with_parts": any(row["part"] and not row["parts"] for row in rows),
        "with_gateways": any(row["only_of"] for row in rows),
    }
    by_preparation: dict[int, list[int]] = {}
    for preparation, position in keys:
        by_preparation.setdefault(preparation, []).append(position)
    return {
        key_of(row): row
        for preparation, positions in by_preparation.items()
        for row in connection.execute(
            statements(_SQL)["known_messages"],
            {"preparation": preparation, "positions": positions, **asked},
        )
    }


def _with_parts(
    connection: Connection, rows: Sequence[Row], known: dict[Key, Row]
) -> Sequence[Row]:
    """Let each report about one part say what all parts of its message say together."""
    about_parts = [row for row in rows if row["part"]]
    if not about_parts:
        return rows
    best: dict[tuple[Key, int], Row] = {}
    for row in about_parts:
        place = key_of(row), row["part"]
        if place not in best or rank_of(row) > rank_of(best[place]):
            best[place] = row
    _write_parts(connection, [best[place] for place in sorted(best)], known)
    whole = _read_parts(connection, sorted({key_of(row) for row in about_parts}))
    return [{**row, **whole[key_of(row)]} if row["part"] else row for row in rows]


def _write_parts(connection: Connection, rows: Sequence[Row], known: dict[Key, Row]) -> None:
    connection.execute(
        statements(_SQL)["write_parts"],
        {
            **columns_of([key_of(row) for row in rows]),
            "part": [row["part"] for row in rows],
            # Where the gateway does not say of how many: as many as we prepared.
            "parts": [row["parts"] or known[key_of(row)]["parts"] or row["part"] for row in rows],
            "kinds": [row["kind"] for row in rows],
            "codes": [row["code"] for row in rows],
        },
    )


def _read_parts(connection: Connection, keys: Sequence[Key]) -> dict[Key, Row]:
    rows = connection.execute(statements(_SQL)["read_parts"], columns_of(keys))
    return {key_of(row): {"kind": row["kind"], "code": row["code"]} for row in rows}


def _apply(connection: Connection, best: dict[Key, Row], known: dict[Key, Row]) -> None:
    """Write what is new, then end the doubts; the chunks are locked."""
    forward = [best[key] for key in sorted(best) if is_forward(best[key], known[key])]
    if forward:
        _write(connection, forward)
        for (preparation, number), changes in count_moves(forward, known):
            add_to_chunk(connection, preparation, number, changes)
    for preparation, chunks in settled_of(best, known):
        _resolve(connection, preparation, chunks)
    note_final_receipts(connection, [row for row in forward if is_final(row)])


def _write(connection: Connection, forward: Sequence[Row]) -> None:
    connection.execute(
        statements(_SQL)["write_receipts"],
        {
            **columns_of([key_of(row) for row in forward]),
            "kinds": [row["kind"] for row in forward],
            "codes": [row["code"] for row in forward],
            "gateway_refs": [row["gateway_ref"] for row in forward],
            "received_ats": [row["received_at"] for row in forward],
        },
    )


def _resolve(connection: Connection, preparation: int, chunks: Sequence[int]) -> int:
    """Turn what receipts contradict into acceptances, and count it; the chunks are locked."""
    if not chunks:
        return 0
    rows = connection.execute(
        statements(_SQL)["resolve_proven"], {"preparation": preparation, "chunks": list(chunks)}
    ).fetchall()
    moved: dict[int, Counter[str]] = {}
    for row in rows:
        changes = moved.setdefault(chunk_of(row["position"]), Counter())
        changes[row["was"]] -= 1
        changes["accepted"] += 1
    for number, changes in sorted(moved.items()):
        add_to_chunk(connection, preparation, number, changes)
    return len(rows)


def _keep_strays(connection: Connection, strays: Sequence[tuple[Row, str]]) -> None:
    if strays:
        connection.cursor().executemany(
            statements(_SQL)["write_strays"],
            [{**row, **_placed(row), "problem": problem} for row, problem in strays],
        )


def _placed(row: Row) -> Row:
    """What a stray of no message at all says in the place of one."""
    names = ("delivery_no", "preparation", "position")
    return {name: row[name] or 0 for name in names}
