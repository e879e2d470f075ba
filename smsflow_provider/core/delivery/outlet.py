"""One way out of a delivery: a gateway with its pace, its circuit and its connections."""

from __future__ import annotations

import math
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from smsflow_provider.core.content.sending_settings import Failover
from smsflow_provider.core.delivery.backoff import Backoff
from smsflow_provider.core.gateways.base import Gateway
from smsflow_provider.core.model import Message, OutcomeKind
from smsflow_provider.core.store.ledger_rows import Route, Taken


class Parcelled(Protocol):
    """What pace needs to know of a message."""

    @property
    def parts(self) -> int:
        """Parts the carrier counts."""
        ...

    @property
    def sender(self) -> str:
        """Whom it comes from."""
        ...


class Pace(Protocol):
    """When messages may leave. See ``pace.Pacer``."""

    #: Seconds before its moment at which a message is told.
    lead_s: float

    @property
    def is_paced(self) -> bool:
        """False: everything may leave at once. May change."""
        ...

    @property
    def late_s(self) -> float:
        """Seconds after its moment in which a message may still leave."""
        ...

    def reserve(self, parcels: Sequence[Parcelled], *, workers: int, now: float) -> list[float]:
        """Give moments to the first of *parcels*. Blocks."""
        ...

    def throttled(self, *, sender: str, retry_after_s: float | None) -> None:
        """Note that the gateway was busy. Blocks."""
        ...

    def accepted(self, parts: int) -> None:
        """Note what the gateway took."""
        ...

    def close(self) -> None:
        """Give its connection back."""
        ...


class Breaker(Protocol):
    """Whether a gateway can be trusted with messages. See ``circuit.Circuit``."""

    def room(self, now: float) -> int | None:
        """Messages that may leave now; None: no limit."""
        ...

    def note(self, kind: OutcomeKind, *, code: str, is_own: bool, now: float) -> None:
        """Note an outcome."""
        ...

    def sync(self) -> None:
        """Tell the other workers, and hear from them. Blocks."""
        ...

    def close(self) -> None:
        """Give its connection back."""
        ...


class NoPace:
    """Everything may leave at once."""

    lead_s = 0.0
    is_paced = False
    late_s = math.inf

    def reserve(self, parcels: Sequence[Parcelled], *, workers: int, now: float) -> list[float]:
        """Give every message this moment."""
        del workers
        return [now] * len(parcels)

    def throttled(self, *, sender: str, retry_after_s: float | None) -> None:
        """Note nothing."""

    def accepted(self, parts: int) -> None:
        """Note nothing."""

    def close(self) -> None:
        """Hold nothing."""


class NoBreaker:
    """A gateway that is always trusted."""

    def room(self, now: float) -> None:
        """Set no limit."""

    def note(self, kind: OutcomeKind, *, code: str, is_own: bool, now: float) -> None:
        """Note nothing."""

    def sync(self) -> None:
        """Tell nobody."""

    def close(self) -> None:
        """Hold nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GatewayLimits:
    """What one connection of a gateway may be asked for."""

    #: Requests under way at once.
    connections: int = 32
    #: Parts a second over all senders, and for each of them. 0: no limit.
    parts_per_s: float = 0.0
    sender_parts_per_s: float = 0.0


@dataclass(slots=True)
class Planned:
    """A message with the moment at which it may leave, and through which outlet."""

    taken: Taken
    outlet: Outlet
    #: Moment on the monotonic clock.
    at: float
    #: When it must not leave any more, whatever it waits for; set when it is marked.
    leave_by: float = math.inf
    #: What the gateway gets; None: not written yet.
    message: Message | None = None


@dataclass(slots=True, kw_only=True, eq=False)
class Outlet:
    """One gateway of a delivery, and what is on its way through it."""

    #: 0: the delivery's own gateway, 1: the one it fails over to.
    route: int
    #: Airflow connection.
    conn_id: str
    #: Its type.
    conn_type: str
    gateway: Gateway
    callback_url_of: Callable[[str], str | None]
    #: Requests under way at once.
    connections: int
    pace: Pace = field(default_factory=NoPace)
    breaker: Breaker = field(default_factory=NoBreaker)
    backoff: Backoff = field(default_factory=Backoff)
    #: Marked batches that wait for a connection.
    ready: deque[list[Planned]] = field(default_factory=deque)
    #: Requests under way.
    busy: int = 0
    #: Messages planned, marked or under way.
    open: int = 0

    @property
    def max_batch(self) -> int:
        """Messages in one request."""
        return self.gateway.dialect.max_batch

    def as_route(self) -> Route:
        """Tell the ledger what it needs to know."""
        return Route(
            conn_id=self.conn_id,
            conn_type=self.conn_type,
            reports_by_ref=bool(getattr(self.gateway.dialect, "reports_by_ref", False)),
        )

    def close(self) -> None:
        """Give back the connections to the store that pace and circuit hold."""
        self.pace.close()
        self.breaker.close()

    def room(self, now: float, *, width: int) -> int:
        """How many more messages may be planned now, of at most *width* open ones."""
        if self.backoff.left_s(now) > 0:
            return 0
        room = width - self.open
        if not self.pace.is_paced and self.open:
            room -= room % self.max_batch  # half a request now would be half a request for ever
        trusted = self.breaker.room(now)
        if trusted is not None:
            room = min(room, trusted - self.open)
        return max(room, 0)


def router_of(
    outlets: Sequence[Outlet], failover: Failover | None
) -> Callable[[Taken, dict[int, int]], Outlet]:
    """
    Make the rule by which a message finds its outlet.

    Messages of the countries the template names take the second gateway. The others take it only
    while the circuit of the first one is open; then the first gets no more than a probe.

    Args:
        outlets: The first gateway, and the second if there is one.

    Returns:
        Called with a message and with the room of each route.
    """
    first = outlets[0]
    if failover is None or len(outlets) == 1:
        return lambda _, __: first
    second, countries = outlets[1], frozenset(failover.countries)

    def route(taken: Taken, rooms: dict[int, int]) -> Outlet:
        if taken.region in countries:
            return second
        is_doubted = first.breaker.room(time.monotonic()) is not None
        return second if is_doubted and rooms[first.route] <= 0 else first

    return route
