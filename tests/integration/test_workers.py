"""Several workers on one delivery: none sends what another has, and each can be lost."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import pytest

from smsflow_provider.core.delivery.outlet import GatewayLimits
from smsflow_provider.core.delivery.report import report
from smsflow_provider.core.delivery.send import send
from smsflow_provider.core.delivery.window import WindowSettings
from smsflow_provider.core.errors import SupersededError
from smsflow_provider.core.model import OutcomeKind
from smsflow_provider.core.store.connection import Store
from smsflow_provider.core.store.deliveries import Delivery, find_delivery
from smsflow_provider.core.store.lease import GATE, claim
from smsflow_provider.core.store.ledger import Ledger
from smsflow_provider.core.store.ledger_rows import Settled
from smsflow_provider.testing.gateway import RecordingGateway
from tests.prepared_delivery import approve, make_prepared
from tests.sending import check_sums, make_sender, run_send, tick


def make_begun(store: Store, *, count: int) -> Delivery:
    make_prepared(store, count=count)
    approve(store)
    ledger = claim_one(store, owner="first")
    ledger.begin(actor="first")
    ledger.release()
    return find_delivery(store, "d1")


def claim_one(store: Store, *, owner: str, lease_s: float = 10) -> Ledger:
    ledger = claim(store, find_delivery(store, "d1"), owner=owner, lease_s=lease_s)
    assert ledger is not None
    return ledger


async def send_together(store: Store, gateways: list[RecordingGateway]) -> list[dict[str, Any]]:
    senders = [
        make_sender(gateway, owner=f"worker {n}", connections=2)
        for n, gateway in enumerate(gateways)
    ]
    return await asyncio.gather(*(send(store, "d1", sender) for sender in senders))


def chunks_of(store: Store) -> list[dict[str, Any]]:
    with store.transaction() as connection:
        return connection.execute("SELECT * FROM smsflow_chunks ORDER BY chunk").fetchall()


def test_four_workers_share_a_delivery_and_nothing_leaves_twice(store: Store) -> None:
    make_prepared(store, count=8_500)
    approve(store)
    gateways = [RecordingGateway(delay_s=0.05) for _ in range(4)]

    results = asyncio.run(send_together(store, gateways))

    assert ["finished"] * 4 == [result["state"] for result in results]
    sent = [message.id for gateway in gateways for message in gateway.messages]
    assert (8_500, 8_500) == (len(sent), len(set(sent)))
    assert all(gateway.messages for gateway in gateways)
    check_sums(report(store, "d1"))
    assert {(None, 0)} == {(chunk["epoch"], chunk["waiting"]) for chunk in chunks_of(store)}


def test_a_lost_worker_is_found_by_one_that_is_alive_and_its_chunk_goes_on(store: Store) -> None:
    make_begun(store, count=1_500)
    lost = claim_one(store, owner="lost")
    _, taken = tick(lost, wanted=30)
    tick(lost, settled=[Settled(one.position, 0, OutcomeKind.ACCEPTED) for one in taken[:10]])
    lost._connection.close()

    result = run_send(store, RecordingGateway(), lease_s=0.3)

    assert ("finished", 1_480, 20) == (result["state"], result["accepted"], result["unknown"])
    check_sums(result)


def test_a_superseded_worker_writes_nothing(store: Store) -> None:
    make_begun(store, count=100)
    old = claim_one(store, owner="old")
    _, taken = tick(old, wanted=10)
    other = claim_one(store, owner="new", lease_s=0.0)

    with pytest.raises(SupersededError):
        tick(old, settled=[Settled(one.position, 0, OutcomeKind.ACCEPTED) for one in taken])
    with pytest.raises(SupersededError):
        old.lease_chunk(until=None)

    assert 10 == report(store, "d1")["unknown"]
    old.release()
    other.release()


def test_what_waits_for_another_attempt_survives_its_worker(store: Store) -> None:
    make_begun(store, count=20)
    first = claim_one(store, owner="first")
    _, taken = tick(first, wanted=20)
    tick(first, settled=[Settled(one.position, 0, OutcomeKind.NOT_SENT) for one in taken])
    assert [(20, 21)] == [(chunk["waiting"], chunk["next_position"]) for chunk in chunks_of(store)]
    first._connection.close()
    gateway = RecordingGateway()

    result = run_send(store, gateway, lease_s=0.2)

    assert ("finished", 20) == (result["state"], result["accepted"])
    assert 20 == len(gateway.messages)
    assert [0] == [chunk["waiting"] for chunk in chunks_of(store)]


def test_chunks_of_a_worker_that_ends_are_free_at_once(store: Store) -> None:
    make_begun(store, count=2_500)
    first = claim_one(store, owner="first")
    first.lease_chunk(until=None)
    assert [True, False, False] == [bool(chunk["epoch"]) for chunk in chunks_of(store)]

    first.release()

    assert [None] * 3 == [chunk["epoch"] for chunk in chunks_of(store)]


def test_a_wave_ends_in_the_middle_of_a_chunk(store: Store) -> None:
    make_begun(store, count=2_500)
    ledger = claim_one(store, owner="first")

    one = ledger.lease_chunk(until=1_200)
    two = ledger.lease_chunk(until=1_200)
    three = ledger.lease_chunk(until=1_200)

    assert one is not None
    assert two is not None
    assert (1000, 200, None) == (len(one[0]), len(two[0]), three)
    ledger.release()


def test_a_sender_of_the_former_version_keeps_others_out_while_it_lives(store: Store) -> None:
    make_begun(store, count=5)
    hold_gate(store, owner="former", seconds_ago=1)

    assert claim(store, find_delivery(store, "d1"), owner="new", lease_s=10) is None


def test_what_a_sender_of_the_former_version_left_is_settled(store: Store) -> None:
    """It marked three messages; one was accepted, one was not taken, of one nothing is known."""
    delivery = make_begun(store, count=5)
    hold_gate(store, owner="former", seconds_ago=60)
    with store.transaction() as connection:
        for position in (1, 2, 3):
            connection.execute(
                "INSERT INTO smsflow_marks (preparation, position, attempt, epoch)"
                " VALUES (%s, %s, 0, 7)",
                (delivery.preparation, position),
            )
        for position, kind in ((1, "accepted"), (2, "not_sent")):
            connection.execute(
                "INSERT INTO smsflow_outcomes (preparation, position, attempt, kind)"
                " VALUES (%s, %s, 0, %s)",
                (delivery.preparation, position, kind),
            )
        connection.execute("UPDATE smsflow_chunks SET next_position = 4, accepted = 1")
    gateway = RecordingGateway()

    result = run_send(store, gateway)

    assert ("finished", 4, 1) == (result["state"], result["accepted"], result["unknown"])
    assert {"2", "4", "5"} == {message.id.rpartition("-")[2] for message in gateway.messages}
    check_sums(result)


def test_a_sender_of_the_former_version_cannot_take_what_is_being_sent(store: Store) -> None:
    """Its claim, as it was written: it takes lane 0 when nobody holds it."""
    make_begun(store, count=5)
    ledger = claim_one(store, owner="new")
    with store.transaction() as connection:
        taken = connection.execute(
            "UPDATE smsflow_leases SET owner = 'former', epoch = epoch + 1,"
            " heartbeat_at = clock_timestamp() WHERE lane = 0 AND (owner = ''"
            " OR heartbeat_at IS NULL OR heartbeat_at < clock_timestamp() - interval '10 s')"
        ).rowcount
        gate = connection.execute("SELECT owner FROM smsflow_leases WHERE lane = 0").fetchone()

    assert (0, {"owner": GATE}) == (taken, gate)
    ledger.release()


def test_a_worker_that_a_sender_of_the_former_version_has_replaced_writes_nothing(
    store: Store,
) -> None:
    """Frozen for longer than a lease, it wakes up; its own lane is as it was."""
    make_begun(store, count=5)
    ledger = claim_one(store, owner="new")
    _, taken = tick(ledger, wanted=2)
    hold_gate(store, owner="former", seconds_ago=0)
    ledger._gate_at -= 60

    with pytest.raises(SupersededError):
        tick(ledger, settled=[Settled(one.position, 0, OutcomeKind.ACCEPTED) for one in taken])

    with store.transaction() as connection:
        gate = connection.execute("SELECT owner FROM smsflow_leases WHERE lane = 0").fetchone()
    assert {"owner": "former"} == gate
    ledger.release()


def test_a_sender_of_the_former_version_that_wakes_up_finds_another_epoch(store: Store) -> None:
    """Its sign of life, as it was written: it looks at the epoch of lane 0."""
    make_begun(store, count=5)
    hold_gate(store, owner="former", seconds_ago=60)
    ledger = claim_one(store, owner="new")

    with store.transaction() as connection:
        held = connection.execute(
            "UPDATE smsflow_leases SET heartbeat_at = clock_timestamp()"
            " WHERE lane = 0 AND epoch = 7 AND owner <> ''"
        ).rowcount

    assert 0 == held
    ledger.release()


def hold_gate(store: Store, *, owner: str, seconds_ago: int) -> None:
    """Hold lane 0 as a sender of the former version does."""
    with store.transaction() as connection:
        connection.execute(
            "UPDATE smsflow_leases SET owner = %s, epoch = 7,"
            " heartbeat_at = clock_timestamp() - %s * interval '1 second' WHERE lane = 0",
            (owner, seconds_ago),
        )


@pytest.mark.parametrize("workers", [1, 2])
def test_workers_under_one_limit_never_exceed_it_in_any_second(store: Store, workers: int) -> None:
    """Two deliveries through one connection, for some seconds."""
    for name in ("d1", "d2"):
        make_prepared(store, count=2_000, delivery_id=name)
        approve(store, name)
    moments: list[float] = []
    gateway = RecordingGateway(before=lambda batch: moments.extend([time.monotonic()] * len(batch)))
    limits = GatewayLimits(connections=4, parts_per_s=50.0)

    async def play() -> None:
        senders = [
            make_sender(
                gateway,
                owner=f"{name} {n}",
                limits_of=lambda _: limits,
                window=WindowSettings(),
                is_interrupted=lambda: len(moments) >= 300,
            )
            for name in ("d1", "d2")
            for n in range(workers)
        ]
        names = [sender.owner[:2] for sender in senders]
        sending = [send(store, name, one) for name, one in zip(names, senders, strict=True)]
        await asyncio.gather(*sending, return_exceptions=True)

    asyncio.run(play())

    assert [] == gateway.repeated()
    assert most_in_a_second(moments) <= 50
    lasted_s = moments[-1] - moments[0]
    assert len(moments) >= 0.5 * 50 * lasted_s


def most_in_a_second(moments: list[float]) -> int:
    """Count the most of *moments*, in order, within any sliding second."""
    most = first = 0
    for last, moment in enumerate(moments):
        while moments[first] <= moment - 1.0:
            first += 1
        most = max(most, last - first + 1)
    return most
