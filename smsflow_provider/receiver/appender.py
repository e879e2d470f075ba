"""Writing what came in, without holding up the event loop."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

from smsflow_provider.core.store.connection import Store
from smsflow_provider.core.store.group_writer import GroupWriter, Item, UnstorableError
from smsflow_provider.receiver.group_commit import BadItemError


class Appender:
    """Appends groups of receipts and replies to *store*. Use it from one event loop."""

    def __init__(self, store: Store) -> None:
        self._writer = GroupWriter(store)
        # Threads of its own: a store that hangs must not take those that others wait for.
        self._threads = ThreadPoolExecutor(max_workers=2, thread_name_prefix="smsflow-receipts")

    async def __call__(self, items: Sequence[Item]) -> None:
        """
        Append *items*; durable when it returns. Cancelled, it gives up what it was writing.

        Raises:
            BadItemError: One of them cannot be stored; none was.
            Exception: As the store raises.
        """
        loop = asyncio.get_running_loop()
        try:
            await loop.run_in_executor(self._threads, self._writer.write, items)
        except UnstorableError as error:
            raise BadItemError(str(error)) from None
        except asyncio.CancelledError:
            self._writer.give_up()
            raise

    def close(self) -> None:
        """Close what is kept open. It may be used again."""
        self._writer.close()
