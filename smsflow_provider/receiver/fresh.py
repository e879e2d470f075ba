"""A value that is read again now and then, without anybody waiting for it."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import math
import time
from collections.abc import Callable
from typing import Generic, Self, TypeVar

T = TypeVar("T")

#: Seconds after which a value is read again in the background: keys that were rotated, connections
#: that were changed.
READ_AGAIN_S = 60.0
#: Seconds anybody waits for a reading: one that hangs must not gather those who call.
WAIT_S = 5.0
#: Seconds a value must be old before somebody who misses something in it makes us look again.
RENEW_AFTER_S = 1.0

log = logging.getLogger(__name__)


class Fresh(Generic[T]):
    """
    Keeps what *read* returned, and reads again on a thread when that is old.

    Whoever asks gets what is there at once; only the very first asker waits. A reading that fails
    leaves the former value in force and is logged without its words. Serves one event loop.

    Args:
        read: Reads the value; may take long, so it runs on a thread.
        every_s: Seconds after which it is read again.
        wait_s: Seconds anybody waits for a reading; it goes on, and who asks later has it.
        monotonic: The clock, in seconds.
    """

    def __init__(
        self,
        read: Callable[[], T],
        *,
        every_s: float = READ_AGAIN_S,
        wait_s: float = WAIT_S,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._read = read
        self._every_s = every_s
        self._wait_s = wait_s
        self._monotonic = monotonic
        self._value: list[T] = []
        self._error: Exception | None = None
        self._reads = 0
        self._tried_at_s = -math.inf
        self._reading: asyncio.Task[None] | None = None

    @classmethod
    def fixed(cls, value: T) -> Self:
        """Keep *value*, and read nothing."""
        fresh = cls(lambda: value, every_s=math.inf)
        fresh.read_now()
        return fresh

    def read_now(self) -> Self:
        """Read here and now, outside the event loop. Raises what reading raises."""
        self._tried_at_s = self._monotonic()
        self._value = [self._read()]
        self._reads += 1
        return self

    async def get(self) -> T:
        """
        Give the value.

        Raises:
            Exception: It was never read, and reading it failed within the last second.
        """
        if not self._value:
            await self._look(after_s=RENEW_AFTER_S)
            if not self._value:
                raise self._error or RuntimeError("nothing was read")
        elif self._age_s() > self._every_s:
            self._begin()
        return self._value[0]

    async def renew(self) -> bool:
        """
        Look again because something is missing, at most once in ``RENEW_AFTER_S`` for all.

        Returns:
            Whether the value was read anew meanwhile.
        """
        before = self._reads
        if self._every_s != math.inf:
            await self._look(after_s=RENEW_AFTER_S)
        return self._reads > before

    async def _look(self, *, after_s: float) -> None:
        """Read on a thread, or wait for who does; not so soon after the last time."""
        is_reading = self._reading is not None and not self._reading.done()
        if is_reading or self._age_s() >= after_s:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._wait_s):
                    await asyncio.shield(self._begin())

    def _age_s(self) -> float:
        return self._monotonic() - self._tried_at_s

    def _begin(self) -> asyncio.Task[None]:
        if self._reading is None or self._reading.done():
            self._reading = asyncio.create_task(self._read_aside())
        return self._reading

    async def _read_aside(self) -> None:
        try:
            await asyncio.to_thread(self.read_now)
        except Exception as error:  # noqa: BLE001  the former value stays in force
            self._error = error
            facts = {"event": "reading_again_failed", "kind": type(error).__name__}
            log.warning("What was read before stays in force", extra=facts)
