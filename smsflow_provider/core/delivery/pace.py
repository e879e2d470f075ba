"""
The pace: when the next messages of a delivery may leave, shared by all workers of a store.

A worker asks for moments a little ahead, for a few messages at a time, and hands each over at its
moment or up to ``late_s`` after it; what comes later still must ask again. ``docs/pace.md`` says
what follows for people.
"""

from __future__ import annotations

import math
import random
import threading
import time
from collections.abc import Callable, Sequence
from typing import Final, TypeVar

from smsflow_provider.core.content.sending_settings import Spread
from smsflow_provider.core.delivery.pace_bucket import LATE_S, Limit, grow, throttle
from smsflow_provider.core.delivery.pace_grant import Parcel, Parcelled, Turn, grant
from smsflow_provider.core.delivery.pace_spread import Evenly
from smsflow_provider.core.errors import StoreUnreachableError
from smsflow_provider.core.store.connection import Store
from smsflow_provider.core.store.deliveries import Delivery
from smsflow_provider.core.store.pace import Held, PaceBook

__all__ = ["Pacer", "Parcel", "make_pacer"]

#: Part of ``LATE_S`` that covers what is not known of the server's clock.
_CLOCK_DOUBT_S: Final = 0.005
#: Two clocks drift apart, and a timer wakes early, by less than this, in seconds, all together.
_CLOCK_DRIFT_S: Final = 0.002
#: A bucket that is missing starts when all that was granted from it before a crash has left, and
#: counts no more: after two of its periods and this, in seconds.
_START_S: Final = 0.5
#: Seconds of the rate granted at once to all workers of a delivery, and bounds for one of them.
_TOGETHER_S: Final = 0.2
_LEAST_ALONE_S: Final = 0.02
_MOST_ALONE_S: Final = 0.1
#: Parts granted at once, at the most: others wait meanwhile.
_MOST_PARTS: Final = 1_000
#: Seconds over which workers of a delivery ask apart from each other.
_APART_S: Final = 0.005
#: A rate is learnt from what was accepted in this many seconds, and is at least so many parts.
_LEARNT_OVER_S: Final = 5.0
_LEAST_LEARNT: Final = 10.0

_ResultT = TypeVar("_ResultT")


class _Accepted:
    """How fast a gateway takes messages of this worker, over the last seconds."""

    def __init__(self, now: float) -> None:
        self._since = self._before_since = now
        self._parts = self._before = 0

    def add(self, parts: int, now: float) -> None:
        if now - self._since >= _LEARNT_OVER_S:
            self._before_since, self._before = self._since, self._parts
            self._since, self._parts = now, 0
        self._parts += parts

    def parts_per_s(self, now: float) -> float:
        return (self._parts + self._before) / max(now - self._before_since, 1.0)


class Pacer:
    """
    The moments of one worker's messages of one delivery through one gateway. See ``make_pacer``.

    ``reserve``, ``throttled`` and ``close`` block, and let one thread in at a time. All times are
    of ``time.monotonic``.
    """

    def __init__(
        self,
        book: PaceBook,
        *,
        gateway: str,
        flow: str,
        account_parts_per_s: float,
        sender_parts_per_s: float,
        priority: int,
        evenly: Evenly | None,
        clock: Callable[[], float] = time.monotonic,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        #: Seconds before its moment at which a message is told, 0.1; a slower worker sets more.
        self.lead_s = 0.1
        self._book = book
        self._gateway = gateway
        self._flow = flow
        self._account_parts_per_s = account_parts_per_s
        self._sender_parts_per_s = sender_parts_per_s
        self._priority = priority
        self._evenly = evenly
        self._clock = clock
        self._jitter = jitter
        self._lock = threading.RLock()
        self._accepted = _Accepted(clock())
        self._has_accepted = False
        self._learnt = 0.0
        self._workers = 1
        #: By sender: before then it is nobody's turn here.
        self._asks_at: dict[str, float] = {}
        self._closed_until = 0.0
        #: Throttling answers the store does not know of yet: by bucket, until when.
        self._busy: dict[str, float] = {}
        self._told_at = clock() - 1.0

    @property
    def is_paced(self) -> bool:
        """
        False: everything may leave at once, and nothing is read or written.

        May change: a gateway without a limit is paced for a while after it was busy.
        """
        return self._wants_moments()

    @property
    def late_s(self) -> float:
        """A message may leave up to this many seconds after its moment, and never later."""
        return LATE_S - _CLOCK_DOUBT_S if self._wants_moments() else math.inf

    def reserve(self, parcels: Sequence[Parcelled], *, workers: int, now: float) -> list[float]:
        """
        Give moments to the first of *parcels*: ``late_s`` each, from its moment on.

        Takes a transaction of about a millisecond, or nothing where it is too early to ask, so it
        may be called at every tick. What is granted ends less than half a second from now.

        Args:
            parcels: Messages in their order; a batch that leaves as one is one parcel.
            workers: How many workers send this delivery now, 1 or more.

        Returns:
            A moment each for the first of them, never going back by more than 0.01 s. Empty: not
            now; ask again at the next tick.

        Raises:
            StoreUnreachableError: The store did not answer twice; nothing may leave.
        """
        with self._lock:
            self._workers = max(workers, 1)
            if not parcels or not self._wants_moments():
                return [now] * len(parcels)
            if self._clock() < self._asks_at.get(parcels[0].sender, 0.0):
                return []
            moments = self._ask(parcels)
            return moments if self._wants_moments() else [now] * len(parcels)

    def throttled(self, *, sender: str, retry_after_s: float | None) -> None:
        """
        Note that the gateway certainly did not take a message because it was busy.

        Halves the pace of all workers, at most once a second, and closes the bucket for
        *retry_after_s*, an hour at the most. Takes a transaction about once a second.
        """
        with self._lock:
            now = self._clock()
            wait_s = max(retry_after_s or 0.0, 0.0)
            bucket = self._throttled_bucket(sender)
            self._busy[bucket] = max(self._busy.get(bucket, 0.0), now + wait_s)
            is_longer = now + wait_s > self._closed_until + 1.0
            self._closed_until = max(self._closed_until, now + wait_s)
            if now - self._told_at >= 1.0 or is_longer:
                self._told_at = now
                self._with_buckets({sender}, lambda _: None, is_spread=False)

    def accepted(self, parts: int) -> None:
        """Note that the gateway took a message: the pace may grow again. Waits for nobody."""
        self._has_accepted = True
        self._accepted.add(parts, self._clock())

    def closed_s(self, now: float) -> float:
        """Seconds after *now* for which the gateway wants nothing, as far as is known here."""
        return max(0.0, self._closed_until - now)

    def close(self) -> None:
        """Give the connection back. May be used again."""
        with self._lock:
            self._book.close()

    def _wants_moments(self) -> bool:
        has_limit = self._account_parts_per_s or self._sender_parts_per_s or self._learnt
        return bool(has_limit) or self._evenly is not None or bool(self._busy)

    def _ask(self, parcels: Sequence[Parcelled]) -> list[float]:
        evenly = self._evenly.parts_per_s() if self._evenly is not None else None
        if evenly is None:
            self._evenly = None  # its time is over: what is left need not wait
        if not self._wants_moments():
            return []
        first = self._first(parcels)
        return self._with_buckets(
            {one.sender for one in first},
            lambda held: self._grant(held, first, evenly),
            is_spread=evenly is not None,
        )

    def _first(self, parcels: Sequence[Parcelled]) -> Sequence[Parcelled]:
        """Name the parcels that one grant could reach."""
        parts = 0
        for place, one in enumerate(parcels, start=1):
            parts += one.parts
            if parts >= self._most_parts():
                return parcels[:place]
        return parcels

    def _most_parts(self) -> int:
        alone_s = min(max(_TOGETHER_S / self._workers, _LEAST_ALONE_S), _MOST_ALONE_S)
        rates = (self._account_parts_per_s, self._sender_parts_per_s, self._learnt)
        rate = min((own for own in rates if own), default=math.inf)
        return max(1, int(min(rate * alone_s, _MOST_PARTS)))

    def _account(self) -> str:
        return f"account {self._gateway}"

    def _sender(self, sender: str) -> str:
        return f"sender {self._gateway} {sender}"

    def _throttled_bucket(self, sender: str) -> str:
        return self._sender(sender) if self._sender_parts_per_s else self._account()

    def _starts_s(self, senders: set[str], *, is_spread: bool) -> dict[str, float]:
        """Name the buckets of *senders*, each with the seconds after which it starts if missing."""
        starts_s = dict.fromkeys(self._busy, _START_S)
        if self._account_parts_per_s:
            account = Limit.of(self._account(), self._account_parts_per_s)
            starts_s[account.bucket] = 2 * account.over_s + _START_S
        elif self._learnt:
            starts_s[self._account()] = 0.0
        if self._sender_parts_per_s:
            over_s = Limit.of("", self._sender_parts_per_s).over_s
            own = {self._sender(sender) for sender in senders} | {*self._busy} - {self._account()}
            starts_s |= dict.fromkeys(own, 2 * over_s + _START_S)
        if is_spread:
            starts_s[f"delivery {self._flow}"] = 0.0
        return starts_s

    def _with_buckets(
        self, senders: set[str], work: Callable[[Held], _ResultT], *, is_spread: bool
    ) -> _ResultT:
        """Hold the buckets of *senders*, tell what is not told yet, and do *work*."""
        starts_s = self._starts_s(senders, is_spread=is_spread)
        try:
            return self._hold(starts_s, work)
        except StoreUnreachableError:
            self._book.close()
            return self._hold(starts_s, work)

    def _hold(self, starts_s: dict[str, float], work: Callable[[Held], _ResultT]) -> _ResultT:
        with self._book.hold(starts_s) as held:
            self._adapt(held)
            result = work(held)
        self._busy.clear()
        self._has_accepted = False
        return result

    def _adapt(self, held: Held) -> None:
        """Throttle what was busy, let the others grow, and learn what others know."""
        for name, bucket in held.buckets.items():
            if name in self._busy:
                left_s = self._busy[name] - held.read_at + held.doubt_s
                if name == self._account() and not self._account_parts_per_s and not bucket.learnt:
                    seen = self._accepted.parts_per_s(self._clock()) * self._workers
                    bucket.learnt = max(seen, _LEAST_LEARNT)
                throttle(bucket, now=held.now, retry_after_s=left_s if left_s > 0 else None)
            elif self._has_accepted:
                grow(bucket, now=held.now)
            if bucket.closed_until > held.now:
                closed_until = held.read_at + bucket.closed_until - held.now
                self._closed_until = max(self._closed_until, closed_until)
        if not self._account_parts_per_s and self._account() in held.buckets:
            self._learnt = held.buckets[self._account()].learnt

    def _grant(self, held: Held, parcels: Sequence[Parcelled], evenly: float | None) -> list[float]:
        limits = {one.sender: self._limits(one.sender, evenly) for one in parcels}
        if not limits[parcels[0].sender]:
            return []  # what was learnt was forgotten just now
        result = grant(
            parcels,
            limits_of=limits.__getitem__,
            buckets=held.buckets,
            turn=Turn(
                flow=self._flow,
                priority=self._priority,
                most_parts=self._most_parts(),
                lead_s=self.lead_s,
            ),
            now=held.now,
            doubt_s=max(0.0, held.doubt_s + _CLOCK_DRIFT_S - _CLOCK_DOUBT_S),
        )
        if not result.moments:
            apart_s = self._jitter() * _APART_S * min(self._workers, 5)
            self._asks_at[parcels[0].sender] = held.read_at + result.wait_s + apart_s
        return [held.read_at + moment - held.now for moment in result.moments]

    def _limits(self, sender: str, evenly: float | None) -> list[Limit]:
        """List the limits of *sender*, the widest first."""
        limits = []
        if self._account_parts_per_s:
            limits.append(Limit.of(self._account(), self._account_parts_per_s))
        elif self._learnt:
            limits.append(Limit.spread(self._account(), self._learnt))
        if self._sender_parts_per_s:
            limits.append(Limit.of(self._sender(sender), self._sender_parts_per_s))
        if evenly is not None:
            limits.append(Limit.spread(f"delivery {self._flow}", evenly))
        return limits


def make_pacer(
    store: Store,
    *,
    gateway: str,
    delivery: Delivery,
    account_parts_per_s: float,
    sender_parts_per_s: float,
    priority: int,
    spread: Spread | None,
) -> Pacer:
    """
    Make the pace of *delivery* through one gateway, for one worker. Opens nothing until used.

    Args:
        gateway: Connection id of the gateway: one account. Two ids are two accounts.
        account_parts_per_s: Most parts a second through it. 0: no limit.
        sender_parts_per_s: Most parts a second of one sender through it. 0: no limit.
        priority: Share among the deliveries that want the same bucket, 1 to 10.
    """
    return Pacer(
        PaceBook(store),
        gateway=gateway,
        flow=str(delivery.no),
        account_parts_per_s=account_parts_per_s,
        sender_parts_per_s=sender_parts_per_s,
        priority=priority,
        evenly=Evenly(store, delivery, spread) if spread is not None else None,
    )
