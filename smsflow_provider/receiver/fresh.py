"""A value that is read again now and then, without anybody waiting for it."""

from __future__ import annotations

import asyncio
import logging
import math
import time
from collections.abc import Callable
from typing import Generic, Self, TypeVar

T = TypeVar("T")

#: Seconds after which a value is read again in the background: keys that were rotated, connections
#: that were changed.
READ_AGAIN_S = 60.0
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
        monotonic: The clock, in seconds.
    """

    def __init__(
        self,
        read: Callable[[], T],
        *,
        every_s: float = READ_AGAIN_S,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._read = read
        self._every_s = every_s
        self._monotonic = monotonic
        self._value: list[T] = []
        self._read_at_s = -math.inf
        self._reading: asyncio.Task[None] | None = None

    @classmethod
    def fixed(cls, value: T) -> Self:
        """Keep *value*, and read nothing."""
        fresh = cls(lambda: value, every_s=math.inf)
        fresh.read_now()
        return fresh

    def read_now(self) -> Self:
        """Read here and now, outside the event loop. Raises what reading raises."""
        began_s = self._monotonic()
        self._value = [self._read()]
        self._read_at_s = began_s
        return self

    async def get(self) -> T:
        """
        Give the value.

        Raises:
            Exception: It was never read, and reading it failed just now.
        """
        if not self._value:
            await asyncio.shield(self._begin())
            if not self._value:
                await asyncio.to_thread(self.read_now)
        elif self._age_s() > self._every_s:
            self._begin()
        return self._value[0]

    async def renew(self) -> bool:
        """
        Look again because something is missing, at most once in ``RENEW_AFTER_S`` for all.

        Returns:
            Whether the value was read anew meanwhile.
        """
        if self._every_s == math.inf or self._age_s() < RENEW_AFTER_S:
            return False
        before_s = self._read_at_s
        await asyncio.shield(self._begin())
        return self._read_at_s > before_s

    def _age_s(self) -> float:
        return self._monotonic() - self._read_at_s

    def _begin(self) -> asyncio.Task[None]:
        if self._reading is None or self._reading.done():
            self._reading = asyncio.create_task(self._read_aside())
        return self._reading

    async def _read_aside(self) -> None:
        try:
            await asyncio.to_thread(self.read_now)
        except Exception as error:  # noqa: BLE001  the former value stays in force
            # As if it had been read: a source that is down is not asked by every caller.
            if self._value:
                self._read_at_s = self._monotonic()
            facts = {"event": "reading_again_failed", "kind": type(error).__name__}
            log.warning("What was read before stays in force", extra=facts)
