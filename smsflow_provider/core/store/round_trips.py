"""Transactions that wait for the server as seldom as they can: a tick has some milliseconds."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg

from smsflow_provider.core.store.connection import Connection, translated_errors


@contextmanager
def one_transaction(connection: Connection) -> Iterator[None]:
    """
    Run one transaction on an idle *connection*: committed at the end, or not at all.

    Unlike ``connection.transaction()`` it begins with the first statement, in the same message;
    for connections that do not commit by themselves, and not inside another transaction. What the
    driver raises is raised as our own errors.

    Several statements that need no answer of each other take one round trip in a
    ``connection.pipeline()``; read their rows behind it. COPY cannot be in one.
    """
    with translated_errors():
        try:
            yield
        except BaseException:
            with contextlib.suppress(psycopg.Error):
                connection.rollback()
            raise
        connection.commit()
