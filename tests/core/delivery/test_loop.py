"""The event loop of senders."""

from __future__ import annotations

import gc

import pytest

from smsflow_provider.core.delivery.loop import run


def test_what_is_loaded_is_out_of_the_collectors_sight_while_it_runs_and_in_it_again() -> None:
    before = gc.get_threshold(), gc.get_freeze_count()

    async def seen() -> tuple[int, int]:
        return gc.get_threshold()[0], gc.get_freeze_count()

    young, frozen = run(seen())

    assert young > before[0][0]
    assert frozen > before[1]
    assert (gc.get_threshold(), gc.get_freeze_count()) == before


def test_an_error_leaves_the_collector_as_it_was() -> None:
    before = gc.get_threshold(), gc.get_freeze_count()

    async def broken() -> None:
        raise LookupError("of the coroutine")

    with pytest.raises(LookupError, match="of the coroutine"):
        run(broken())

    assert (gc.get_threshold(), gc.get_freeze_count()) == before
