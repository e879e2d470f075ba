"""A connection that is kept from one look to the next, and made again when it was lost."""

from __future__ import annotations

import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from smsflow_provider.core.store.connection import Connection, Store, translated_errors


class KeptConnection:
    """
    One connection for work that comes back every second. Not thread-safe; opens nothing until used.

    A transaction that stalls for *stall_s* is ended by the server, so that a frozen process
    holds no row for longer. Whoever forgets to close it closes it when it is dropped.

    Args:
        stall_s: Seconds a transaction may do nothing before the server ends it.
        is_durable: False: what is committed may be lost when the server crashes.
        on_open: Told of each new connection.
    """

    def __init__(
        self,
        store: Store,
        *,
        stall_s: int = 5,
        is_durable: bool = True,
        on_open: Callable[[], None] = lambda: None,
    ) -> None:
        self._store = store
        self._stall_s = stall_s
        self._is_durable = is_durable
        self._on_open = on_open
        self._connection: Connection | None = None

    @contextmanager
    def transaction(self) -> Iterator[Connection]:
        """
        Run one transaction: committed at the end, or not at all. Same errors as the store's own.

        A lost connection is an error once; the next transaction opens another one.
        """
        with translated_errors():
            connection = self._open()
            with connection.transaction():
                yield connection

    def _open(self) -> Connection:
        if self._connection is None or self._connection.closed:
            connection = self._store.connect()
            connection.autocommit = True
            connection.execute(
                "SELECT set_config('idle_in_transaction_session_timeout', %s, false)",
                (f"{self._stall_s}s",),
            )
            if not self._is_durable:
                connection.execute("SET synchronous_commit = off")
            weakref.finalize(self, connection.close)
            self._connection = connection
            self._on_open()
        return self._connection

    def close(self) -> None:
        """Close it; it may be used again. Never raises."""
        if self._connection is not None:
            self._connection.close()
        self._connection = None
