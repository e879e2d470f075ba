"""Receipts go out when they are due, and again when they were not acknowledged."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from smsflow_provider.simulator import desk as desk_module
from smsflow_provider.simulator.desk import DueReceipt, ReceiptDesk


class Listener:
    """Takes posts; says no as often as it is told."""

    def __init__(self, *, refusals: int = 0, pause_s: float = 0.0) -> None:
        self.got: list[str] = []
        self.busiest = 0
        self.came = asyncio.Event()
        self._busy = 0
        self._refusals = refusals
        self._pause_s = pause_s

    async def post(self, url: str, _body: dict[str, Any]) -> bool:
        self._busy += 1
        self.busiest = max(self.busiest, self._busy)
        await asyncio.sleep(self._pause_s)
        self._busy -= 1
        self.got.append(url)
        self.came.set()
        self._refusals -= 1
        return self._refusals < 0


def play(listener: Listener, puts: list[tuple[str, float]], *, until: int) -> dict[str, int]:
    """Put receipts and run the desk until *until* posts came; give its counts."""

    async def run() -> dict[str, int]:
        desk = ReceiptDesk(listener.post, time_s=asyncio.get_running_loop().time)
        work = asyncio.create_task(desk.work())
        for url, delay_s in puts:
            desk.put(DueReceipt(url=url, body={}), delay_s=delay_s)
        async with asyncio.timeout(10):
            while len(listener.got) < until:
                await listener.came.wait()
                listener.came.clear()
        await asyncio.sleep(0.01)
        counts = desk.counts()
        work.cancel()
        await asyncio.gather(work, return_exceptions=True)
        return counts

    return asyncio.run(run())


def test_receipts_go_out_in_the_order_of_their_times() -> None:
    listener = Listener()
    counts = play(listener, [("c", 0.1), ("a", 0.0), ("b", 0.05)], until=3)

    assert ["a", "b", "c"] == listener.got
    assert {"receipts_sent": 3, "receipts_given_up": 0, "receipts_waiting": 0} == counts


def test_what_is_not_due_waits() -> None:
    listener = Listener()
    counts = play(listener, [("now", 0.0), ("later", 60.0)], until=1)

    assert ["now"] == listener.got
    assert 1 == counts["receipts_waiting"]


def test_what_was_not_acknowledged_is_tried_again() -> None:
    """The first pause is half a second."""
    listener = Listener(refusals=1)
    counts = play(listener, [("a", 0.0)], until=2)

    assert ["a", "a"] == listener.got
    assert (1, 0) == (counts["receipts_sent"], counts["receipts_waiting"])


def test_after_the_last_try_it_is_given_up_and_counted() -> None:
    async def run() -> tuple[dict[str, int], list[str]]:
        listener = Listener(refusals=10)
        desk = ReceiptDesk(listener.post, time_s=asyncio.get_running_loop().time)
        tries = len(desk_module._PAUSES_S)
        await desk._free.acquire()
        await desk._call(DueReceipt(url="a", body={}, tries=tries))
        return desk.counts(), listener.got

    counts, got = asyncio.run(run())
    assert (1, 0) == (counts["receipts_given_up"], counts["receipts_waiting"])
    assert ["a"] == got


def test_calls_at_once_are_bounded() -> None:
    listener = Listener(pause_s=0.01)
    play(listener, [(str(number), 0.0) for number in range(100)], until=100)

    assert 32 == listener.busiest


@pytest.mark.parametrize("delay_s", [0.0, 60.0])
def test_what_is_forgotten_is_not_sent(delay_s: float) -> None:
    async def run() -> list[str]:
        listener = Listener()
        desk = ReceiptDesk(listener.post, time_s=asyncio.get_running_loop().time)
        desk.put(DueReceipt(url="a", body={}), delay_s=delay_s)
        desk.clear()
        work = asyncio.create_task(desk.work())
        await asyncio.sleep(0.02)
        work.cancel()
        await asyncio.gather(work, return_exceptions=True)
        return listener.got

    assert [] == asyncio.run(run())
