"""Whose turn it is: shares by priority, whatever the number of workers; no bucket idles."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from smsflow_provider.core.delivery.pace_bucket import LATE_S, Limit
from smsflow_provider.core.delivery.pace_grant import Parcel, Turn, grant
from smsflow_provider.core.store.pace import Bucket
from tests.core.delivery.pace_play import LEAD_S, Player, fullest, play


def stream(*parts: int, sender: str = "ACME") -> Iterator[Parcel]:
    """Messages without end."""
    return (Parcel(own, sender) for own in itertools.cycle(parts))


def make_workers(
    flow: str,
    limit: float,
    *,
    count: int = 1,
    priority: int = 1,
    parts: Sequence[int] = (1,),
    begins_at: float = 0.0,
) -> list[Player]:
    """Make the workers of one delivery under one account limit."""
    account = Limit.of("account", limit)
    return [
        Player(
            flow=flow,
            parcels=stream(*parts),
            limits_of=lambda _: [account],
            priority=priority,
            begins_at=begins_at,
            most_parts=max(1, int(limit * max(0.02, min(0.1, 0.2 / count)))),
        )
        for _ in range(count)
    ]


def parts_of(players: Sequence[Player], *, since: float, until: float) -> int:
    """Count the parts that left in some seconds."""
    granted = [item for one in players for item in one.granted]
    return sum(parts for moment, parts, _ in granted if since <= moment < until)


@pytest.mark.parametrize(("limit", "until"), [(10.0, 33.0), (50.0, 23.0), (400.0, 11.0)])
@pytest.mark.parametrize(("workers", "others"), [(1, 1), (16, 1), (1, 16)])
@pytest.mark.parametrize("priority", [1, 3, 10])
def test_deliveries_share_by_their_priorities(
    limit: float, until: float, workers: int, others: int, priority: int
) -> None:
    low = make_workers("low", limit, count=workers)
    high = make_workers("high", limit, count=others, priority=priority)
    play([*low, *high], until=until + 1)
    shares = [parts_of(one, since=2, until=until) for one in (low, high)]

    assert shares[1] / shares[0] == pytest.approx(priority, rel=0.1)
    assert sum(shares) >= 0.95 * limit * (until - 2)


def test_at_one_part_a_second_too() -> None:
    low, high = make_workers("low", 1, count=16), make_workers("high", 1, priority=3)
    play([*low, *high], until=200)

    ratio = parts_of(high, since=5, until=200) / parts_of(low, since=5, until=200)
    assert ratio == pytest.approx(3, rel=0.1)


@pytest.mark.parametrize("limit", [10.0, 50.0, 1000.0])
def test_a_new_delivery_has_its_share_within_a_second(limit: float) -> None:
    old = make_workers("old", limit, count=16, priority=1)
    new = make_workers("new", limit, begins_at=10.0)
    play([*old, *new], until=20)

    assert parts_of(new, since=10, until=11) >= 0.25 * limit
    assert parts_of(new, since=11, until=12) >= 0.4 * limit


def test_a_slow_delivery_holds_nobody_up() -> None:
    """One that asks for little leaves the rest to the other, priority or not."""
    fast = make_workers("fast", 100)
    slow = make_workers("slow", 100, priority=10)
    account = Limit.of("account", 100)
    slow[0].limits_of = lambda _: [account, Limit.spread("delivery slow", 3)]
    play([*fast, *slow], until=30)

    assert parts_of(slow, since=2, until=28) == pytest.approx(3 * 26, rel=0.1)
    assert parts_of([*fast, *slow], since=2, until=28) >= 0.95 * 100 * 26


@pytest.mark.parametrize(("slow", "reaches"), [(1, 0.85), (5, 0.9), (20, 0.95)])
def test_a_slow_sender_holds_no_other_up(slow: int, reaches: float) -> None:
    account = Limit.of("account", 50)
    players = [
        Player(
            flow=sender,
            parcels=stream(1, sender=sender),
            limits_of=lambda one: [account, Limit.of(f"sender {one}", slow if one == "S" else 100)],
            most_parts=5,
        )
        for sender in ("S", "F")
    ]
    play(players, until=30)

    assert parts_of(players[:1], since=2, until=28) >= reaches * slow * 26
    assert parts_of(players, since=2, until=28) >= 0.95 * 50 * 26


def test_senders_reach_their_own_limits_below_that_of_the_account() -> None:
    account = Limit.of("account", 100)
    players = [
        Player(
            flow=str(number),
            parcels=stream(1, sender=str(number)),
            limits_of=lambda one: [account, Limit.of(f"sender {one}", 10)],
            most_parts=1,
        )
        for number in range(5)
    ]
    play(players, until=30)

    for one in players:
        assert parts_of([one], since=2, until=28) >= 0.95 * 10 * 26


def test_moments_are_granted_a_moment_ahead_and_no_more() -> None:
    account, bucket = Limit.of("account", 50), Bucket(next_at=0.0)
    parcels = [Parcel(1, "ACME")] * 1000
    turn = Turn(flow="1", priority=1, most_parts=1000, lead_s=LEAD_S)
    granted = grant(
        parcels, limits_of=lambda _: [account], buckets={"account": bucket}, turn=turn, now=100.0
    )
    again = grant(
        parcels, limits_of=lambda _: [account], buckets={"account": bucket}, turn=turn, now=100.0
    )

    assert 100.1 == granted.moments[0]
    assert granted.moments[-1] < 100.5
    assert () == again.moments
    assert 0 < again.wait_s < 0.5


@given(
    limit=st.sampled_from([0.5, 1.0, 3.0, 4.0, 10.0, 50.0, 200.0]),
    mixes=st.lists(st.lists(st.integers(1, 6), min_size=1, max_size=4), min_size=1, max_size=4),
    sender_limit=st.sampled_from([0.0, 1.0, 5.0, 40.0]),
    count=st.integers(1, 4),
)
@settings(deadline=None, max_examples=30)
def test_no_mix_of_deliveries_and_workers_exceeds_a_limit(
    limit: float, mixes: list[list[int]], sender_limit: float, count: int
) -> None:
    account = Limit.of("account", limit)
    per_sender = [Limit.of("sender", sender_limit)] if sender_limit else []
    players = [
        Player(
            flow=str(place),
            parcels=stream(*parts),
            limits_of=lambda _: [account, *per_sender],
            priority=place + 1,
            begins_at=place * 0.7,
            most_parts=max(1, int(limit * 0.1)),
        )
        for place, parts in enumerate(mixes)
        for _ in range(count)
    ]
    play(players, until=12)
    handed = [(moment, parts) for one in players for moment, parts, _ in one.granted]

    for own in (account, *per_sender):
        assert own.parts >= fullest(handed, over_s=own.over_s + LATE_S - 1e-6)
