"""A sender killed with SIGKILL: nothing leaves twice, nothing is lost, doubt is listed."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import pytest

from smsflow_provider.core.delivery.report import report
from smsflow_provider.core.delivery.window import WindowSettings
from smsflow_provider.core.store.connection import Store
from smsflow_provider.simulator.behaviour import Behaviour
from smsflow_provider.testing.simulator import RunningSimulator
from tests.prepared_delivery import approve, make_prepared
from tests.sending import check_sums

#: Two connections with batches of 100: the most that can be under way, and so in doubt.
WINDOW = 200


def _start(dsn: str, url: str, repository: Path, *more: str) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "tests.crash_sender", dsn, url, *more]
    return subprocess.Popen(command, cwd=repository)


def _sent_by_killed(
    start: Callable[[], subprocess.Popen[bytes]], gateway: RunningSimulator, *, at: Sequence[int]
) -> list[str]:
    """Kill a sender *at* each count of messages, and let a last one end it: what arrived."""
    for count in at:
        sender = start()
        gateway.wait_for(partial(_has, count))
        sender.kill()
        sender.wait()
    time.sleep(0.6)
    assert 0 == start().wait(timeout=120)
    return [message["id"] for message in gateway.messages()]


@pytest.mark.parametrize("kills", [1, 3])
def test_a_killed_sender_sends_nothing_twice_and_loses_nothing(
    store: Store, store_dsn: str, repository: Path, kills: int
) -> None:
    make_prepared(store, count=4000)
    approve(store)
    with RunningSimulator(Behaviour(latency_s=0.05)) as gateway:
        start = partial(_start, store_dsn, gateway.url, repository)
        got = _sent_by_killed(start, gateway, at=[900 * kill for kill in range(1, kills + 1)])

    result = report(store, "d1")

    assert "finished" == result["state"]
    assert len(set(got)) == len(got)
    check_sums(result)
    assert result["unknown"] <= WINDOW * kills
    # All that is not in doubt arrived; of the doubtful ones, some did.
    assert result["accepted"] <= len(got) <= result["accepted"] + result["unknown"]
    states = _states(store)
    assert {"accepted": result["accepted"], "unknown": result["unknown"]} == {
        "unknown": 0,
        **states,
    }


def test_the_window_nobody_has_set_bounds_what_a_kill_leaves_in_doubt(
    store: Store, store_dsn: str, repository: Path
) -> None:
    """A gateway that takes batches on 32 connections could hold 3,200: the window ends before."""
    make_prepared(store, count=6000)
    approve(store)
    with RunningSimulator(Behaviour(latency_s=0.2)) as gateway:
        start = partial(_start, store_dsn, gateway.url, repository, "default")
        got = _sent_by_killed(start, gateway, at=[1500])

    result = report(store, "d1")

    assert "finished" == result["state"]
    assert len(set(got)) == len(got)
    check_sums(result)
    assert WINDOW < result["unknown"] <= WindowSettings().most_open


def _has(count: int, counts: dict[str, int]) -> bool:
    return counts["messages"] >= count


def _states(store: Store) -> dict[str, int]:
    with store.transaction() as connection:
        rows = connection.execute(
            "SELECT state, count(*)::int AS n FROM smsflow_message_states GROUP BY state"
        ).fetchall()
    return {row["state"]: row["n"] for row in rows}
