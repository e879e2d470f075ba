"""How often a gateway is asked what became of messages: evenly, over all who ask."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from smsflow_provider.core.store.connection import Store
from smsflow_provider.core.store.pace import PaceBook


class Turns:
    """
    Lets questions to one gateway out one after the other, at most *per_s* in a second.

    Shared through the store by all workers, deliveries and maintenance. Each asker waits for a
    turn before each question; a turn that nobody uses is lost.

    Args:
        conn_id: Airflow connection of the gateway.
        per_s: Questions a second. 0: as fast as they come; the store is not asked.
        sleep: Waits so many seconds.
    """

    def __init__(
        self,
        store: Store,
        conn_id: str,
        *,
        per_s: float,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._book = PaceBook(store)
        self._bucket = f"questions {conn_id}"
        self._per_s = per_s
        self._sleep = sleep

    async def wait(self) -> None:
        """
        Wait for the next turn.

        Raises:
            StoreUnreachableError: The store does not answer: nothing may be asked.
        """
        if self._per_s > 0 and (wait_s := await asyncio.to_thread(self._take)) > 0:
            await self._sleep(wait_s)

    def _take(self) -> float:
        """Take the next turn. Seconds until it comes."""
        with self._book.hold({self._bucket: 0.0}) as held:
            bucket = held.buckets[self._bucket]
            at = max(bucket.next_at, held.now)
            bucket.next_at = at + 1 / self._per_s
            return at - held.now

    def close(self) -> None:
        """Close the connection. Never raises."""
        self._book.close()
