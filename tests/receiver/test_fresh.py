"""Values that are read again: nobody waits, and a source that is down changes nothing."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable

import pytest

from smsflow_provider.receiver.fresh import Fresh


class Source:
    """A value that counts how often it is read, on a clock that is set by hand."""

    def __init__(self) -> None:
        self.reads = 0
        self.is_down = False
        self.now_s = 0.0

    def read(self) -> int:
        if self.is_down:
            raise OSError("the source is down")
        self.reads += 1
        return self.reads

    def fresh(self) -> Fresh[int]:
        return Fresh(self.read, every_s=60.0, monotonic=lambda: self.now_s)


async def until(is_so: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not is_so():  # noqa: ASYNC110  a thread is waited for
            await asyncio.sleep(0.001)


def test_it_is_read_once_for_many_askers() -> None:
    source = Source()

    async def run() -> list[int]:
        fresh = source.fresh()
        return await asyncio.gather(*[fresh.get() for _ in range(50)])

    assert [1] * 50 == asyncio.run(run())
    assert 1 == source.reads


def test_an_old_value_is_given_at_once_and_read_again_aside() -> None:
    source = Source()

    async def run() -> tuple[int, int]:
        fresh = source.fresh()
        await fresh.get()
        source.now_s = 61.0
        before = await fresh.get()
        await until(lambda: source.reads == 2)
        await asyncio.sleep(0.01)
        return before, await fresh.get()

    assert (1, 2) == asyncio.run(run())


def test_a_source_that_is_down_leaves_the_former_value_in_force() -> None:
    source = Source()

    async def run() -> list[int]:
        fresh = source.fresh()
        found = [await fresh.get()]
        source.is_down, source.now_s = True, 61.0
        found.append(await fresh.get())
        assert not await fresh.renew()
        found.append(await fresh.get())
        return found

    assert [1, 1, 1] == asyncio.run(run())


def test_what_was_never_read_raises_what_reading_raises() -> None:
    source = Source()
    source.is_down = True

    async def run() -> None:
        await source.fresh().get()

    with pytest.raises(OSError, match="the source is down"):
        asyncio.run(run())


def test_whoever_misses_something_makes_it_look_again_but_once_a_second_for_all() -> None:
    """Wrong tokens by the thousand must not become questions by the thousand."""
    source = Source()

    async def run() -> list[bool]:
        fresh = source.fresh()
        await fresh.get()
        at_once = await fresh.renew()
        source.now_s = 1.5
        later = await asyncio.gather(*[fresh.renew() for _ in range(1000)])
        return [at_once, all(later), await fresh.renew()]

    assert [False, True, False] == asyncio.run(run())
    assert 2 == source.reads


def test_a_fixed_value_is_never_read_again() -> None:
    async def run() -> tuple[int, bool]:
        fresh = Fresh.fixed(7)
        return await fresh.get(), await fresh.renew()

    assert (7, False) == asyncio.run(run())


def test_nobody_waits_for_a_reading_that_hangs() -> None:
    """A store that hangs must not gather callers with wrong tokens until none is let in."""
    over, source = threading.Event(), Source()

    def read() -> int:
        if source.reads:
            over.wait(10)
        return source.read()

    async def run() -> tuple[int, bool]:
        fresh: Fresh[int] = Fresh(read, wait_s=0.05, monotonic=lambda: source.now_s)
        before = await fresh.get()
        source.now_s = 2.0
        renewed = await fresh.renew()
        over.set()
        await until(lambda: source.reads == 2)
        return before, renewed

    assert (1, False) == asyncio.run(run())
