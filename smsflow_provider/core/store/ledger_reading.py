"""Reading the messages of chunks: those nobody has taken, and those that go once more."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, Final, cast

from psycopg.rows import tuple_row

from smsflow_provider.core.store.connection import Connection
from smsflow_provider.core.store.ledger_rows import Taken
from smsflow_provider.core.store.statements import statements

#: Makes a row a message without looking at each of its values: one is read for each that leaves.
_TAKEN: Final = cast("Callable[[tuple[Any, ...]], Taken]", partial(tuple.__new__, Taken))


def read_fresh(connection: Connection, preparation: int, *, first: int, last: int) -> list[Taken]:
    """Read prepared messages in order, as their first attempt."""
    return _read(connection, "read_messages", {"first": first, "last": last}, preparation)


def read_waiting(connection: Connection, preparation: int, chunks: Sequence[int]) -> list[Taken]:
    """Read the messages of *chunks* that go once more, as their next attempt."""
    rows = connection.execute(
        statements("ledger")["waiting_again"],
        {"preparation": preparation, "chunks": list(chunks)},
    ).fetchall()
    attempts = {row["position"]: row["attempt"] + 1 for row in rows}
    found = _read(connection, "read_waiting", {"positions": list(attempts)}, preparation)
    return [one._replace(attempt=attempts[one.position]) for one in found]


def _read(
    connection: Connection, name: str, values: Mapping[str, Any], preparation: int
) -> list[Taken]:
    with connection.cursor(row_factory=tuple_row) as cursor:
        rows = cursor.execute(
            statements("ledger")[name], {"preparation": preparation, **values}
        ).fetchall()
    return list(map(_TAKEN, rows))
