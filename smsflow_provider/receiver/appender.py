"""Writing what came in, durably: threads and connections of the receiver's own."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import socket
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import psycopg

from smsflow_provider.core.store.connection import Connection, Store
from smsflow_provider.core.store.receipts import ReceivedReceipt, append_receipts
from smsflow_provider.core.store.replies import append_replies
from smsflow_provider.receiver.calls import Item, ReceivedReply
from smsflow_provider.receiver.group_commit import BadItemError

#: Shorter than the receiver waits, so that what it answered 503 for is not stored later; and
#: durable even where the server's own default is not.
_SETTINGS = """
SET statement_timeout = '8s';
SET idle_in_transaction_session_timeout = '8s';
SELECT set_config('synchronous_commit', 'on', false)
 WHERE current_setting('synchronous_commit') = 'off';
"""


class Appender:
    """
    Appends groups of receipts and replies, each in one transaction that is flushed to disk.

    Keeps its connections: opening one costs more than a group. One that failed, or whose append
    was given up, is never used again. Use it from one event loop, one group at a time.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        # Threads of its own: a store that hangs must not take those that others wait for.
        self._threads = ThreadPoolExecutor(max_workers=2, thread_name_prefix="smsflow-receipts")
        self._idle: list[Connection] = []
        self._busy: set[Connection] = set()
        self._given_up: set[Connection] = set()

    async def __call__(self, items: Sequence[Item]) -> None:
        """
        Append *items*; durable when it returns.

        Raises:
            BadItemError: One of several cannot be stored; none was.
            Exception: As the store raises.
        """
        loop = asyncio.get_running_loop()
        try:
            await loop.run_in_executor(self._threads, self._append, items)
        except asyncio.CancelledError:
            self._give_up()
            raise

    def _give_up(self) -> None:
        """Break the connections in use, so that a thread does not wait for a store that hangs."""
        self._given_up, self._busy = self._busy, set()
        for connection in self._given_up:
            with contextlib.suppress(OSError, psycopg.Error):
                line = socket.socket(fileno=connection.pgconn.socket)
                try:
                    line.shutdown(socket.SHUT_RDWR)
                finally:
                    line.detach()

    def _append(self, items: Sequence[Item]) -> None:
        kept = self._idle.pop() if self._idle else None
        if kept is not None:
            try:
                return self._append_on(kept, items)
            except psycopg.OperationalError:
                # Lost while nobody used it, most likely: the server was restarted. Had it stored
                # the group, storing it twice would change nothing.
                if not kept.broken or kept in self._given_up:
                    raise
        return self._append_on(self._open(), items)

    def _append_on(self, connection: Connection, items: Sequence[Item]) -> None:
        self._busy.add(connection)
        try:
            with connection.transaction():
                _write(connection, items)
        except BaseException as error:
            self._busy.discard(connection)
            connection.close()
            if isinstance(error, psycopg.DataError | ValueError):
                raise BadItemError(type(error).__name__) from None
            raise
        self._busy.discard(connection)
        self._idle.append(connection)

    def _open(self) -> Connection:
        connection = self._store.connect()
        connection.autocommit = True
        connection.execute(_SETTINGS)
        return connection

    def close(self) -> None:
        """Close what is kept. It may be used again."""
        while self._idle:
            self._idle.pop().close()


def _write(connection: Connection, items: Sequence[Item]) -> None:
    append_receipts(connection, [one for one in items if isinstance(one, ReceivedReceipt)])
    replies = [one for one in items if isinstance(one, ReceivedReply)]
    for gateway, group in itertools.groupby(replies, key=lambda one: one.gateway):
        found = list(group)
        append_replies(connection, gateway, [one.reply for one in found], found[0].received_at)
