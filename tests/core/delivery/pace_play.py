"""Workers that share buckets in virtual time: asked in order, by one clock, without a store."""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from smsflow_provider.core.delivery.pace_bucket import Limit
from smsflow_provider.core.delivery.pace_grant import Parcel, Turn, grant
from smsflow_provider.core.store.pace import Bucket

LEAD_S = 0.1
#: A window asks at its ticks.
TICK_S = 0.02


@dataclass(slots=True, kw_only=True)
class Player:
    """One worker: a delivery, its priority, and the messages it has."""

    flow: str
    parcels: Iterator[Parcel]
    limits_of: Callable[[str], Sequence[Limit]]
    priority: int = 1
    begins_at: float = 0.0
    #: Parts granted at once.
    most_parts: int = 5
    #: (moment, parts, sender) of what was granted.
    granted: list[tuple[float, int, str]] = field(default_factory=list)
    ahead: list[Parcel] = field(default_factory=list)

    def look(self, buckets: dict[str, Bucket], now: float) -> float | None:
        """Ask once; say when to ask next, or None at the end."""
        self.ahead += itertools.islice(self.parcels, 100 - len(self.ahead))
        if not self.ahead:
            return None
        turn = Turn(
            flow=self.flow, priority=self.priority, most_parts=self.most_parts, lead_s=LEAD_S
        )
        for one in self.ahead:
            for limit in self.limits_of(one.sender):
                buckets.setdefault(limit.bucket, Bucket(next_at=0.0))
        result = grant(self.ahead, limits_of=self.limits_of, buckets=buckets, turn=turn, now=now)
        for moment, one in zip(result.moments, self.ahead, strict=False):
            self.granted.append((moment, one.parts, one.sender))
        self.ahead = self.ahead[len(result.moments) :]
        return now + max(TICK_S, result.wait_s)


def play(players: Sequence[Player], *, until: float) -> None:
    """Let *players* ask until the virtual clock says *until*."""
    buckets: dict[str, Bucket] = {}
    queue = [(one.begins_at, place, one) for place, one in enumerate(players)]
    heapq.heapify(queue)
    while queue and queue[0][0] < until:
        now, place, player = heapq.heappop(queue)
        next_at = player.look(buckets, now)
        if next_at is not None:
            heapq.heappush(queue, (next_at, place, player))


def fullest(handed: Sequence[tuple[float, int]], *, over_s: float) -> int:
    """Find the most parts in any half-open window of *over_s* seconds, a lone message apart."""
    ordered = sorted(handed)
    most = parts = first = 0
    for place, (at, own) in enumerate(ordered):
        parts += own
        while ordered[first][0] <= at - over_s:
            parts -= ordered[first][1]
            first += 1
        if place > first:
            most = max(most, parts)
    return most
