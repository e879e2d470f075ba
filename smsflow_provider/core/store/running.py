"""Samples of a delivery's counters, and what its messages were counted to be."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, Final

import psycopg
from psycopg.types.json import Jsonb

from smsflow_provider.core.clock import utc_now
from smsflow_provider.core.model import FIGURES
from smsflow_provider.core.store.connection import Connection, Row, Store
from smsflow_provider.core.store.deliveries import Delivery, read_figures
from smsflow_provider.core.store.statements import statements

_SQL: Final = "running"
#: Chunks looked at for causes while somebody waits: 20,000 messages.
_CHUNKS: Final = 20
#: Messages counted by one statement.
_RANGE: Final = 50_000


def write_sample(store: Store, delivery: Delivery, *, every_s: float = 10) -> bool:
    """
    Note where the messages of *delivery* stand, unless somebody has in the last *every_s* seconds.

    Of a run of equal samples only the first and the last are kept, so that a delivery that is held
    for days leaves two rows.

    Returns:
        Whether one was noted.
    """
    figures = read_figures(store, delivery)
    values = {"preparation": delivery.preparation, "every_s": every_s}
    with store.transaction() as connection:
        if not _is_ours(connection, "lock_samples", delivery):
            return False
        last = connection.execute(statements(_SQL)["last_samples"], values).fetchall()
        if last and last[0]["is_fresh"]:
            return False
        if len(last) == 2 and all(_is_equal(each, figures) for each in last):
            drop = {**values, "at": last[0]["at"]}
            connection.execute(statements(_SQL)["drop_sample"], drop)
        connection.execute(statements(_SQL)["write_sample"], {**values, **figures})
    return True


def _is_ours(connection: Connection, name: str, delivery: Delivery) -> bool:
    row = connection.execute(
        statements(_SQL)[name], {"preparation": delivery.preparation}
    ).fetchone()
    return bool(row and row["is_ours"])


def _is_equal(sample: Row, figures: Mapping[str, int]) -> bool:
    return all(sample[name] == figures[name] for name in FIGURES)


def read_samples(store: Store, delivery: Delivery, *, since: datetime, most: int) -> list[Row]:
    """Read samples since a moment, in their order, thinned to about *most*."""
    values = {"preparation": delivery.preparation, "since": since, "most": most}
    with store.transaction() as connection:
        return connection.execute(statements(_SQL)["read_samples"], values).fetchall()


def sample_before(store: Store, delivery: Delivery, *, before: datetime) -> Row | None:
    """Find the last sample at or before a moment, else the first one after it."""
    values = {"preparation": delivery.preparation, "before": before}
    with store.transaction() as connection:
        return connection.execute(statements(_SQL)["sample_before"], values).fetchone()


def workers_alive(store: Store, delivery: Delivery) -> int:
    """Count the workers of *delivery* that were heard of lately."""
    with store.transaction() as connection:
        row = connection.execute(
            statements(_SQL)["workers_alive"], {"delivery_no": delivery.no}
        ).fetchone()
    return int(row["workers"]) if row else 0


def some_causes(store: Store, delivery: Delivery) -> list[Row]:
    """
    Count a few messages by what ended them: ``kind``, ``code``, ``messages``; at most 50.

    Looks at the first 20,000 or so among which some ended badly, so it takes as long for a
    delivery of millions as for a small one; of a delivery that is no larger it misses none.
    """
    values = {"preparation": delivery.preparation, "chunks": _CHUNKS}
    with store.transaction() as connection:
        return connection.execute(statements(_SQL)["some_causes"], values).fetchall()


def count_messages(
    store: Store,
    delivery: Delivery,
    *,
    document_of: Callable[[list[Row], int], dict[str, Any]],
    timeout_s: float,
) -> bool:
    """
    Count the messages of *delivery* by country, encoding, state and code, and keep it.

    Reads all of them once, as they stood at one moment, and locks nothing that sending needs.

    Args:
        document_of: Makes what is kept, of rows of ``region``, ``encoding``, ``state``, ``code``,
            ``messages`` and ``parts``, and of how many people opted out since sending began, of
            those who had a message by then.
        timeout_s: After so many seconds nothing is kept.

    Returns:
        False: somebody else is counting them now, it took longer than *timeout_s*, or there are
        none.
    """
    counted_at, until = utc_now(), time.monotonic() + timeout_s
    try:
        with store.transaction() as connection:
            connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
            if not _is_ours(connection, "lock_summary", delivery):
                return False
            rows, opted_out = _count(connection, delivery, until=until)
            if rows:
                document = document_of(rows, opted_out)
                _write_summary(connection, delivery, counted_at=counted_at, document=document)
            return bool(rows)
    except (psycopg.errors.QueryCanceled, psycopg.errors.SerializationFailure):
        return False  # out of time; or another one has counted since this one looked


def _count(connection: Connection, delivery: Delivery, *, until: float) -> tuple[list[Row], int]:
    values = {"preparation": delivery.preparation}
    rows = []
    for first in range(1, delivery.to_deliver + 1, _RANGE):
        _limit(connection, until)
        span = {**values, "first": first, "last": first + _RANGE - 1}
        rows += connection.execute(statements(_SQL)["count_messages"], span).fetchall()
    if delivery.sending_at is None:
        return rows, 0
    _limit(connection, until)
    found = connection.execute(
        statements(_SQL)["count_opted_out_since"], {**values, "since": delivery.sending_at}
    ).fetchone()
    return rows, int(found["people"]) if found else 0


def _limit(connection: Connection, until: float) -> None:
    """Let the next statement run no longer than *until*, on the monotonic clock."""
    left_ms = max(1, int(1000 * (until - time.monotonic())))
    connection.execute(statements(_SQL)["limit_counting"], {"timeout": f"{left_ms}ms"})


def _write_summary(
    connection: Connection, delivery: Delivery, *, counted_at: datetime, document: dict[str, Any]
) -> None:
    connection.execute(
        statements(_SQL)["write_summary"],
        {
            "preparation": delivery.preparation,
            "counted_at": counted_at,
            "document": Jsonb(document),
        },
    )


def read_summary(store: Store, delivery: Delivery) -> Row | None:
    """Read what was counted last: ``counted_at``, ``document``, ``age_s``. None: nothing was."""
    values = {"preparation": delivery.preparation}
    with store.transaction() as connection:
        return connection.execute(statements(_SQL)["read_summary"], values).fetchone()


def changed_deliveries(store: Store) -> list[str]:
    """Name open deliveries and those that ended lately of which more is known than was sampled."""
    with store.transaction() as connection:
        rows = connection.execute(statements(_SQL)["changed_deliveries"]).fetchall()
    return [row["id"] for row in rows]
