"""The receiver with the store behind it: append what comes in, apply it a moment later."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

from smsflow_provider.core.delivery.tokens import Signer
from smsflow_provider.core.store.connection import Store
from smsflow_provider.core.store.keys import read_keys
from smsflow_provider.core.store.receipts import (
    ReceivedReceipt,
    append_receipts,
    apply_all_receipts,
)
from smsflow_provider.receiver.app import Receiver, make_app

#: Seconds between two rounds of applying receipts that came in.
APPLY_EVERY_S = 1.0

log = logging.getLogger(__name__)


def make_stored_app(store: Store) -> Receiver:
    """Make the receiver of *store*. Reads the store's keys at once."""
    # Threads of its own: a store that hangs must not take those that others wait for.
    threads = ThreadPoolExecutor(max_workers=2, thread_name_prefix="smsflow-receipts")

    async def append(receipts: Sequence[ReceivedReceipt]) -> None:
        loop = asyncio.get_running_loop()
        await loop.run_in_executor(threads, _append, store, receipts)

    return make_app(signer=Signer(read_keys(store)), append=append)


def _append(store: Store, receipts: Sequence[ReceivedReceipt]) -> None:
    with store.transaction() as connection:
        # Shorter than the receiver waits, so that what it answered 503 for is not stored later.
        connection.execute("SET LOCAL statement_timeout = '8s'")
        append_receipts(connection, receipts)


async def apply_for_ever(find: Callable[[], Store | None]) -> None:
    """
    Apply receipts every second until cancelled. Several processes may do so at once.

    Args:
        find: Finds the store anew each round; None: there is none now.
    """
    while True:
        try:
            await asyncio.to_thread(_apply_once, find)
        except Exception as error:  # noqa: BLE001  the next round tries again
            log.warning("Receipts wait in the inbox", extra={"cause": type(error).__name__})
        await asyncio.sleep(APPLY_EVERY_S)


def _apply_once(find: Callable[[], Store | None]) -> None:
    store = find()
    if store is not None:
        apply_all_receipts(store)


@contextlib.asynccontextmanager
async def applying(find: Callable[[], Store | None]) -> AsyncIterator[None]:
    """Apply receipts in the background for as long as the block runs."""
    task = asyncio.create_task(apply_for_ever(find))
    try:
        yield
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
