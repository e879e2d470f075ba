"""Sending on a real store: what leaves, how often, and what is known afterwards."""

from __future__ import annotations

import asyncio
import time
import traceback
from collections.abc import Sequence

import pytest

from smsflow_provider.core.clock import utc_now
from smsflow_provider.core.delivery.control import pause, resume, stop
from smsflow_provider.core.delivery.report import report
from smsflow_provider.core.delivery.send import close_stopped, send
from smsflow_provider.core.errors import (
    GatewayError,
    IllegalMoveError,
    NotApprovedError,
    NotSentError,
    RefusedError,
    SendInterruptedError,
    SupersededError,
)
from smsflow_provider.core.gateways.base import Feature, Gateway
from smsflow_provider.core.model import (
    Message,
    Outcome,
    OutcomeKind,
    ReceiptKind,
    message_id_of,
)
from smsflow_provider.core.states import DeliveryState
from smsflow_provider.core.store.connection import Store
from smsflow_provider.core.store.deliveries import find_delivery
from smsflow_provider.core.store.lease import LANES, claim
from smsflow_provider.core.store.opt_outs import add_opt_outs
from smsflow_provider.core.store.receipts import (
    ReceivedReceipt,
    append_receipts,
    apply_all_receipts,
)
from smsflow_provider.testing.gateway import RecordingGateway
from tests.prepared_delivery import approve, make_prepared
from tests.sending import check_sums, make_sender, run_send, tick


def test_every_message_leaves_once_with_its_own_content(store: Store) -> None:
    delivery = make_prepared(store, count=2500)
    approve(store)
    gateway = RecordingGateway()

    result = run_send(store, gateway)

    assert ("finished", 2500, 0) == (result["state"], result["accepted"], result["waiting"])
    check_sums(result)
    assert [] == gateway.repeated()
    sent = {message.id: message for message in gateway.messages}
    for n in (1, 1000, 1001, 2500):
        message = sent[message_id_of(delivery.no, delivery.preparation, n)]
        assert (f"+{33600000000 + n}", f"Hello {n}") == (message.to, message.body)
        assert message.callback_url == f"http://x/sms_simulator?m={message.id}"
        assert message.expires_at is not None
        assert message.expires_at > utc_now()


def test_nothing_leaves_without_an_approval(store: Store) -> None:
    make_prepared(store, count=5)
    gateway = RecordingGateway()

    with pytest.raises(NotApprovedError, match="nobody approved"):
        run_send(store, gateway)
    assert [] == gateway.messages


def test_an_approval_of_an_earlier_preparation_sends_nothing(store: Store) -> None:
    make_prepared(store, count=5)
    approve(store)
    make_prepared(store, count=5)
    gateway = RecordingGateway()

    with pytest.raises(NotApprovedError, match="nobody approved"):
        run_send(store, gateway)
    assert [] == gateway.messages


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE smsflow_messages SET body = 'Hi' WHERE position = 3",
        "UPDATE smsflow_messages SET phone = 33699999999 WHERE position = 3",
        "DELETE FROM smsflow_messages WHERE position = 3",
        'UPDATE smsflow_deliveries SET settings = \'{"region": "DE"}\'',
        'UPDATE smsflow_deliveries SET template = \'{"name": "other"}\'',
    ],
)
def test_rows_changed_after_the_approval_send_nothing(store: Store, change: str) -> None:
    make_prepared(store, count=5)
    approve(store)
    with store.transaction() as connection:
        connection.execute(change.encode())
    gateway = RecordingGateway()

    with pytest.raises(NotApprovedError, match="not those that were approved"):
        run_send(store, gateway)
    assert [] == gateway.messages
    assert DeliveryState.APPROVED is find_delivery(store, "d1").state


def test_an_approval_that_has_run_out_sends_nothing(store: Store) -> None:
    make_prepared(store, count=5)
    approve(store)
    with store.transaction() as connection:
        connection.execute("UPDATE smsflow_approvals SET expires_at = now() - interval '1 s'")
    gateway = RecordingGateway()

    with pytest.raises(NotApprovedError, match="run out"):
        run_send(store, gateway)
    assert [] == gateway.messages


def test_a_finished_delivery_is_left_alone(store: Store) -> None:
    make_prepared(store, count=5)
    approve(store)
    run_send(store, RecordingGateway())
    again = RecordingGateway()

    result = run_send(store, again)

    assert ("finished", 5) == (result["state"], result["accepted"])
    assert [] == again.messages


def test_a_dry_run_hands_nothing_over(store: Store) -> None:
    make_prepared(store, count=1200, dry_run=True)
    approve(store)
    gateway = RecordingGateway()

    result = run_send(store, gateway)

    assert ("finished", 1200, 0) == (result["state"], result["cancelled"], result["accepted"])
    assert [{"kind": "cancelled", "code": "dry_run", "messages": 1200}] == result["causes"]
    check_sums(result)
    assert [] == gateway.messages


@pytest.mark.parametrize("scope", ["", "sender:ACME"])
def test_an_opt_out_since_the_preparation_is_honoured(store: Store, scope: str) -> None:
    make_prepared(store, count=3)
    approve(store)
    add_opt_outs(store, [33600000002], scope=scope)
    add_opt_outs(store, [33600000003], scope="sender:OTHER")
    gateway = RecordingGateway()

    result = run_send(store, gateway)

    assert (2, 1) == (result["accepted"], result["cancelled"])
    assert "+33600000002" not in {message.to for message in gateway.messages}
    assert "opted_out" == result["causes"][0]["code"]
    check_sums(result)


@pytest.mark.parametrize(("opted_out", "connections"), [((3,), 1), ((1, 2, 3, 4), 4)])
def test_a_whole_tick_of_opt_outs_is_not_taken_for_the_end(
    store: Store, opted_out: tuple[int, ...], connections: int
) -> None:
    make_prepared(store, count=1500)
    approve(store)
    with store.transaction() as connection:
        for n in opted_out:
            connection.execute(
                "INSERT INTO smsflow_opt_outs (phone) VALUES (%s)", (33600000000 + n,)
            )

    result = run_send(store, _one_by_one(RecordingGateway()), connections=connections)

    assert 1500 - len(opted_out) == result["accepted"]
    assert ("finished", len(opted_out), 0) == (
        result["state"],
        result["cancelled"],
        result["waiting"],
    )
    check_sums(result)


def test_only_numbers_on_the_allow_list_are_handed_over(store: Store) -> None:
    make_prepared(store, count=5)
    approve(store)
    gateway = RecordingGateway()

    result = run_send(store, gateway, allowed=frozenset({33600000004}))

    assert ["+33600000004"] == [message.to for message in gateway.messages]
    assert (1, 4) == (result["accepted"], result["cancelled"])
    assert "not_on_allow_list" == result["causes"][0]["code"]


def test_a_refused_message_has_failed_and_its_code_is_kept(store: Store) -> None:
    make_prepared(store, count=3)
    approve(store)
    refused = Outcome(message_id="", kind=OutcomeKind.FAILED, code="invalid_number")
    gateway = RecordingGateway(script=[refused])

    result = run_send(store, gateway, connections=1)

    assert (2, 1) == (result["accepted"], result["failed"])
    assert [{"kind": "failed", "code": "invalid_number", "messages": 1}] == result["causes"]


def test_a_message_in_doubt_is_never_sent_again(store: Store) -> None:
    make_prepared(store, count=3)
    approve(store)
    gateway = RecordingGateway(script=[OutcomeKind.UNKNOWN])

    result = run_send(store, gateway)

    assert (2, 1) == (result["accepted"], result["unknown"])
    assert [] == gateway.repeated()
    check_sums(result)


def test_what_the_gateway_certainly_did_not_take_goes_again(store: Store) -> None:
    make_prepared(store, count=3)
    approve(store)
    gateway = RecordingGateway(script=[NotSentError("no route", code="connect_refused")] * 4)

    result = run_send(store, gateway)

    assert 3 == result["accepted"]
    assert 7 == len(gateway.messages)
    check_sums(result)


def test_a_wrong_password_stops_the_sender_and_fails_nobody(store: Store) -> None:
    make_prepared(store, count=700)
    approve(store)
    refused = Outcome(message_id="", kind=OutcomeKind.FAILED, code="authorization")

    with pytest.raises(RefusedError, match="mend its connection") as caught:
        run_send(store, RecordingGateway(script=[refused] * 10_000))
    halfway = report(store, "d1")
    mended = RecordingGateway()
    result = run_send(store, mended)

    assert "authorization" == caught.value.facts["code"]
    assert ("sending", 0, 700) == (halfway["state"], halfway["failed"], halfway["waiting"])
    assert ("finished", 700) == (result["state"], result["accepted"])
    assert [] == mended.repeated()
    check_sums(result)


def test_a_gateway_that_breaks_its_word_ends_the_send_with_its_messages_in_doubt(
    store: Store,
) -> None:
    make_prepared(store, count=300)
    approve(store)
    calls: list[int] = []

    def explode(batch: Sequence[Message]) -> None:
        calls.append(len(batch))
        if len(calls) == 2:
            raise ValueError(f"cannot read {batch[0].to}: {batch[0].body}")

    with pytest.raises(GatewayError, match="broke its word") as caught:
        run_send(store, RecordingGateway(before=explode), connections=1)
    trace = "".join(traceback.format_exception(caught.value))
    assert "ValueError" == caught.value.facts["kind"]
    assert "cannot read" not in trace
    halfway = report(store, "d1")
    result = run_send(store, RecordingGateway())

    assert ("sending", 100, 100) == (halfway["state"], halfway["accepted"], halfway["unknown"])
    assert ("finished", 200, 100) == (result["state"], result["accepted"], result["unknown"])
    check_sums(result)


def test_a_message_that_cannot_be_written_ends_the_send_when_its_tick_has_ended(
    store: Store,
) -> None:
    """Written while the store marks it: the ledger may not be let go of in the middle of that."""
    make_prepared(store, count=3000)
    approve(store)
    broken = RecordingGateway()

    def address_of(_: str, message_id: str) -> str:
        if message_id.endswith("-3e9"):
            raise LookupError("no address")
        return "http://x"

    with pytest.raises(LookupError):
        run_send(store, broken, callback_url_of=address_of)
    gateway = RecordingGateway()
    result = run_send(store, gateway)

    check_sums(result)
    assert "finished" == result["state"]
    sent = [message.id for message in (*broken.messages, *gateway.messages)]
    assert len(set(sent)) == len(sent) == 3000 - result["unknown"] < 3000


def test_stopping_cancels_what_waits_for_another_attempt_too(store: Store) -> None:
    make_prepared(store, count=5)
    approve(store)
    gateway = RecordingGateway(script=[NotSentError("down", code="connect_refused")] * 10_000)
    with pytest.raises(SendInterruptedError):
        run_send(store, gateway, is_interrupted=lambda: len(gateway.messages) >= 5)
    stop(store, "d1", actor="boss")

    assert close_stopped(store, "d1", actor="boss")
    result = report(store, "d1")

    assert ("stopped", 5, 0) == (result["state"], result["cancelled"], result["waiting"])
    check_sums(result)


def test_an_interrupted_sender_leaves_nothing_in_doubt_and_the_next_goes_on(store: Store) -> None:
    make_prepared(store, count=300)
    approve(store)
    gateway = RecordingGateway(delay_s=0.005)

    with pytest.raises(SendInterruptedError):
        run_send(store, _one_by_one(gateway), is_interrupted=lambda: len(gateway.messages) >= 50)
    halfway = report(store, "d1")
    result = run_send(store, _one_by_one(gateway))

    assert ("sending", 0) == (halfway["state"], halfway["unknown"])
    assert 50 <= halfway["accepted"] < 300
    assert ("finished", 300) == (result["state"], result["accepted"])
    assert [] == gateway.repeated()
    check_sums(result)


def test_pausing_silences_the_sender_and_resuming_sends_the_rest(store: Store) -> None:
    make_prepared(store, count=300)
    approve(store)
    gateway = RecordingGateway(delay_s=0.005)

    async def play() -> tuple[int, int]:
        sending = asyncio.create_task(send(store, "d1", make_sender(_one_by_one(gateway))))
        await _until_sent(gateway, 50)
        await asyncio.to_thread(pause, store, "d1", actor="boss")
        await asyncio.sleep(0.3)
        held = len(gateway.messages)
        await asyncio.sleep(0.3)
        later = len(gateway.messages)
        await asyncio.to_thread(resume, store, "d1", actor="boss")
        await sending
        return held, later

    held, later = asyncio.run(play())

    assert held == later < 300
    assert 300 == len(gateway.messages)
    assert [] == gateway.repeated()
    check_sums(report(store, "d1"))


def test_stopping_is_final_and_cancels_the_rest(store: Store) -> None:
    make_prepared(store, count=300)
    approve(store)
    gateway = RecordingGateway(delay_s=0.005)

    async def play() -> None:
        sending = asyncio.create_task(send(store, "d1", make_sender(_one_by_one(gateway))))
        await _until_sent(gateway, 50)
        await asyncio.to_thread(stop, store, "d1", actor="boss")
        await sending

    asyncio.run(play())
    result = report(store, "d1")

    assert "stopped" == result["state"]
    assert len(gateway.messages) == result["accepted"]
    assert 300 == result["accepted"] + result["cancelled"]
    check_sums(result)
    with pytest.raises(IllegalMoveError):
        resume(store, "d1", actor="boss")
    assert "stopped" == run_send(store, RecordingGateway())["state"]


def test_stopping_an_approved_delivery_cancels_everything(store: Store) -> None:
    make_prepared(store, count=5)
    approve(store)
    stop(store, "d1", actor="boss")

    assert close_stopped(store, "d1", actor="boss")
    result = report(store, "d1")

    assert ("stopped", 5) == (result["state"], result["cancelled"])
    check_sums(result)


def test_what_is_not_sent_within_its_validity_expires(store: Store) -> None:
    make_prepared(store, count=40, validity_s=1)
    approve(store)
    gateway = RecordingGateway(delay_s=0.2)

    result = run_send(store, _one_by_one(gateway), connections=2)

    assert "finished" == result["state"]
    assert 0 < result["expired"] < 40
    assert 40 == result["expired"] + result["accepted"]
    check_sums(result)


def test_a_dead_gateway_makes_messages_expire_not_fail(store: Store) -> None:
    make_prepared(store, count=10, validity_s=1)
    approve(store)
    gateway = RecordingGateway(script=[NotSentError("down", code="connect_refused")] * 10_000)

    result = run_send(store, gateway)

    assert ("finished", 10, 0) == (result["state"], result["expired"], result["failed"])
    check_sums(result)


def test_of_two_senders_at_once_one_sends_and_the_other_waits(store: Store) -> None:
    make_prepared(store, count=600)
    approve(store)
    gateway = RecordingGateway(delay_s=0.002)

    async def play() -> list[dict[str, object]]:
        one = make_sender(_one_by_one(gateway), owner="one")
        two = make_sender(_one_by_one(gateway), owner="two")
        both = await asyncio.gather(send(store, "d1", one), send(store, "d1", two))
        return list(both)

    results = asyncio.run(play())

    assert ["finished", "finished"] == [result["state"] for result in results]
    assert 600 == len(gateway.messages)
    assert [] == gateway.repeated()


def test_a_silent_owner_is_superseded_and_sends_nothing_more(store: Store) -> None:
    """The first owner stalls with messages under way; a second one takes over, then it wakes."""
    make_prepared(store, count=50)
    approve(store)
    first = claim(store, find_delivery(store, "d1"), owner="first", lease_s=10)
    assert first is not None
    first.begin(actor="first")
    _, taken = tick(first, wanted=7)
    assert 7 == len(taken)
    gateway = RecordingGateway()

    result = run_send(store, gateway, lease_s=0.05)

    assert (43, 7) == (result["accepted"], result["unknown"])
    positions = {message.id.rpartition("-")[2] for message in gateway.messages}
    assert positions.isdisjoint({f"{one.position:x}" for one in taken})
    with pytest.raises(SupersededError):
        tick(first, wanted=7)
    first.release()
    check_sums(result)


def test_a_delivery_prepared_again_between_claim_and_begin_sends_nothing(store: Store) -> None:
    make_prepared(store, count=5)
    approve(store)
    ledger = claim(store, find_delivery(store, "d1"), owner="first", lease_s=10)
    assert ledger is not None
    make_prepared(store, count=5)

    with pytest.raises(SupersededError, match="moved meanwhile"):
        ledger.begin(actor="first")
    with pytest.raises(SupersededError, match="prepared again"):
        tick(ledger, wanted=5)
    ledger.release()


def test_an_owner_frozen_in_mid_tick_does_not_hold_up_the_next(store: Store) -> None:
    """Its transaction holds the lease's row; the server ends it, and a claim does not wait."""
    make_prepared(store, count=20)
    approve(store)
    first = claim(store, find_delivery(store, "d1"), owner="first", lease_s=10)
    assert first is not None
    first.begin(actor="first")
    first._connection.execute("SELECT FROM smsflow_leases FOR UPDATE")
    began = time.monotonic()

    assert claim(store, find_delivery(store, "d1"), owner="second", lease_s=0.1) is None
    assert time.monotonic() - began < 4
    result = run_send(store, RecordingGateway(), lease_s=0.1)

    assert ("finished", 20) == (result["state"], result["accepted"])
    assert time.monotonic() - began < 20
    first.release()


def test_marks_of_an_owner_who_came_and_died_in_between_are_settled(store: Store) -> None:
    """The delivery was read as approved before another sender began and vanished."""
    make_prepared(store, count=20)
    stale = approve(store)
    other = claim(store, stale, owner="other", lease_s=10)
    assert other is not None
    other.begin(actor="other")
    tick(other, wanted=5)
    other.release()

    late = claim(store, stale, owner="late", lease_s=10)
    assert late is not None
    late.release()

    assert 5 == report(store, "d1")["unknown"]


@pytest.mark.parametrize("kind", [OutcomeKind.NOT_SENT, OutcomeKind.FAILED, OutcomeKind.UNKNOWN])
def test_a_receipt_is_believed_more_than_an_answer(store: Store, kind: OutcomeKind) -> None:
    """The receipt comes while the request is under way; then the gateway denies or is silent."""
    delivery = make_prepared(store, count=3)
    approve(store)

    def report_at_once(batch: Sequence[Message]) -> None:
        with store.transaction() as connection:
            append_receipts(
                connection,
                [
                    ReceivedReceipt(
                        message_id=one.id,
                        kind=ReceiptKind.DELIVERED,
                        code="",
                        gateway_ref="",
                        received_at=utc_now(),
                        conn_type="sms_simulator",
                    )
                    for one in batch
                ],
            )
        apply_all_receipts(store)

    gateway = RecordingGateway(script=[kind] * 3, before=report_at_once)
    result = run_send(store, gateway)

    assert (3, 3, 0, 0) == (
        result["accepted"],
        result["delivered"],
        result["failed"],
        result["unknown"],
    )
    assert [] == gateway.repeated()
    assert delivery.preparation
    check_sums(result)


def test_stopping_waits_for_a_slow_gateway_without_losing_the_lease(store: Store) -> None:
    make_prepared(store, count=8)
    approve(store)
    gateway = RecordingGateway(delay_s=1.5)

    async def play() -> bool:
        sender = make_sender(_one_by_one(gateway), lease_s=0.3)
        sending = asyncio.create_task(send(store, "d1", sender))
        await _until_sent(gateway, 4)
        await asyncio.to_thread(stop, store, "d1", actor="boss")
        await asyncio.sleep(0.8)
        stolen = await asyncio.to_thread(close_stopped, store, "d1", actor="boss", lease_s=0.3)
        await sending
        return stolen

    assert not asyncio.run(play())
    result = report(store, "d1")
    assert ("stopped", 4, 4, 0) == (
        result["state"],
        result["accepted"],
        result["cancelled"],
        result["unknown"],
    )


def test_nobody_takes_the_chunks_of_a_worker_who_is_alive(store: Store) -> None:
    make_prepared(store, count=1500)
    approve(store)
    delivery = find_delivery(store, "d1")
    first = claim(store, delivery, owner="first", lease_s=10)
    second = claim(store, delivery, owner="second", lease_s=10)
    assert first is not None
    assert second is not None
    first.begin(actor="first")

    assert claim(store, delivery, owner="third", lease_s=10, alone=True) is None
    assert first.epoch < second.epoch
    _, one = tick(first, wanted=2000)
    _, two = tick(second, wanted=2000)
    assert {1500} == {len(one) + len(two), len({each.position for each in [*one, *two]})}
    assert second.reap(lease_s=10) == 0
    for ledger in (first, second):
        ledger.release()


def test_of_more_workers_than_lanes_the_last_one_waits(store: Store) -> None:
    make_prepared(store, count=5)
    approve(store)
    delivery = find_delivery(store, "d1")
    ledgers = [claim(store, delivery, owner=f"w{n}", lease_s=10) for n in range(LANES + 1)]

    assert [False] * LANES + [True] == [ledger is None for ledger in ledgers]
    for ledger in ledgers:
        if ledger is not None:
            ledger.release()


def test_progress_is_told_in_counts(store: Store) -> None:
    make_prepared(store, count=50)
    approve(store)
    told: list[dict[str, int]] = []

    run_send(store, RecordingGateway(), progress_s=0.0, on_progress=told.append)

    assert 50 == told[-1]["accepted"]
    assert set(OutcomeKind) == set(told[-1])


async def _until_sent(gateway: RecordingGateway, count: int) -> None:
    async with asyncio.timeout(30):
        while len(gateway.messages) < count:  # noqa: ASYNC110  a fake has no event to wait for
            await asyncio.sleep(0.01)


class _OneByOne:
    """A gateway that takes one message a request."""

    class _Dialect:
        max_batch = 1
        features: frozenset[Feature] = frozenset()

    def __init__(self, gateway: RecordingGateway) -> None:
        self._gateway = gateway
        self.dialect = self._Dialect()

    async def send(self, batch: Sequence[Message]) -> list[Outcome]:
        return await self._gateway.send(batch)


def _one_by_one(gateway: RecordingGateway) -> Gateway:
    return _OneByOne(gateway)  # type: ignore[return-value]
