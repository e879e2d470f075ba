"""What holds a delivery holds it while real workers send it, and lets it end when it may go on."""

from __future__ import annotations

import asyncio
import contextlib
import threading
import time
from collections.abc import Callable
from types import TracebackType
from typing import Any, Self

import pytest

from smsflow_provider.core.delivery.circuit import OPENS_AFTER
from smsflow_provider.core.delivery.control import resume, stop
from smsflow_provider.core.delivery.report import report as report_of
from smsflow_provider.core.delivery.resend import resend
from smsflow_provider.core.delivery.switch import switch_off, switch_on
from smsflow_provider.core.errors import IllegalMoveError
from smsflow_provider.core.model import OutcomeKind, message_id_of
from smsflow_provider.core.store.connection import Store
from smsflow_provider.core.store.daily import parts_of_today
from smsflow_provider.core.store.deliveries import Delivery, find_delivery
from smsflow_provider.testing.gateway import RecordingGateway
from tests.governed import lines_of, make_approved
from tests.sending import check_sums, run_send

#: Seconds within which every worker must see what people decide.
SOON_S = 2.0


class Sending:
    """Workers that send a delivery in the background until the block ends."""

    def __init__(self, store: Store, *gateways: RecordingGateway, **settings: Any) -> None:
        self._threads = [
            threading.Thread(target=self._send, args=(store, gateway, f"w{number}", settings))
            for number, gateway in enumerate(gateways)
        ]
        self._store = store
        self._errors: list[Exception] = []
        self.reports: list[dict[str, Any]] = []

    def _send(self, store: Store, gateway: RecordingGateway, owner: str, settings: Any) -> None:
        try:
            self.reports.append(run_send(store, gateway, owner=owner, **settings))
        except Exception as error:  # noqa: BLE001  raised in the thread of the test
            self._errors.append(error)

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, _: BaseException | None, __: TracebackType | None
    ) -> None:
        if kind is not None:
            with contextlib.suppress(IllegalMoveError):
                stop(self._store, "d1", actor="test")
        for thread in self._threads:
            thread.join(timeout=60)
            assert not thread.is_alive()
        for error in self._errors:
            raise error


class Moody(RecordingGateway):
    """Refuses every message, slowly, until it is mended."""

    def __init__(self) -> None:
        super().__init__(iter(self._mood, None), pause=self._think)
        self.is_mended = False

    def _mood(self) -> OutcomeKind:
        return OutcomeKind.ACCEPTED if self.is_mended else OutcomeKind.FAILED

    async def _think(self, _: float) -> None:
        await asyncio.sleep(0.0 if self.is_mended else 0.2)


def until(is_so: Callable[[], bool], *, within_s: float = 30.0) -> None:
    """Wait until it is so."""
    deadline = time.monotonic() + within_s
    while not is_so():
        assert time.monotonic() < deadline, "it never became so"
        time.sleep(0.02)


def until_paused(store: Store, reason: str) -> None:
    until(lambda: find_delivery(store, "d1").pause_reason == reason)


def positions(delivery: Delivery, gateway: RecordingGateway) -> list[int]:
    places = {
        message_id_of(delivery.no, delivery.preparation, n): n
        for n in range(1, delivery.to_deliver + 1)
    }
    return [places[message.id] for message in gateway.messages]


def test_a_delivery_that_fails_pauses_and_ends_when_a_person_lets_it(store: Store) -> None:
    rule = {"pause_when": {"failed": "25%", "after": 20}}
    make_approved(store, count=3000, sending=rule)
    gateway = Moody()

    with Sending(store, gateway, connections=1) as sending:
        until_paused(store, "failures")
        time.sleep(1)  # what was under way has come back
        gateway.is_mended = True
        resume(store, "d1", actor="ann")

    (report,) = sending.reports
    assert ("finished", 3000) == (report["state"], report["failed"] + report["accepted"])
    assert 20 <= report["failed"] < 3000
    check_sums(report)
    assert [] == gateway.repeated()


def test_nothing_of_a_wave_leaves_before_the_former_one_was_looked_at(store: Store) -> None:
    sending = {"waves": {"shares": ["1%", "10%"], "wait": "0s", "ask": True}}
    delivery = make_approved(store, count=2500, sending=sending)
    gateways = RecordingGateway(), RecordingGateway()
    sent: list[int] = []

    with Sending(store, *gateways) as sending_now:
        for until_position in (25, 250):
            until_paused(store, "wave")
            sent = sorted([n for gateway in gateways for n in positions(delivery, gateway)])
            assert list(range(1, until_position + 1)) == sent
            resume(store, "d1", actor="ann")

    report = sending_now.reports[0]
    assert ("finished", 2500) == (report["state"], report["accepted"])
    check_sums(report)
    assert 2500 == sum(len(gateway.messages) for gateway in gateways)
    assert [2, 3] == [line["wave"] for line in lines_of(store, delivery, "wave_begun")]


def test_waves_follow_each_other_without_a_person(store: Store) -> None:
    make_approved(store, count=50, sending={"waves": {"shares": ["2%", "50%"], "wait": "1s"}})
    gateway = RecordingGateway()

    report = run_send(store, gateway)

    assert ("finished", 50) == (report["state"], report["accepted"])
    assert [] == gateway.repeated()


def test_the_switch_silences_all_workers_soon_and_nothing_goes_on_by_itself(store: Store) -> None:
    make_approved(store, count=3000)
    gateways = RecordingGateway(delay_s=0.02), RecordingGateway(delay_s=0.02)

    def sent() -> int:
        return sum(len(gateway.messages) for gateway in gateways)

    with Sending(store, *gateways) as sending:
        until(lambda: sent() > 50)
        assert ["d1"] == switch_off(store, actor="ann")[1]
        time.sleep(SOON_S)
        silenced = sent()
        switch_on(store, actor="ann")
        time.sleep(SOON_S)
        assert silenced == sent() < 3000
        resume(store, "d1", actor="ann")

    assert 3000 == sent()
    assert "finished" == sending.reports[0]["state"]
    assert [] == [*gateways[0].repeated(), *gateways[1].repeated()]


def test_what_begins_while_everything_is_off_hands_nothing_over(store: Store) -> None:
    switch_off(store, actor="ann")
    make_approved(store, count=5)
    gateway = RecordingGateway()

    with Sending(store, gateway) as sending:
        until_paused(store, "switch")
        switch_on(store, actor="ann")
        time.sleep(0.5)
        assert [] == gateway.messages
        resume(store, "d1", actor="ann")

    assert ("finished", 5) == (sending.reports[0]["state"], sending.reports[0]["accepted"])


def test_no_more_than_the_cap_leaves_in_a_day_whoever_sends(store: Store) -> None:
    make_approved(store, count=500)
    gateways = RecordingGateway(), RecordingGateway()

    with Sending(store, *gateways, daily_cap=120):
        until_paused(store, "daily_cap")
        time.sleep(0.5)
        assert sum(len(gateway.messages) for gateway in gateways) <= 120
        for _ in range(3):
            resume(store, "d1", actor="ann")
            until_paused(store, "daily_cap")
        assert sum(len(gateway.messages) for gateway in gateways) <= 120
        with store.transaction() as connection:
            connection.execute("UPDATE smsflow_daily SET day = day - 1")
        stop(store, "d1", actor="ann")

    # Not what the first to end reported: the other may still have been settling what it took.
    ended = report_of(store, "d1")
    assert ended["accepted"] <= 120
    assert "stopped" == ended["state"]
    check_sums(ended)


def test_a_cap_that_is_large_enough_counts_what_left(store: Store) -> None:
    make_approved(store, count=60)

    report = run_send(store, RecordingGateway(), daily_cap=1000)

    assert ("finished", 60) == (report["state"], report["accepted"])
    assert 60 == parts_of_today(store)


@pytest.mark.parametrize("connections", [1, 8])
def test_a_gateway_that_only_times_out_puts_few_messages_in_doubt(
    store: Store, connections: int
) -> None:
    make_approved(store, count=2000, sending={"pause_when": {"failed": None}})
    gateway = RecordingGateway([OutcomeKind.UNKNOWN] * 2000, delay_s=0.01)

    with Sending(store, gateway, connections=connections) as sending:
        until(lambda: len(gateway.messages) >= 5)
        time.sleep(SOON_S)
        in_doubt = len(gateway.messages)
        stop(store, "d1", actor="ann")

    requests = OPENS_AFTER + connections
    assert in_doubt == len(gateway.messages) <= requests * gateway.dialect.max_batch
    check_sums(sending.reports[0])


def test_what_failed_goes_again_and_only_that(store: Store) -> None:
    delivery = make_approved(store, count=1200)
    bad = {message_id_of(delivery.no, delivery.preparation, n) for n in (7, 8, 1100)}
    first = RecordingGateway(by_id=dict.fromkeys(bad, OutcomeKind.FAILED))
    assert 3 == run_send(store, first)["failed"]

    assert 3 == resend(store, "d1", kinds=frozenset({OutcomeKind.FAILED}), actor="ann")
    with store.transaction() as connection:
        connection.execute("INSERT INTO smsflow_opt_outs (phone) VALUES (33600000008)")
    second = RecordingGateway()
    report = run_send(store, second)

    assert [7, 1100] == sorted(positions(delivery, second))
    assert ("finished", 1199, 0, 1) == (
        report["state"],
        report["accepted"],
        report["failed"],
        report["cancelled"],
    )
    check_sums(report)


def test_what_is_marked_does_not_leave_while_the_store_hangs(store: Store) -> None:
    """Nobody can say then whether somebody has stopped it: the second request waits in vain."""
    make_approved(store, count=400)
    gateway = RecordingGateway(delay_s=2.5)

    with Sending(store, gateway, connections=1) as sending:
        until(lambda: under_way(store, find_delivery(store, "d1")) >= 200)
        with store.transaction() as connection:
            connection.execute("LOCK TABLE smsflow_leases IN ACCESS EXCLUSIVE MODE")
            time.sleep(3.5)
            held = len(gateway.messages)
        stop(store, "d1", actor="ann")

    assert 100 == held
    check_sums(sending.reports[0])


def under_way(store: Store, delivery: Delivery) -> int:
    """Count the messages that are marked."""
    with store.transaction() as connection:
        row = connection.execute(
            "SELECT count(*)::int AS n FROM smsflow_marks WHERE preparation = %s",
            (delivery.preparation,),
        ).fetchone()
    return int(row["n"]) if row else 0
