"""Many callers, few appends, and no promise without an append."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from smsflow_provider.core.errors import StoreError
from smsflow_provider.receiver.group_commit import GroupCommit


class Ledger:
    """An append that counts, can be slow, and fails when told."""

    def __init__(self, *, pause_s: float = 0.0, failing: Sequence[int] = ()) -> None:
        self.appends: list[list[int]] = []
        self.under_way = 0
        self.busiest = 0
        self._pause_s = pause_s
        self._failing = set(failing)

    @property
    def stored(self) -> list[int]:
        return [item for group in self.appends for item in group]

    async def __call__(self, items: Sequence[int]) -> None:
        self.under_way += 1
        self.busiest = max(self.busiest, self.under_way)
        try:
            await asyncio.sleep(self._pause_s)
            if self._failing & set(items):
                raise StoreError("the store said no")
            self.appends.append(list(items))
        finally:
            self.under_way -= 1


async def add_all(group: GroupCommit[int], items: Sequence[int]) -> list[bool]:
    """Add all at once; true for each that was promised."""
    results = await asyncio.gather(*map(group.add, items), return_exceptions=True)
    assert all(each is None or isinstance(each, StoreError) for each in results)
    return [each is None for each in results]


def test_items_that_come_together_are_written_together() -> None:
    ledger = Ledger()

    async def run() -> list[bool]:
        return await add_all(GroupCommit(ledger), range(500))

    assert [True] * 500 == asyncio.run(run())
    assert [list(range(500))] == ledger.appends


def test_the_first_waits_for_company_but_not_for_long() -> None:
    ledger = Ledger()

    async def run() -> None:
        group = GroupCommit(ledger, wait_s=0.05)
        first = asyncio.create_task(group.add(1))
        await asyncio.sleep(0.01)
        await asyncio.gather(first, group.add(2))
        await group.add(3)

    asyncio.run(run())
    assert [[1, 2], [3]] == ledger.appends


def test_one_append_runs_at_a_time_and_the_next_group_gathers() -> None:
    ledger = Ledger(pause_s=0.05)

    async def run() -> None:
        group = GroupCommit(ledger, wait_s=0.0)
        first = asyncio.create_task(group.add(0))
        await asyncio.sleep(0.02)
        others = [asyncio.create_task(group.add(item)) for item in range(1, 100)]
        await asyncio.gather(first, *others)

    asyncio.run(run())
    assert [[0], list(range(1, 100))] == ledger.appends
    assert 1 == ledger.busiest


def test_a_group_has_a_limit() -> None:
    ledger = Ledger()

    async def run() -> None:
        await add_all(GroupCommit(ledger, group_limit=10), range(25))

    asyncio.run(run())
    assert [10, 10, 5] == [len(group) for group in ledger.appends]


def test_nobody_of_a_group_that_failed_is_promised_anything() -> None:
    ledger = Ledger(failing=[7])

    async def run() -> list[bool]:
        return await add_all(GroupCommit(ledger, group_limit=10), range(20))

    assert [False] * 10 + [True] * 10 == asyncio.run(run())
    assert list(range(10, 20)) == ledger.stored


def test_a_failure_does_not_stop_the_next_group() -> None:
    ledger = Ledger(failing=[1])

    async def run() -> tuple[list[bool], list[bool]]:
        group = GroupCommit(ledger)
        return await add_all(group, [1]), await add_all(group, [2])

    assert ([False], [True]) == asyncio.run(run())


def test_any_error_of_the_append_is_an_answer_and_says_no_more_than_its_type() -> None:
    async def run() -> str:
        async def append(_items: Sequence[int]) -> None:
            raise KeyError("+447700900001")

        with pytest.raises(StoreError) as caught:
            await GroupCommit(append).add(1)
        return str(caught.value)

    assert "the item was not stored (kind='KeyError')" == asyncio.run(run())


def test_an_append_that_takes_too_long_is_given_up() -> None:
    ledger = Ledger(pause_s=60)

    async def run() -> list[bool]:
        return await add_all(GroupCommit(ledger, append_timeout_s=0.05), [1, 2])

    assert [False, False] == asyncio.run(run())
    assert (0, []) == (ledger.under_way, ledger.stored)


def test_too_many_waiting_are_turned_away_at_once() -> None:
    ledger = Ledger(pause_s=0.05)

    async def run() -> list[bool]:
        return await add_all(GroupCommit(ledger, waiting_limit=5), range(8))

    assert [True] * 5 + [False] * 3 == asyncio.run(run())


def test_a_caller_that_leaves_does_not_disturb_the_others() -> None:
    ledger = Ledger(pause_s=0.02)

    async def run() -> None:
        group = GroupCommit(ledger)
        leaving = asyncio.create_task(group.add(1))
        staying = asyncio.create_task(group.add(2))
        await asyncio.sleep(0.001)
        leaving.cancel()
        await staying

    asyncio.run(run())
    assert [[1, 2]] == ledger.appends


def test_nothing_is_left_running_when_there_is_nothing_to_write() -> None:
    async def run() -> int:
        group = GroupCommit(Ledger())
        await group.add(1)
        await group.flush()
        return len(asyncio.all_tasks())

    assert 1 == asyncio.run(run())


def test_flushing_waits_for_what_is_waiting() -> None:
    ledger = Ledger(pause_s=0.02)

    async def run() -> None:
        group = GroupCommit(ledger, group_limit=1)
        tasks = [asyncio.create_task(group.add(item)) for item in range(3)]
        await asyncio.sleep(0)
        await group.flush()
        assert 3 == len(ledger.stored)
        await asyncio.gather(*tasks)

    asyncio.run(run())
    assert [0, 1, 2] == ledger.stored


def test_when_the_loop_ends_nobody_waits_for_ever() -> None:
    async def run() -> list[bool]:
        group = GroupCommit(Ledger(pause_s=60))
        adding = asyncio.create_task(add_all(group, [1, 2]))
        await asyncio.sleep(0.02)
        assert group._worker is not None
        group._worker.cancel()
        return await adding

    assert [False, False] == asyncio.run(run())


def test_after_append_is_told_after_the_callers_and_cannot_harm() -> None:
    told: list[list[int]] = []

    def after(items: Sequence[int]) -> None:
        told.append(list(items))
        raise RuntimeError("the applier is broken")

    async def run() -> list[bool]:
        group = GroupCommit(Ledger(failing=[3]), group_limit=2, after_append=after)
        return await add_all(group, [1, 2, 3, 4, 5])

    assert [True, True, False, False, True] == asyncio.run(run())
    assert [[1, 2], [5]] == told


@settings(max_examples=30, deadline=None)
@given(
    failing=st.sets(st.integers(0, 59)),
    group_limit=st.integers(1, 20),
    pauses=st.lists(st.sampled_from([0, 0.001, 0.003]), min_size=6, max_size=6),
)
def test_exactly_what_was_appended_was_promised(
    failing: set[int], group_limit: int, pauses: list[float]
) -> None:
    ledger = Ledger(pause_s=0.001, failing=sorted(failing))

    async def run() -> set[int]:
        group = GroupCommit(ledger, wait_s=0.001, group_limit=group_limit)
        tasks = []
        for number, pause_s in enumerate(pauses):
            items = range(number * 10, number * 10 + 10)
            tasks += [asyncio.create_task(group.add(item), name=str(item)) for item in items]
            await asyncio.sleep(pause_s)
        await asyncio.wait(tasks)
        return {int(task.get_name()) for task in tasks if task.exception() is None}

    promised = asyncio.run(run())
    assert sorted(promised) == sorted(ledger.stored)
