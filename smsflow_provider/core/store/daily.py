"""
The daily cap over all deliveries: parts per day (UTC), set aside by senders in blocks.

A sender sets aside before it hands over, so that the cap is never passed, whoever sends. What a
killed sender had set aside and not handed over counts as used until the day ends.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from threading import Lock
from typing import Final

from smsflow_provider.core.store.connection import Connection, Store
from smsflow_provider.core.store.kept_connection import KeptConnection
from smsflow_provider.core.store.statements import statements

_SQL: Final = "daily"
#: Parts that are set aside at once, at the most.
BLOCK_PARTS: Final = 500
#: Near the cap a block is at most this part of what is left, so that no sender starves the others.
_SHARE: Final = 16
#: Seconds into a new day in which what is put back may have been taken on the day before: it is
#: worth nothing then. Longer than a request takes, with its answer.
_LATE_S: Final = 120.0


@dataclass(slots=True, kw_only=True)
class _Block:
    """Parts set aside on one day and not handed over yet."""

    day: date
    parts: int
    #: Monotonic seconds at which the day ends.
    ends_at: float
    #: Of this day, taken and not put back.
    taken: int = 0


class DailyCap:
    """
    One sender's share of the daily cap. Thread-safe.

    Args:
        limit: Parts a day over all deliveries. None or 0: no cap, nothing is asked.
        clock: Monotonic seconds.
    """

    def __init__(
        self, store: Store, limit: int | None, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._connection = KeptConnection(store)
        self._limit = limit or None
        self._clock = clock
        self._lock = Lock()
        self._block: _Block | None = None
        #: Monotonic seconds from when on what is put back was taken on the day of the block.
        self._trusted_at = -math.inf

    @property
    def limit(self) -> int | None:
        """Parts a day. None: no cap."""
        return self._limit

    def take(self, parts: int) -> int:
        """
        Take up to *parts* of what may leave today.

        Asks the store once for some hundred parts. What is not handed over goes back with
        ``put_back``.

        Returns:
            How many parts may be handed over now: fewer than *parts* when the cap is reached, 0
            when nothing is left.

        Raises:
            StoreError: The store does not answer; nothing may be handed over.
        """
        if self._limit is None or parts <= 0:
            return max(parts, 0)
        with self._lock:
            if (block := self._current()) is None or block.parts < parts:
                block = self._refill(parts)
            taken = min(parts, block.parts)
            block.parts -= taken
            block.taken += taken
            return taken

    def put_back(self, parts: int) -> None:
        """
        Put back *parts* that were taken and not handed over.

        What was taken before midnight is worth nothing after it: it counts as used.
        """
        with self._lock:
            block = self._current() if self._limit is not None else None
            if block is not None and self._clock() >= self._trusted_at:
                parts = min(parts, block.taken)
                block.parts += parts
                block.taken -= parts

    def give_back(self) -> None:
        """Give back to all what this sender has set aside, and close the connection."""
        with self._lock:
            block, self._block = self._block, None
            if block is not None and block.parts > 0:
                with self._connection.transaction() as connection:
                    _add(connection, block.day, -block.parts)
            self._connection.close()

    def _current(self) -> _Block | None:
        """Give the block of today; what is left of one of yesterday is worth nothing."""
        if self._block is not None and self._clock() >= self._block.ends_at:
            self._trusted_at = self._block.ends_at + _LATE_S
            self._block = None
        return self._block

    def _refill(self, parts: int) -> _Block:
        assert self._limit is not None
        asked_at = self._clock()  # before the store's clock is read: the block ends too early
        with self._connection.transaction() as connection:
            row = connection.execute(statements(_SQL)["lock_day"]).fetchone()
            assert row is not None
            block = self._block
            kept, taken = 0, 0
            if block is not None and block.day == row["day"]:
                kept, taken = block.parts, block.taken
            elif block is not None:
                self._trusted_at = asked_at + _LATE_S  # the store's day ended before ours
            left = max(0, self._limit - row["parts"])
            added = min(left, max(parts - kept, min(BLOCK_PARTS, left // _SHARE)))
            if added:
                _add(connection, row["day"], added)
        ends_at = asked_at + row["left_s"]
        self._block = _Block(day=row["day"], parts=kept + added, ends_at=ends_at, taken=taken)
        return self._block


def _add(connection: Connection, day: date, parts: int) -> None:
    connection.execute(statements(_SQL)["add_parts"], {"day": day, "parts": parts})


def parts_of_today(store: Store) -> int:
    """Read how many parts senders have set aside today (UTC)."""
    with store.transaction() as connection:
        row = connection.execute(statements(_SQL)["parts_of_today"]).fetchone()
    return int(row["parts"]) if row else 0
