"""Sends receipts when they are due."""

from __future__ import annotations

import asyncio
import heapq
import itertools
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

#: Calls under way at once.
_CALLS_AT_ONCE = 32
#: Seconds between the tries of one receipt; one try more than there are pauses.
_PAUSES_S = (0.5, 2.0, 5.0)

Post = Callable[[str, dict[str, Any]], Awaitable[bool]]


@dataclass(frozen=True, slots=True, kw_only=True)
class DueReceipt:
    """One call to make."""

    #: Empty: nobody is called.
    url: str
    #: What the call says.
    body: dict[str, Any]
    #: Tries made so far.
    tries: int = 0


class ReceiptDesk:
    """
    Keeps receipts until they are due and posts them, in the order of their times.

    A post that fails is tried again three times, seconds apart, then given up and counted.

    Args:
        post: Makes one call; true when it was acknowledged. Never raises.
        time_s: A clock that never runs backwards, in seconds.
        on_due: Told of each receipt when it is due for the first time, before it is posted.
    """

    def __init__(
        self,
        post: Post,
        *,
        time_s: Callable[[], float],
        on_due: Callable[[DueReceipt], None] = lambda _: None,
    ) -> None:
        self._post = post
        self._time_s = time_s
        self._on_due = on_due
        self._heap: list[tuple[float, int, DueReceipt]] = []
        self._order = itertools.count()
        self._wake = asyncio.Event()
        self._calls: set[asyncio.Task[None]] = set()
        self._free = asyncio.Semaphore(_CALLS_AT_ONCE)
        self._counts: Counter[str] = Counter()

    def put(self, receipt: DueReceipt, *, delay_s: float) -> None:
        """Post *receipt* in *delay_s* seconds."""
        heapq.heappush(self._heap, (self._time_s() + delay_s, next(self._order), receipt))
        self._wake.set()

    async def post_now(self, receipt: DueReceipt) -> None:
        """Post *receipt* at once and wait for the end of it; a failure is tried again later."""
        self._on_due(receipt)
        if receipt.url:
            await self._free.acquire()
            await self._call(receipt)

    def counts(self) -> dict[str, int]:
        """Count receipts sent (acknowledged), given up, and still to come."""
        return {
            "receipts_sent": self._counts["sent"],
            "receipts_given_up": self._counts["given_up"],
            "receipts_waiting": len(self._heap) + len(self._calls),
        }

    def clear(self) -> None:
        """Forget what is not yet due and start counting anew."""
        self._heap.clear()
        self._counts.clear()

    async def work(self) -> None:
        """Post what is due, until cancelled; then calls under way are cancelled as well."""
        try:
            while True:
                await self._wait()
                while self._heap and self._heap[0][0] <= self._time_s():
                    await self._begin(heapq.heappop(self._heap)[2])
        finally:
            for call in self._calls:
                call.cancel()
            await asyncio.gather(*self._calls, return_exceptions=True)

    async def _begin(self, receipt: DueReceipt) -> None:
        if receipt.tries == 0:
            self._on_due(receipt)
        if receipt.url:
            await self._free.acquire()
            self._start(receipt)

    async def _wait(self) -> None:
        """Wait until the first receipt is due, or another one comes in."""
        self._wake.clear()
        rest_s = max(0.0, self._heap[0][0] - self._time_s()) if self._heap else None
        try:
            await asyncio.wait_for(self._wake.wait(), rest_s)
        except TimeoutError:
            return

    def _start(self, receipt: DueReceipt) -> None:
        call = asyncio.create_task(self._call(receipt))
        self._calls.add(call)
        call.add_done_callback(self._calls.discard)

    async def _call(self, receipt: DueReceipt) -> None:
        try:
            is_acknowledged = await self._post(receipt.url, receipt.body)
        finally:
            self._free.release()
        if is_acknowledged:
            self._counts["sent"] += 1
        elif receipt.tries < len(_PAUSES_S):
            again = DueReceipt(url=receipt.url, body=receipt.body, tries=receipt.tries + 1)
            self.put(again, delay_s=_PAUSES_S[receipt.tries])
        else:
            self._counts["given_up"] += 1
