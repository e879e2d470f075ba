"""
What a limit allows, and when: pure arithmetic over buckets. No store, no clock.

A bucket keeps a schedule: each message moves its next moment on by ``parts / rate``. Idle time is
not saved up. The rate is a little below the limit, by the time a hand-over may lie behind its
moment: so messages that leave late, and others in time, never make a second too full.

Why no sliding second exceeds the limit: let messages ``a`` to ``c`` be handed over within less
than one period *T*. Their moments then lie less than ``T + LATE_S`` apart, and their places in the
schedule less than ``T + LATE_S + DRIFT_S``. The parts of all but ``c`` are at most the rate times
that: less than the limit. A last message of one part makes it the limit at the most. One of several
parts could make it more: it also waits until what was granted within ``T + LATE_S`` leaves it room.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final, Self

from smsflow_provider.core.store.pace import Bucket

#: Seconds that a hand-over may lie behind its moment, all doubt about clocks included.
LATE_S: Final = 0.03
#: Seconds that a moment may lie behind its place in the schedule without moving the schedule.
DRIFT_S: Final = 0.01
#: The same where messages are only spread out.
_SPREAD_DRIFT_S: Final = 0.5
#: Grants this close together, as a share of the period, may be remembered as one.
_GRAIN: Final = 1 / 50
#: A limit this close to a whole number is rounded down to it, as a share.
_WHOLE: Final = 0.98
#: A delivery wants its share if it asked within these seconds, or the time of a few parts.
_ACTIVE_S: Final = 1.0
_ACTIVE_PARTS: Final = 3.0
#: Seconds for which a delivery that has had more than its share is remembered.
_REMEMBERED_S: Final = 60.0
#: What a delivery may catch up with: seconds of the whole rate, or parts if those are more.
_CREDIT_S: Final = 0.25
_CREDIT_PARTS: Final = 4.0
#: The least share of a limit that throttling leaves.
LEAST_FACTOR: Final = 1 / 64
#: Seconds for which a gateway can close a bucket, at the most.
LONGEST_CLOSED_S: Final = 3600.0
#: Seconds from nothing to the whole limit; and how many of them may be made up for at once.
_RECOVERY_S: Final = 60.0
_MOST_GROWN_S: Final = 5.0
#: A rate that was learnt is forgotten when the gateway takes this many times as much.
_FORGET_LEARNT_AT: Final = 4.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Limit:
    """The most that may leave through one bucket."""

    bucket: str
    #: Most parts, 1 or more, ...
    parts: int
    #: ... handed over within any so many seconds, 1 or more.
    over_s: float
    #: False: it spreads messages out; a little more now and then does no harm.
    is_strict: bool = True

    @classmethod
    def of(cls, bucket: str, parts_per_s: float) -> Self:
        """
        Make the strict limit of *parts_per_s*, above 0.

        A limit that is no whole number holds over more than a second.

        Example:
            >>> Limit.of("b", 50)
            Limit(bucket='b', parts=50, over_s=1.0, is_strict=True)
            >>> Limit.of("b", 0.1).over_s, Limit.of("b", 1.5).parts, Limit.of("b", 50.5).parts
            (10.0, 2, 50)
        """
        whole = math.floor(parts_per_s)
        if whole >= _WHOLE * parts_per_s:
            return cls(bucket=bucket, parts=whole, over_s=1.0)
        parts = math.ceil(parts_per_s)
        return cls(bucket=bucket, parts=parts, over_s=parts / parts_per_s)

    @classmethod
    def spread(cls, bucket: str, parts_per_s: float) -> Self:
        """Make a limit that spreads messages evenly at *parts_per_s*, above 0."""
        return cls(bucket=bucket, parts=1, over_s=1 / parts_per_s, is_strict=False)

    @property
    def part_s(self) -> float:
        """Seconds between two parts."""
        slack = LATE_S + DRIFT_S if self.is_strict else 0.0
        return (self.over_s + slack) / self.parts


def earliest(bucket: Bucket, limit: Limit, parts: int, *, not_before: float) -> float:
    """Find the first moment, from *not_before* on, for a message of *parts* parts."""
    moment = max(bucket.next_at, bucket.closed_until, not_before)
    if parts == 1 or not limit.is_strict:
        return moment
    room = limit.parts - min(parts, limit.parts)
    counted = sorted(item for item in bucket.recent if item[0] > moment)
    held = sum(own for _, own in counted)
    for until, own in counted:
        if held <= room:
            break
        moment, held = until, held - own
    return moment


def take(bucket: Bucket, limit: Limit, parts: int, *, moment: float, doubt_s: float = 0.0) -> None:
    """
    Give *moment* to a message of *parts* parts: never before what ``earliest`` found.

    A message larger than the limit gets as many whole periods to itself as it needs.

    Args:
        doubt_s: Seconds that the hand-over may come even later than ``LATE_S``.
    """
    span = parts * (limit.part_s + doubt_s / limit.parts)
    if parts > limit.parts:
        span = math.ceil(parts / limit.parts) * (limit.parts * limit.part_s + doubt_s)
    drift_s = DRIFT_S if limit.is_strict else _SPREAD_DRIFT_S
    bucket.next_at = max(bucket.next_at, moment - drift_s) + span / bucket.factor
    if limit.is_strict:
        counts_s = limit.over_s + LATE_S + doubt_s
        _remember(bucket, parts, moment=moment, counts_s=counts_s, grain_s=_GRAIN * limit.over_s)


def end_grant(bucket: Bucket, limit: Limit, *, doubt_s: float) -> None:
    """Leave what follows the distance it needs of messages that may come *doubt_s* later."""
    if limit.is_strict:
        bucket.next_at += doubt_s


def _remember(
    bucket: Bucket, parts: int, *, moment: float, counts_s: float, grain_s: float
) -> None:
    """Count *parts* for *counts_s* seconds: never for less, and at most a grain longer."""
    until, recent = moment + counts_s, bucket.recent
    if len(recent) > 1 and until - recent[-2][0] < grain_s:
        last_until, last_parts = recent[-1]
        recent[-1] = (max(until, last_until), parts + last_parts)
    else:
        recent.append((until, parts))


def forget_passed(bucket: Bucket, *, now: float) -> None:
    """Drop what counts no more for moments from *now* on."""
    bucket.recent = [item for item in bucket.recent if item[0] > now]


def _since(bucket: Bucket, limit: Limit, now: float) -> float:
    """From when on a delivery must have asked to count as one that wants its share."""
    return now - max(_ACTIVE_S, _ACTIVE_PARTS * limit.part_s / bucket.factor)


def _rivals(bucket: Bucket, limit: Limit, flow: str, now: float) -> list[float]:
    """List the virtual times of the other deliveries that want their share."""
    since = _since(bucket, limit, now)
    return [
        max(own, bucket.virtual)
        for other, (own, seen_at) in bucket.flows.items()
        if other != flow and seen_at >= since
    ]


def tag_of(bucket: Bucket, limit: Limit, flow: str, *, now: float) -> float:
    """
    Find the virtual time of *flow*: the parts it has had, divided by its priority.

    One that has not asked for a while begins where the others stand: it catches up with nothing.
    """
    own, seen_at = bucket.flows.get(flow, (0.0, 0.0))
    if seen_at < _since(bucket, limit, now):
        own = max(own, min(_rivals(bucket, limit, flow, now), default=0.0))
    return max(own, bucket.virtual)


def is_ahead(bucket: Bucket, limit: Limit, flow: str, *, now: float) -> bool:
    """Say whether another delivery that wants its share has had less than *flow*."""
    own = tag_of(bucket, limit, flow, now=now)
    return any(theirs < own for theirs in _rivals(bucket, limit, flow, now))


def note_flow(
    bucket: Bucket, limit: Limit, flow: str, *, parts: int, priority: int, now: float
) -> None:
    """Note that *flow* asked, and that it was given *parts* parts, perhaps none."""
    tag = tag_of(bucket, limit, flow, now=now)
    if parts:
        credit = max(_CREDIT_S / limit.part_s, _CREDIT_PARTS)
        bucket.virtual = max(bucket.virtual, tag - credit)
    bucket.flows[flow] = (tag + parts / priority, now)
    since = _since(bucket, limit, now)
    bucket.flows = {
        other: (own, seen_at)
        for other, (own, seen_at) in bucket.flows.items()
        if seen_at >= since or (own > bucket.virtual and seen_at >= now - _REMEMBERED_S)
    }


def throttle(bucket: Bucket, *, now: float, retry_after_s: float | None) -> None:
    """Halve what is used of the limit, at most once a second; close it for *retry_after_s*."""
    if now - bucket.throttled_at >= 1:
        bucket.factor = max(bucket.factor / 2, LEAST_FACTOR)
        bucket.throttled_at = bucket.changed_at = now
    if retry_after_s is not None:
        until = now + min(retry_after_s, LONGEST_CLOSED_S)
        bucket.closed_until = max(bucket.closed_until, until)


def grow(bucket: Bucket, *, now: float) -> None:
    """
    Use a little more of the limit, for messages are accepted: all of it a minute after the least.

    A learnt rate grows on until nothing is left of it: the gateway takes four times as much.
    """
    since_s = now - bucket.changed_at
    most = _FORGET_LEARNT_AT if bucket.learnt else 1.0
    if since_s < 1 or bucket.factor >= most:
        return
    bucket.factor = min(most, bucket.factor + min(since_s, _MOST_GROWN_S) / _RECOVERY_S)
    bucket.changed_at = now
    if bucket.factor >= _FORGET_LEARNT_AT:
        bucket.learnt, bucket.factor = 0.0, 1.0
