"""What goes next: messages read ahead, messages that go once more, and their moments."""

from __future__ import annotations

import heapq
import itertools
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from typing import Final

from smsflow_provider.core.delivery.outlet import Outlet, Planned
from smsflow_provider.core.store.ledger_rows import Taken

#: Messages that go once more before no new chunk is taken.
_MOST_WAITING: Final = 5_000


class Plan:
    """
    The messages of a worker that are not marked yet. Keeps the order in which they are taken.

    Args:
        route_of: Which outlet a message takes, given the room of each route.
    """

    def __init__(self, route_of: Callable[[Taken, dict[int, int]], Outlet]) -> None:
        self._route_of = route_of
        self._ahead: deque[Taken] = deque()
        self._again: list[tuple[float, int, Taken]] = []
        self._planned: deque[Planned] = deque()
        self._numbers = itertools.count()

    @property
    def is_empty(self) -> bool:
        """Whether nothing waits here."""
        return not (self._ahead or self._again or self._planned)

    def wanted(self, width: int) -> int:
        """How many more messages should be read, so that *width* may be marked at once."""
        return max(width - len(self._ahead), 0) if len(self._again) < _MOST_WAITING else 0

    def add(self, fresh: Sequence[Taken], again: Sequence[Taken], *, now: float) -> None:
        """Take in a chunk."""
        self._ahead.extend(fresh)
        for one in again:
            self.add_again(one, due=now)

    def add_again(self, one: Taken, *, due: float) -> None:
        """Let *one* go once more, as the attempt it says, at *due* or later."""
        heapq.heappush(self._again, (due, next(self._numbers), one))

    def next_due_s(self, now: float) -> float | None:
        """Seconds until the next one that waits; None: none does."""
        return max(0.0, self._again[0][0] - now) if self._again else None

    def choose(self, now: float, *, rooms: dict[int, int]) -> list[tuple[Taken, Outlet]]:
        """
        Take out what may be planned now: first what goes once more, then what never left.

        Args:
            rooms: Messages each outlet has room for, by route; used up here.
        """
        chosen: list[tuple[Taken, Outlet]] = []
        while self._again and self._again[0][0] <= now:
            outlet = self._route_of(self._again[0][2], rooms)
            if rooms[outlet.route] <= 0:
                break
            rooms[outlet.route] -= 1
            chosen.append((heapq.heappop(self._again)[2], outlet))
        if len(rooms) == 1 and self._ahead:  # they all take the only one
            outlet = self._route_of(self._ahead[0], rooms)
            count = min(max(rooms[outlet.route], 0), len(self._ahead))
            rooms[outlet.route] -= count
            return chosen + [(self._ahead.popleft(), outlet) for _ in range(count)]
        while self._ahead:
            outlet = self._route_of(self._ahead[0], rooms)
            if rooms[outlet.route] <= 0:
                break
            rooms[outlet.route] -= 1
            chosen.append((self._ahead.popleft(), outlet))
        return chosen

    def set_moments(self, planned: Iterable[Planned]) -> None:
        """Keep messages that got a moment, in the order in which they were chosen."""
        for one in planned:
            one.outlet.open += 1
            self._planned.append(one)

    def due(self, until: float) -> list[Planned]:
        """Take out what leaves by *until*, and all before it: marks keep the order of a chunk."""
        count = 0
        for place, one in enumerate(self._planned, start=1):
            if one.at <= until:
                count = place
        return [self._planned.popleft() for _ in range(count)]

    def put_back(self, messages: Sequence[Taken], *, now: float) -> None:
        """Put back what was chosen last and is not marked, in its order."""
        self._ahead.extendleft(one for one in reversed(messages) if not one.attempt)
        for one in messages:
            if one.attempt:
                self.add_again(one, due=now)

    def unplan(self, due: Sequence[Planned] = (), *, now: float) -> None:
        """Take back every moment: nothing may leave for now. *due* was taken out before."""
        planned = [*due, *self._planned]
        self._planned.clear()
        for one in planned:
            one.outlet.open -= 1
        self.put_back([one.taken for one in planned], now=now)

    def drop(self, positions: frozenset[int]) -> None:
        """Forget messages that were to go once more, and have left."""
        if positions:
            self._again = [one for one in self._again if one[2].position not in positions]
            heapq.heapify(self._again)

    def clear(self, *, now: float) -> None:
        """Forget everything: the ledger settles it."""
        self.unplan(now=now)
        self._ahead.clear()
        self._again.clear()
