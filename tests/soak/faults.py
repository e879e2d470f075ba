"""What is hit, and when."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

#: Of the faults, the share that hits while the one before is being recovered from.
_CLOSE_SHARE = 0.25
#: Of a delivery, the share in which hits begin: the last ones must find something to send.
_HIT_SHARE = 0.8


class Fault(StrEnum):
    """What is hit."""

    #: SIGKILL to one worker, or to all of them in the same moment.
    SENDER_KILLED = "sender killed"
    ALL_SENDERS_KILLED = "all senders killed"
    #: SIGSTOP to one worker for longer than its lease, then SIGCONT.
    SENDER_FROZEN = "sender frozen"
    #: PostgreSQL stopped at once, as by a crash, and started again.
    STORE_RESTARTED = "store restarted"
    #: Bearerbox: SIGSTOP and SIGCONT, or SIGKILL and a new start.
    GATEWAY_FROZEN = "gateway frozen"
    GATEWAY_KILLED = "gateway killed"


#: Faults that need no gateway of its own process.
OURS = (
    Fault.SENDER_KILLED,
    Fault.ALL_SENDERS_KILLED,
    Fault.SENDER_FROZEN,
    Fault.STORE_RESTARTED,
)
ALL = tuple(Fault)


@dataclass(frozen=True, slots=True, kw_only=True)
class Hit:
    """One fault to come."""

    kind: Fault
    #: It comes when so many messages were handed over; 0: as soon as the one before is done with.
    at: int
    #: And so many seconds later.
    after_s: float
    #: How long it lasts, 0 to 1 of its kind's range.
    strength: float


def plan_hits(kinds: Sequence[Fault], *, kills: int, count: int, seed: int) -> list[Hit]:
    """
    Draw *kills* faults over a delivery of *count* messages; each kind as often as the others.

    Each comes at a random moment of its own stretch of the delivery.

    Example:
        >>> hits = plan_hits(ALL, kills=12, count=1000, seed=1)
        >>> len(hits), len({hit.kind for hit in hits}), max(hit.at for hit in hits) < 800
        (12, 6, True)
    """
    draw = random.Random(seed)
    deck = [kinds[number % len(kinds)] for number in range(kills)]
    draw.shuffle(deck)
    apart = count * _HIT_SHARE / kills if kills else 0
    moments = [int((number + draw.random()) * apart) for number in range(kills)]
    return [
        Hit(
            kind=kind,
            at=0 if number and draw.random() < _CLOSE_SHARE else at,
            after_s=draw.uniform(0, 1),
            strength=draw.random(),
        )
        for number, (kind, at) in enumerate(zip(deck, moments, strict=True))
    ]
