"""The arithmetic of a limit: no sliding second too full, whatever leaves and however late."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smsflow_provider.core.delivery.pace_bucket import (
    DRIFT_S,
    LATE_S,
    LEAST_FACTOR,
    Limit,
    earliest,
    end_grant,
    grow,
    take,
    throttle,
)
from smsflow_provider.core.store.pace import Bucket
from tests.core.delivery.pace_play import fullest

LIMITS = st.one_of(
    st.integers(1, 300).map(float),
    st.sampled_from([0.1, 0.5, 1.5, 7.5, 50.5, 1000.0]),
)
#: Rounding of a store that keeps microseconds.
TINY_S = 1e-6


@dataclass(frozen=True)
class Step:
    """One message: its parts, how long after the last one it comes, how late it leaves."""

    parts: int
    pause_s: float
    late: float
    #: More lateness than is allowed for, as by a store that is far away.
    doubt_s: float


STEPS = st.lists(
    st.builds(
        Step,
        parts=st.one_of(st.just(1), st.integers(1, 8)),
        pause_s=st.one_of(st.just(0.0), st.floats(0, 0.3), st.floats(0, 3)),
        late=st.floats(0, 1),
        doubt_s=st.one_of(st.just(0.0), st.just(0.0), st.floats(0, 0.05)),
    ),
    min_size=2,
    max_size=150,
)


def hand_over(limit: Limit, steps: list[Step], *, factor: float = 1.0) -> list[tuple[float, int]]:
    """Let messages leave, each within what is allowed after its moment: (when, parts)."""
    bucket = Bucket(next_at=0.0, factor=factor)
    now, handed = 0.0, []
    for step in steps:
        now += step.pause_s * (step.pause_s > DRIFT_S / 10)
        moment = earliest(bucket, limit, step.parts, not_before=now)
        take(bucket, limit, step.parts, moment=moment, doubt_s=step.doubt_s)
        end_grant(bucket, limit, doubt_s=step.doubt_s)
        handed.append((moment + step.late * (LATE_S + step.doubt_s - TINY_S), step.parts))
    return handed


@given(limit=LIMITS, steps=STEPS, factor=st.sampled_from([1.0, 1.0, 0.5, LEAST_FACTOR]))
def test_no_sliding_period_is_ever_too_full(limit: float, steps: list[Step], factor: float) -> None:
    own = Limit.of("b", limit)

    assert own.parts >= fullest(hand_over(own, steps, factor=factor), over_s=own.over_s - TINY_S)


@given(limit=LIMITS)
def test_a_period_allows_no_more_than_the_limit(limit: float) -> None:
    own = Limit.of("b", limit)

    assert 0.98 * limit <= own.parts / own.over_s <= limit * (1 + 1e-9)
    assert own.over_s >= 1
    assert own.parts <= math.ceil(limit)


@pytest.mark.parametrize("limit", [1.0, 2.0, 10.0, 50.0, 300.0, 1000.0, 20_000.0])
@pytest.mark.parametrize("late", [0.0, 0.5, 1.0])
def test_a_minute_of_short_messages_reaches_95_percent(limit: float, late: float) -> None:
    own = Limit.of("b", limit)
    bucket, count, moment = Bucket(next_at=0.0), 0, 0.0
    while (moment := earliest(bucket, own, 1, not_before=late * DRIFT_S)) < 10:
        take(bucket, own, 1, moment=moment)
        count += 1

    assert 0.95 * limit * 10 <= count <= limit * 10


def test_long_messages_lose_no_more_than_does_not_fit() -> None:
    """Three parts each, 50 a second: 16 messages fit into a second, not 16 and two thirds."""
    own, bucket, count = Limit.of("b", 50), Bucket(next_at=0.0), 0
    while (moment := earliest(bucket, own, 3, not_before=0.0)) < 60:
        take(bucket, own, 3, moment=moment)
        count += 3

    assert count >= 0.95 * 48 * 60


def test_idle_time_is_not_saved_up() -> None:
    own, bucket = Limit.of("b", 10), Bucket(next_at=0.0)
    moments = []
    for _ in range(5):
        moments.append(earliest(bucket, own, 1, not_before=1000.0))
        take(bucket, own, 1, moment=moments[-1])

    assert all(b - a >= own.part_s - DRIFT_S for a, b in pairwise(moments))
    assert moments[-1] - moments[0] >= 4 * own.part_s - DRIFT_S


def test_a_message_larger_than_the_limit_has_whole_seconds_to_itself() -> None:
    own, bucket = Limit.of("b", 2), Bucket(next_at=0.0)
    take(bucket, own, 1, moment=0.0)
    large = earliest(bucket, own, 5, not_before=0.0)
    take(bucket, own, 5, moment=large)

    assert large >= 1 + LATE_S
    assert earliest(bucket, own, 1, not_before=0.0) >= large + 3


def test_spreading_counts_parts_and_nothing_else() -> None:
    own, bucket = Limit.spread("d", 2), Bucket(next_at=0.0)
    take(bucket, own, 3, moment=0.0)

    assert earliest(bucket, own, 3, not_before=0.0) == pytest.approx(1.5)


def test_a_busy_gateway_halves_the_pace_once_a_second() -> None:
    bucket = Bucket(next_at=0.0)
    for now in (100.0, 100.1, 100.9, 101.0):
        throttle(bucket, now=now, retry_after_s=None)

    assert 0.25 == bucket.factor


def test_a_busy_gateway_never_silences_for_good() -> None:
    bucket = Bucket(next_at=0.0)
    for now in range(100):
        throttle(bucket, now=1000.0 + now, retry_after_s=1e9)

    assert LEAST_FACTOR == bucket.factor
    assert bucket.closed_until <= 1099 + 3600


def test_retry_after_closes_and_nothing_leaves_before() -> None:
    own, bucket = Limit.of("b", 10), Bucket(next_at=0.0)
    throttle(bucket, now=100.0, retry_after_s=7.0)

    assert 107.0 == earliest(bucket, own, 1, not_before=100.0)


def test_it_recovers_within_about_a_minute() -> None:
    bucket = Bucket(next_at=0.0)
    for now in range(10):
        throttle(bucket, now=100.0 + now, retry_after_s=None)
    seconds = 0
    while bucket.factor < 1:
        seconds += 1
        grow(bucket, now=109.0 + seconds)

    assert 55 <= seconds <= 65


def test_a_learnt_rate_is_forgotten_when_the_gateway_takes_much_more() -> None:
    bucket = Bucket(next_at=0.0, learnt=20.0)
    for now in range(1, 300):
        grow(bucket, now=100.0 + now)

    assert (0.0, 1.0) == (bucket.learnt, bucket.factor)


def test_a_clock_that_was_set_back_costs_nothing_and_gives_nothing() -> None:
    own, bucket = Limit.of("b", 10), Bucket(next_at=0.0, seen_at=1000.0)
    take(bucket, own, 3, moment=1000.0)
    ahead = bucket.next_at - 1000.0
    bucket.shift(-500.0)

    assert bucket.next_at == pytest.approx(500.0 + ahead)
    assert bucket.recent[0][0] == pytest.approx(501.0 + LATE_S)
