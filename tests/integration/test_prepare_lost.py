"""A preparation that loses its connections or its render process: an error, never a hang."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from smsflow_provider.core.errors import StoreUnreachableError
from smsflow_provider.core.preparation.prepare import prepare
from smsflow_provider.core.states import DeliveryState
from smsflow_provider.core.store.connection import Store
from smsflow_provider.core.store.deliveries import find_delivery
from tests.core.preparation.preparing import (
    make_draft,
    make_preparation,
    messages_of,
    partitions_of,
    person,
    rows_of,
    run_prepare,
)

PEOPLE = [person(number) for number in range(1, 301)]


def _children() -> list[str]:
    """Name the render processes of this one that are still there."""
    found = []
    for path in Path("/proc").glob("[0-9]*"):
        try:
            parent = (path / "stat").read_text().rpartition(")")[2].split()[1]
            line = (path / "cmdline").read_text()
        except OSError:
            continue
        if int(parent) == os.getpid() and "render_child" in line:
            found.append(path.name)
    return found


def _cut(store: Store, state: str) -> None:
    """End the connections of the store that are in *state*, such as the one with the rows."""
    with store.transaction() as connection:
        connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid() AND state ~ %s",
            (state,),
        )


def _prepare(store: Store, act: Callable[[dict[str, Any]], None], **told: Any) -> None:
    make_draft(store)
    rows = rows_of(PEOPLE, size=30)
    prepare(store, "d1", make_preparation(rows, on_progress=act, **told), actor="tester")


def _once(step: str, act: Callable[[], None]) -> Callable[[dict[str, Any]], None]:
    done: list[str] = []

    def report(progress: dict[str, Any]) -> None:
        if progress["step"] == step and not done:
            done.append(step)
            act()

    return report


def _check_nothing_is_left(store: Store) -> None:
    assert [] == [t.name for t in threading.enumerate() if t.name == "smsflow-copy"]
    assert [] == _children()
    assert [] == partitions_of(store)
    assert DeliveryState.PREPARING is find_delivery(store, "d1").state


#: A step, and the connections that are lost in it. Where only the one that tells of progress goes
#: and there is nothing more to tell, nothing is wrong.
CUTS = [
    *(("numbers", "^idle$"), ("exclusions", "^idle$"), ("texts", "^idle$")),
    *(("texts", "transaction|active"), ("publishing", "transaction|active")),
    *(("texts", "."), ("publishing", ".")),
]


@pytest.mark.parametrize(("step", "state"), CUTS)
def test_a_connection_that_is_cut_ends_it_and_the_next_try_is_whole(
    store: Store, step: str, state: str
) -> None:
    with pytest.raises(StoreUnreachableError):
        _prepare(store, _once(step, lambda: _cut(store, state)))

    _check_nothing_is_left(store)
    again = run_prepare(store, PEOPLE)
    assert (DeliveryState.READY, 300) == (again.state, len(messages_of(store, again)))


@pytest.mark.parametrize("step", ["numbers", "texts", "publishing"])
@pytest.mark.parametrize("error", [KeyboardInterrupt, SystemExit, MemoryError])
def test_whatever_ends_it_leaves_no_thread_no_process_and_no_row(
    store: Store, step: str, error: type[BaseException]
) -> None:
    def act() -> None:
        raise error

    with pytest.raises(error):
        _prepare(store, _once(step, act))

    _check_nothing_is_left(store)
