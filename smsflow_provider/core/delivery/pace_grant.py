"""
Whose turn it is: moments for the next messages of one worker. Pure, over buckets somebody holds.

Moments are granted a fraction of a second ahead, and a few at a time: so a delivery that has just
begun, a stop and a lower limit are all felt at once. Near the end of what is granted anybody may
go on. Before that only the delivery may that has had the least for its priority: so deliveries
share a full bucket by their priorities, and no bucket idles for the sake of fairness.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from smsflow_provider.core.delivery.pace_bucket import (
    DRIFT_S,
    Limit,
    earliest,
    end_grant,
    forget_passed,
    is_ahead,
    note_flow,
    take,
)
from smsflow_provider.core.store.pace import Bucket

#: How far ahead of the lead, in seconds, moments are granted to anybody, ...
_ANYBODY_S: Final = 0.1
#: ... to the delivery that has had the least for its priority, ...
_LEAST_S: Final = 0.2
#: ... and how far the rest of one grant may go.
_GRANT_S: Final = 0.3
#: The part of a grant that a delivery gets that has had more than another one.
_LITTLE: Final = 5
#: Seconds the widest bucket may idle within one grant because a narrower one comes later, ...
_HOLE_S: Final = 0.005
#: ... and before the first moment of a grant, which may come this much after the lead.
_NEAR_S: Final = 0.05


class Parcelled(Protocol):
    """What pace needs to know of a message, or of a batch that leaves as one."""

    @property
    def parts(self) -> int:
        """Parts the carrier counts, 1 or more."""
        ...

    @property
    def sender(self) -> str:
        """Whom it comes from."""
        ...


@dataclass(frozen=True, slots=True)
class Parcel:
    """A message, or a batch that leaves as one."""

    parts: int
    sender: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """Who asks, and for how much."""

    #: The delivery.
    flow: str
    #: 1 to 10.
    priority: int
    #: Parts granted at once; one message gets through whatever it has.
    most_parts: int
    #: Seconds before its moment at which a message must be known.
    lead_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """Moments for the first parcels, in their order; or none, and how long to wait."""

    moments: tuple[float, ...] = ()
    #: Seconds until it makes sense to ask again. 0 where there are moments.
    wait_s: float = 0.0


def grant(
    parcels: Sequence[Parcelled],
    *,
    limits_of: Callable[[str], Sequence[Limit]],
    buckets: Mapping[str, Bucket],
    turn: Turn,
    now: float,
    doubt_s: float = 0.0,
) -> Grant:
    """
    Give moments to the first of *parcels*, if it is this delivery's turn.

    Args:
        parcels: One or more.
        limits_of: The limits of a sender, one or more, the widest first: the messages of a
            narrower one all count in the wider ones. All their buckets are in *buckets*.
        now: By the clock of the buckets.
        doubt_s: Seconds by which these messages may leave later than is allowed for.
    """
    wait_s = _wait_s(parcels[0], limits_of(parcels[0].sender), buckets, turn, now=now)
    if wait_s > 0:
        return Grant(wait_s=wait_s)
    most_parts = _most_parts(limits_of(parcels[0].sender), buckets, turn, now=now)
    moments: list[float] = []
    given: dict[Limit, int] = {}
    parts, idle_s = 0, 0.0
    for one in parcels:
        limits = limits_of(one.sender)
        found = _found(one, limits, buckets, not_before=now + turn.lead_s)
        moment = max(found)
        idle_s += max(0.0, moment - DRIFT_S - found[0]) if moments else 0.0
        parts += one.parts
        is_enough = parts > most_parts or moment > now + turn.lead_s + _GRANT_S
        if moments and (is_enough or idle_s > _HOLE_S):
            break
        for limit in limits:
            take(buckets[limit.bucket], limit, one.parts, moment=moment, doubt_s=doubt_s)
            given[limit] = given.get(limit, 0) + one.parts
        moments.append(moment)
    for limit, own in given.items():
        bucket = buckets[limit.bucket]
        forget_passed(bucket, now=now)
        end_grant(bucket, limit, doubt_s=doubt_s)
        note_flow(bucket, limit, turn.flow, parts=own, priority=turn.priority, now=now)
    return Grant(moments=tuple(moments))


def _most_parts(
    limits: Sequence[Limit], buckets: Mapping[str, Bucket], turn: Turn, *, now: float
) -> int:
    """Take little where others wait that have had less: they come again in a moment."""
    ahead = any(is_ahead(buckets[one.bucket], one, turn.flow, now=now) for one in limits)
    return turn.most_parts // _LITTLE if ahead else turn.most_parts


def _found(
    one: Parcelled,
    limits: Sequence[Limit],
    buckets: Mapping[str, Bucket],
    *,
    not_before: float,
) -> list[float]:
    return [
        earliest(buckets[limit.bucket], limit, one.parts, not_before=not_before) for limit in limits
    ]


def _wait_s(
    first: Parcelled,
    limits: Sequence[Limit],
    buckets: Mapping[str, Bucket],
    turn: Turn,
    *,
    now: float,
) -> float:
    """Seconds until it is this delivery's turn in every bucket; 0 or less: it is."""
    found = _found(first, limits, buckets, not_before=now + turn.lead_s)
    longest_s = 0.0
    for limit in limits:
        bucket = buckets[limit.bucket]
        ahead = is_ahead(bucket, limit, turn.flow, now=now)
        # Not the moment of this message: one of several parts comes later, in its turn.
        ends_at = max(bucket.next_at, bucket.closed_until)
        wait_s = ends_at - now - turn.lead_s - (_ANYBODY_S if ahead else _LEAST_S)
        if wait_s > 0:
            note_flow(bucket, limit, turn.flow, parts=0, priority=turn.priority, now=now)
        longest_s = max(longest_s, wait_s)
    hole_s = max(found) - DRIFT_S - found[0]
    if hole_s > _HOLE_S:
        # The widest bucket would idle until a narrower one is ready: wait until it nearly is, or
        # until others have filled the widest one up to there.
        near_s = max(found) - now - turn.lead_s - _NEAR_S
        longest_s = max(longest_s, min(near_s, hole_s))
    return longest_s
