"""What the ledger hands to a sender and takes back from it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from smsflow_provider.core.model import OutcomeKind
from smsflow_provider.core.states import DeliveryState


class Taken(NamedTuple):
    """A prepared message of a leased chunk, not handed to a gateway yet."""

    position: int
    #: E.164 digits without the plus.
    phone: int
    sender: str
    body: str
    #: A value of ``Encoding``.
    encoding: str
    parts: int
    #: ISO 3166 country of the number; empty: unknown.
    region: str
    #: 0 for the first hand-over, one more after each certain refusal to take it.
    attempt: int = 0

    def __repr__(self) -> str:
        """Show no phone and no text."""
        return f"Taken(position={self.position}, attempt={self.attempt})"

    def again(self) -> Taken:
        """Make its next attempt."""
        return self._replace(attempt=self.attempt + 1)

    def settled(self, kind: OutcomeKind, code: str) -> Settled:
        """Settle it instead of marking it."""
        return Settled(self.position, self.attempt, kind, code, was_marked=False)


class Settled(NamedTuple):
    """What became of one attempt at one message."""

    position: int
    attempt: int
    kind: OutcomeKind
    code: str = ""
    gateway_ref: str = ""
    #: False: it was settled instead of being marked.
    was_marked: bool = True
    #: Through which of the delivery's gateways it went; see ``Route``.
    route: int = 0

    def proven(self) -> Settled:
        """Make what it is when a receipt says that the message left, against the answer."""
        return self._replace(kind=OutcomeKind.ACCEPTED, code="by_receipt")


class Route(NamedTuple):
    """One gateway of a delivery, as the ledger needs to know it."""

    #: Airflow connection, and its type.
    conn_id: str
    conn_type: str
    #: Its receipts name its own id of a message and nothing else.
    reports_by_ref: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """What the ledger said in one tick."""

    state: DeliveryState
    #: The validity of the delivery is over.
    expired: bool
    #: The switch that silences every delivery is off.
    is_off: bool = False
    #: Last position that may leave now. None: all may.
    wave_until: int | None = None
    #: Workers on the delivery, this one included.
    workers: int = 1

    @property
    def may_send(self) -> bool:
        """Whether messages may leave now."""
        return self.state is DeliveryState.SENDING and not self.expired and not self.is_off


@dataclass(frozen=True, slots=True, kw_only=True)
class Ticked:
    """What came of one tick."""

    standing: Standing
    #: Messages that were to leave and must not; each is settled.
    gone: Sequence[Settled] = ()
    #: Positions of messages that the gateway said it did not take, and a receipt says it did.
    proven: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class ChunkHold:
    """What one worker has to do with a chunk it holds: messages."""

    #: Read, and not taken yet.
    ahead: int = 0
    #: Marked, and not settled yet.
    under_way: int = 0
    #: Certainly not taken by the gateway, to go once more.
    waiting: int = 0

    @property
    def is_done(self) -> bool:
        """Whether the chunk can be given back."""
        return not (self.ahead or self.under_way or self.waiting)

    def changed(self, by: Mapping[str, int]) -> ChunkHold:
        """Add *by*."""
        return ChunkHold(
            ahead=self.ahead + by.get("ahead", 0),
            under_way=self.under_way + by.get("under_way", 0),
            waiting=self.waiting + by.get("waiting", 0),
        )


def check_wave(leaving: Sequence[tuple[Taken, int]], until: int | None) -> None:
    """Make sure that nothing beyond the wave leaves, whoever forgot to look."""
    if until is not None and any(one.position > until and not one.attempt for one, _ in leaving):
        raise ValueError("a message beyond the wave was about to leave")
