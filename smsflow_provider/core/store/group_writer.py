"""Writing what gateways report, in groups: durably, on connections that are kept."""

from __future__ import annotations

import contextlib
import itertools
import socket
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

import psycopg

from smsflow_provider.core.model import Reply
from smsflow_provider.core.store.connection import Connection, Store
from smsflow_provider.core.store.receipts import ReceivedReceipt, append_receipts
from smsflow_provider.core.store.replies import append_replies

#: Shorter than a receiver waits, so that what it answered 503 for is not stored later; and durable
#: even where the server's own default is not.
_SETTINGS = """
SET statement_timeout = '8s';
SET idle_in_transaction_session_timeout = '8s';
SELECT set_config('synchronous_commit', 'on', false)
 WHERE current_setting('synchronous_commit') = 'off';
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceivedReply:
    """One reply as it came in, found to come from the gateway."""

    #: The connection it came in by.
    gateway: str
    reply: Reply = field(repr=False)
    received_at: datetime


Item = ReceivedReceipt | ReceivedReply


class UnstorableError(ValueError):
    """A group holds an item that cannot be stored at all; nothing of it was."""


class GroupWriter:
    """
    Writes groups of receipts and replies, each in one transaction that is flushed to disk.

    Keeps its connections: opening one costs more than a group. One that failed, or was given up,
    is never used again. Two threads may write at once.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._idle: list[Connection] = []
        self._busy: set[Connection] = set()
        self._given_up: set[Connection] = set()

    def write(self, items: Sequence[Item]) -> None:
        """
        Write *items*; durable when it returns.

        Raises:
            UnstorableError: One of them cannot be stored; none was.
            Error: As the driver raises.
        """
        kept = self._idle.pop() if self._idle else None
        if kept is not None:
            try:
                return self._write_on(kept, items)
            except psycopg.OperationalError:
                # Lost while nobody used it, most likely: the server was restarted. Had it stored
                # the group, storing it twice would change nothing.
                if not kept.broken or kept in self._given_up:
                    raise
        return self._write_on(self._open(), items)

    def give_up(self) -> None:
        """Break the connections in use, so that no thread waits for a store that hangs."""
        self._given_up, self._busy = self._busy, set()
        for connection in self._given_up:
            with contextlib.suppress(OSError, psycopg.Error):
                line = socket.socket(fileno=connection.pgconn.socket)
                try:
                    line.shutdown(socket.SHUT_RDWR)
                finally:
                    line.detach()

    def close(self) -> None:
        """Close what is kept. It may be used again."""
        while self._idle:
            self._idle.pop().close()

    def _write_on(self, connection: Connection, items: Sequence[Item]) -> None:
        self._busy.add(connection)
        try:
            with connection.transaction():
                _append(connection, items)
        except BaseException as error:
            self._busy.discard(connection)
            connection.close()
            if isinstance(error, psycopg.DataError | ValueError):
                raise UnstorableError(type(error).__name__) from None
            raise
        self._busy.discard(connection)
        self._idle.append(connection)

    def _open(self) -> Connection:
        connection = self._store.connect()
        connection.autocommit = True
        connection.execute(_SETTINGS)
        return connection


def _append(connection: Connection, items: Sequence[Item]) -> None:
    append_receipts(connection, [one for one in items if isinstance(one, ReceivedReceipt)])
    replies = [one for one in items if isinstance(one, ReceivedReply)]
    for gateway, group in itertools.groupby(replies, key=lambda one: one.gateway):
        found = list(group)
        moments = [one.received_at for one in found]
        append_replies(connection, gateway, [one.reply for one in found], moments)
