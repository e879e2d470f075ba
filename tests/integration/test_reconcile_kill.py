"""
A sender is killed in the middle, answers are lost, and a gateway that can be asked ends each doubt.

Nothing is handed over that was taken before, nothing is lost, and nothing stays unknown.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest

from smsflow_provider.core.delivery.report import report
from smsflow_provider.core.store.connection import Store
from smsflow_provider.simulator.behaviour import Behaviour
from smsflow_provider.testing.simulator import RunningSimulator
from tests.prepared_delivery import approve, make_prepared
from tests.sending import check_sums

COUNT = 4000

Start = Callable[[str, str], "subprocess.Popen[bytes]"]


@pytest.fixture
def start(store_dsn: str, repository: Path) -> Iterator[Start]:
    """Start a sender; all of them are gone when the test ends."""
    started: list[subprocess.Popen[bytes]] = []

    def run(url: str, family: str) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", "tests.family_sender", store_dsn, url, family]
        started.append(subprocess.Popen(command, cwd=repository))
        return started[-1]

    yield run
    for process in started:
        process.kill()
        process.wait(timeout=10)


def _has(count: int, counts: dict[str, int]) -> bool:
    return counts["messages"] >= count


@pytest.mark.parametrize("family", ["query", "own_ids"])
def test_every_doubt_of_a_killed_sender_is_resolved_by_asking(
    store: Store, start: Start, family: str
) -> None:
    """
    One answer in twenty is lost, one question in five fails, and messages show a second late.

    Few enough are in doubt at any time that the delivery does not pause by itself.
    """
    make_prepared(store, count=COUNT)
    approve(store)
    behaviour = Behaviour(
        family=family,
        latency_s=0.05,
        lost_share=0.05,
        lookup_delay_s=1.0,
        lookup_failing_share=0.2,
    )
    with RunningSimulator(behaviour) as gateway:
        for kill in (1, 2):
            sender = start(gateway.url, family)
            gateway.wait_for(partial(_has, 1300 * kill))
            sender.kill()
            sender.wait()
        assert 0 == start(gateway.url, family).wait(timeout=120)
        counts = gateway.counts()

    result = report(store, "d1")
    check_sums(result)
    assert ("finished", 0, COUNT) == (result["state"], result["unknown"], result["accepted"])
    # No message was taken twice, and none is missing.
    assert (COUNT, COUNT, 0) == (counts["messages"], counts["distinct"], counts["duplicates"])
    # Nothing was even tried again that had been taken.
    assert 0 == counts["duplicates_refused"]
    causes = {cause["code"] for cause in result["causes"]}
    assert "sender_lost" not in causes
