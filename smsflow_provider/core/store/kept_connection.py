"""A connection that is kept from one look to the next, and made again when it was lost."""

from __future__ import annotations

import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import Self

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


class KeptStore(Store):
    """
    The same store on one connection: opening one takes longer than most of what is read.

    For one thread, and for transactions that do not lie in one another. Use it as a context
    manager; it opens nothing until used. What opens a connection of its own (``connect``) still
    gets one.
    """

    def __init__(self, store: Store) -> None:
        super().__init__(store.dsn)
        self._kept = KeptConnection(store)

    @contextmanager
    def transaction(self) -> Iterator[Connection]:
        """Run one transaction. A lost connection is an error once, and made again after it."""
        with self._kept.transaction() as connection:
            yield connection

    def __enter__(self) -> Self:
        """Give it as it is."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close the connection. Never raises."""
        self._kept.close()
