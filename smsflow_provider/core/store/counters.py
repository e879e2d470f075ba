"""The counters of chunks: where messages stand, without counting rows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from smsflow_provider.core.store.connection import Connection
from smsflow_provider.core.store.prepared import CHUNK_SIZE
from smsflow_provider.core.store.statements import statements

#: The counters of a chunk. ``waiting``: certainly not taken, to go again. What was handed over and
#: is neither settled nor waiting is under way.
COUNTERS: Final = (
    "accepted",
    "failed",
    "unknown",
    "cancelled",
    "expired",
    "delivered",
    "undelivered",
    "waiting",
)


def chunk_of(position: int) -> int:
    """Name the chunk that holds *position*."""
    return (position - 1) // CHUNK_SIZE


def add_to_chunk(
    connection: Connection, preparation: int, chunk: int, changes: Mapping[str, int]
) -> None:
    """
    Add *changes*, by counter, to one chunk. Several chunks: in the order of their numbers.

    Takes the row's lock until the transaction ends.
    """
    values = {name: changes.get(name, 0) for name in COUNTERS}
    connection.execute(
        statements("counters")["add_to_chunk"],
        {"preparation": preparation, "chunk": chunk, **values},
    )
