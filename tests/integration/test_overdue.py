"""A delivery whose validity is over ends, whoever is or is not there to end it."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from smsflow_provider.core.delivery.control import pause, resume
from smsflow_provider.core.delivery.overdue import close_overdue
from smsflow_provider.core.delivery.report import report
from smsflow_provider.core.delivery.send import send
from smsflow_provider.core.delivery.switch import switch_off
from smsflow_provider.core.errors import NotApprovedError
from smsflow_provider.core.states import DeliveryState
from smsflow_provider.core.store.connection import Store
from smsflow_provider.core.store.deliveries import find_delivery
from smsflow_provider.core.store.lease import claim
from smsflow_provider.testing.gateway import RecordingGateway
from tests.governed import lines_of, make_approved, make_going, mark, settle
from tests.sending import check_sums, make_sender, run_send


def let_pass(store: Store, hours: int) -> None:
    """Let some hours pass for every delivery and every approval."""
    with store.transaction() as connection:
        connection.execute(
            "UPDATE smsflow_deliveries SET moved_at = moved_at - %(h)s * interval '1 hour',"
            " expires_at = expires_at - %(h)s * interval '1 hour'",
            {"h": hours},
        )
        connection.execute(
            "UPDATE smsflow_approvals SET expires_at = expires_at - %s * interval '1 hour'",
            (hours,),
        )


def maintain(store: Store) -> int:
    """End what is overdue."""
    return close_overdue(store, actor="maintain")


def told(store: Store) -> dict[str, Any]:
    """Report, and make sure that it adds up."""
    found = report(store, "d1")
    check_sums(found)
    return found


def test_a_paused_delivery_whose_validity_is_over_ends_and_the_rest_expires(store: Store) -> None:
    delivery = make_going(store, count=10)
    mark(store, delivery, 1, 2)
    settle(store, delivery, "accepted", 1, 2)
    with store.transaction() as connection:
        connection.execute("UPDATE smsflow_chunks SET next_position = 3")
    pause(store, "d1", actor="ann")

    early = maintain(store)
    let_pass(store, 2)
    late = maintain(store)

    assert [0, 1, 0] == [early, late, maintain(store)]
    found = told(store)
    assert ("finished", 2, 8) == (found["state"], found["accepted"], found["expired"])
    assert [{"by": "maintain", "was": "person"}] == lines_of(store, delivery, "validity_over")
    assert "" == find_delivery(store, "d1").pause_reason


def test_whoever_resumes_one_whose_validity_is_over_sees_it_end(store: Store) -> None:
    delivery = make_going(store, count=10, sending={"waves": {"shares": ["10%"], "ask": True}})
    pause(store, "d1", actor="ann")
    let_pass(store, 2)

    resumed = resume(store, "d1", actor="bob")

    assert DeliveryState.FINISHED is resumed.state
    assert (10, "bob") == (told(store)["expired"], resumed.moved_by)
    assert [] == lines_of(store, delivery, "wave_begun")


def test_a_sender_that_waits_ends_a_paused_one_itself(store: Store) -> None:
    make_approved(store, count=1000)
    gateway = RecordingGateway(delay_s=0.02)

    async def play() -> dict[str, Any]:
        sending = asyncio.create_task(send(store, "d1", make_sender(gateway, connections=1)))
        async with asyncio.timeout(30):
            while not gateway.messages:  # noqa: ASYNC110  a fake has no event to wait for
                await asyncio.sleep(0.005)
            await asyncio.to_thread(pause, store, "d1", actor="ann")
            await asyncio.to_thread(let_pass, store, 2)
            ended = await asyncio.to_thread(maintain, store)
            assert 0 == ended
            return await sending

    found = asyncio.run(play())

    check_sums(found)
    assert ("finished", len(gateway.messages)) == (found["state"], found["accepted"])
    assert 0 < found["expired"] == 1000 - found["accepted"]


def test_one_whose_sender_is_lost_ends_with_its_doubts(store: Store) -> None:
    make_approved(store, count=5)
    lost = claim(store, find_delivery(store, "d1"), owner="lost", lease_s=10)
    assert lost is not None
    lost.begin(actor="lost")
    leased = lost.lease_chunk(until=None)
    assert leased is not None
    lost.tick(settled=[], leaving=[(one, 0) for one in leased[0][:2]])
    let_pass(store, 2)

    assert 0 == maintain(store)
    assert 1 == close_overdue(store, actor="maintain", lease_s=0.0)
    lost.release()
    found = told(store)
    assert ("finished", 2, 3) == (found["state"], found["unknown"], found["expired"])


def test_it_ends_while_everything_is_switched_off(store: Store) -> None:
    make_going(store, count=3)
    switch_off(store, reason="wrong price", actor="ann")
    let_pass(store, 2)

    assert 1 == maintain(store)
    assert ("finished", 3) == (told(store)["state"], told(store)["expired"])


def test_one_that_nobody_began_expires_after_its_validity_and_a_day(store: Store) -> None:
    make_approved(store, count=3)
    let_pass(store, 23)
    early = maintain(store)
    let_pass(store, 2)

    assert [0, 1] == [early, maintain(store)]
    assert DeliveryState.EXPIRED is find_delivery(store, "d1").state
    gateway = RecordingGateway()
    with pytest.raises(NotApprovedError, match="prepare it again"):
        run_send(store, gateway)
    assert [] == gateway.messages


def test_one_that_somebody_is_about_to_begin_is_left_to_them(store: Store) -> None:
    make_approved(store, count=3)
    let_pass(store, 25)
    ledger = claim(store, find_delivery(store, "d1"), owner="somebody", lease_s=10)
    assert ledger is not None

    assert 0 == maintain(store)
    ledger.release()
    assert DeliveryState.APPROVED is find_delivery(store, "d1").state
