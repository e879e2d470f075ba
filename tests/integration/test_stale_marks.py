"""What was marked leaves soon after, or not at all: a worker may be frozen at any point."""

from __future__ import annotations

import asyncio
import time

from smsflow_provider.core.gateways.deadline import LeavingBy
from smsflow_provider.core.gateways.http import HttpGateway, HttpTransport
from smsflow_provider.core.gateways.simulator import SimulatorDialect
from smsflow_provider.core.model import Encoding, Message, Outcome, OutcomeKind
from smsflow_provider.core.store.connection import Store
from smsflow_provider.testing.gateway import RecordingGateway
from smsflow_provider.testing.simulator import RunningSimulator
from tests.prepared_delivery import approve, make_prepared
from tests.sending import check_sums, run_send

MESSAGE = Message(
    id="1-1-1", to="+33612345678", sender="ACME", body="Hello", encoding=Encoding.GSM7, parts=1
)


def test_a_request_whose_time_is_over_does_not_leave() -> None:
    with RunningSimulator() as simulator:
        late = asyncio.run(send_by(simulator, time.monotonic() - 0.01))
        got = simulator.counts()["messages"]
        in_time = asyncio.run(send_by(simulator, time.monotonic() + 60))

    assert [(OutcomeKind.NOT_SENT, "too_late", False)] == [
        (one.kind, one.code, one.is_own) for one in late
    ]
    assert (0, [OutcomeKind.ACCEPTED]) == (got, [one.kind for one in in_time])


async def send_by(simulator: RunningSimulator, moment: float) -> list[Outcome]:
    """Hand one message over that may leave until *moment*."""
    settings = simulator.settings
    async with HttpTransport.of(settings) as transport:
        with LeavingBy(moment):
            return await HttpGateway(SimulatorDialect(settings), transport).send([MESSAGE])


def test_a_worker_frozen_behind_its_marks_marks_them_anew_before_they_leave(store: Store) -> None:
    """The whole worker stands still while marked messages wait for a connection."""
    make_prepared(store, count=2000)
    approve(store)
    gateway = RecordingGateway(before=lambda _: freeze(gateway), delay_s=0.01)

    result = run_send(store, gateway, connections=1, lease_s=0.5)

    with store.transaction() as connection:
        held = connection.execute(
            "SELECT count(*)::int AS n FROM smsflow_outcomes WHERE code = 'held_back'"
        ).fetchone()
    assert held is not None
    assert 0 < held["n"] < 2000
    assert ("finished", 2000) == (result["state"], result["accepted"])
    assert [] == gateway.repeated()
    check_sums(result)


def freeze(gateway: RecordingGateway) -> None:
    """Stand still at some requests, for longer than marks are good for."""
    if len(gateway.batches) in {5, 9, 13}:
        time.sleep(2.0)
