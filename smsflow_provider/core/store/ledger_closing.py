"""Settling what has not left, when a delivery is stopped or its validity is over."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence

from smsflow_provider.core.model import OutcomeKind
from smsflow_provider.core.store.appending import append_outcomes
from smsflow_provider.core.store.connection import Connection
from smsflow_provider.core.store.counters import add_to_chunk, chunk_of
from smsflow_provider.core.store.ledger_changes import COUNTER_OF
from smsflow_provider.core.store.ledger_reading import read_waiting
from smsflow_provider.core.store.statements import statements


def close_chunks(
    connection: Connection,
    preparation: int,
    *,
    epoch: int,
    held: Sequence[int],
    kind: OutcomeKind,
    code: str,
) -> None:
    """
    Settle what has not left of the chunks held under *epoch*, and of those nobody holds.

    Args:
        held: The chunks to free; nothing of them is under way.
        kind: ``cancelled`` or ``expired``.
    """
    sqls = statements("ledger")
    values = {"preparation": preparation, "kind": kind.value, "code": code}
    rows = connection.execute(sqls["closable_chunks"], {**values, "epoch": epoch}).fetchall()
    chunks = [row["chunk"] for row in rows]
    waiting = [row["chunk"] for row in rows if row["waiting"]]
    if waiting:
        _close_waiting(connection, preparation, waiting, kind=kind, code=code)
    connection.execute(sqls["close_rest"], {**values, "chunks": chunks})
    connection.execute(sqls["close_chunks"], {**values, "chunks": chunks})
    connection.execute(sqls["free_chunks"], {**values, "chunks": [*{*chunks, *held}]})


def _close_waiting(
    connection: Connection,
    preparation: int,
    chunks: Sequence[int],
    *,
    kind: OutcomeKind,
    code: str,
) -> None:
    waiting = read_waiting(connection, preparation, chunks)
    left = {
        row["position"]
        for row in connection.execute(
            statements("ledger")["reported"],
            {"preparation": preparation, "positions": [one.position for one in waiting]},
        )
    }
    settled = [
        one.settled(OutcomeKind.ACCEPTED, "by_receipt")
        if one.position in left
        else one.settled(kind, code)
        for one in waiting
    ]
    append_outcomes(connection, preparation, settled)
    moved: dict[int, Counter[str]] = defaultdict(Counter)
    for one in settled:
        moved[chunk_of(one.position)].update({COUNTER_OF[one.kind]: 1, "waiting": -1})
    for chunk in sorted(moved):
        add_to_chunk(connection, preparation, chunk, moved[chunk])
