"""A preparation killed at fifty points: nobody approves a wrong count, and the next try works."""

from __future__ import annotations

import json
import logging
import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import pytest

from smsflow_provider.core.delivery.approval import decide
from smsflow_provider.core.errors import IllegalMoveError, NotApprovedError
from smsflow_provider.core.states import DeliveryState
from smsflow_provider.core.store.approvals import Decision
from smsflow_provider.core.store.connection import Store
from smsflow_provider.core.store.deliveries import Delivery, find_delivery
from smsflow_provider.core.store.opt_outs import add_opt_outs
from smsflow_provider.core.store.prepared import PARTITIONED
from tests.core.preparation.preparing import (
    exclusions_of,
    messages_of,
    partitions_of,
)
from tests.integration.killed_preparation import OPTED_OUT, ROWS

POINTS = 50
SEED = int(os.environ.get("SMSFLOW_KILL_SEED", "3"))
#: Deliveries that had been prepared once before, and approved.
AGAIN_EVERY = 4

log = logging.getLogger(__name__)

#: Step, transaction and what it does.
Call = tuple[str, int, str]


@dataclass(frozen=True, slots=True)
class Point:
    """A call of the store at which to die: the *occurrence*-th *label*, in that step."""

    step: str
    label: str
    occurrence: int


class Preparer:
    """Two processes that prepare on demand, see ``killed_preparation``; one for those that die."""

    def __init__(self, lasting: subprocess.Popen[str], forking: subprocess.Popen[str]) -> None:
        self._lasting = lasting
        self._forking = forking

    def prepare(self, delivery_id: str) -> dict[str, Any]:
        """Prepare a delivery, undisturbed; what is told of it."""
        return _told(self._lasting, {"delivery": delivery_id})

    def die(self, delivery_id: str, *, at: Point) -> dict[str, Any]:
        """Prepare a delivery up to there; how the process ended."""
        return _told(self._forking, {"delivery": delivery_id, "at": [at.label, at.occurrence]})


def _told(process: subprocess.Popen[str], order: dict[str, Any]) -> dict[str, Any]:
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(f"{json.dumps(order)}\n")
    process.stdin.flush()
    told: dict[str, Any] = json.loads(process.stdout.readline())
    return told


@pytest.fixture
def preparer(store: Store, store_dsn: str, repository: Path) -> Iterator[Preparer]:
    add_opt_outs(store, OPTED_OUT)
    command = [sys.executable, "-m", "tests.integration.killed_preparation", store_dsn]
    with ExitStack() as stack:
        both = [
            stack.enter_context(
                subprocess.Popen(
                    command,
                    cwd=repository,
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    text=True,
                )
            )
            for _ in range(2)
        ]
        yield Preparer(*both)


def points_of(calls: Sequence[Call]) -> list[Point]:
    """
    Choose where to die: inside each kind of transaction, in each step, the rest by chance.

    Two calls of one label are told apart by their count, which is the same in every run; which
    of two threads comes first is not.
    """
    counts: Counter[str] = Counter()
    first_of: dict[int, str] = {}
    found: list[tuple[Point, str]] = []
    for step, transaction, label in calls:
        counts[label] += 1
        first = first_of.setdefault(transaction, label)
        is_inside = label != first and not label.startswith("committed")
        found.append((Point(step, label, counts[label]), first if is_inside else ""))
    random.Random(SEED).shuffle(found)
    chosen = [
        *{kind: point for point, kind in found if kind}.values(),
        *{point.step: point for point, _ in found}.values(),
        *{point.label: point for point, _ in found}.values(),
        *(point for point, _ in found),
    ]
    return list(dict.fromkeys(chosen))[:POINTS]


def is_reached(point: Point, calls: Sequence[Call]) -> bool:
    return Counter(label for _, _, label in calls)[point.label] >= point.occurrence


def check_not_approvable(store: Store, delivery: Delivery, *, fingerprint: str) -> None:
    """Nobody can say Send, whichever fingerprint they have seen."""
    for seen in (fingerprint, delivery.fingerprint or ""):
        with pytest.raises((IllegalMoveError, NotApprovedError)):
            say_send(store, delivery, fingerprint=seen)


def say_send(store: Store, delivery: Delivery, *, fingerprint: str) -> None:
    decide(
        store,
        delivery.id,
        fingerprint=fingerprint,
        decision=Decision.SEND,
        decided_by="manager",
        via="airflow",
    )


def check_whole(store: Store, delivery: Delivery, *, fingerprint: str) -> None:
    """What is to be reviewed is what is there, all of it, and what it always is."""
    assert fingerprint == delivery.fingerprint
    assert delivery.to_deliver == len(messages_of(store, delivery))
    assert delivery.excluded == len(exclusions_of(store, delivery))
    assert ROWS == delivery.targeted == delivery.to_deliver + delivery.excluded


def render_children_of(pid: int) -> list[int]:
    """Processes that render for the process *pid*, dead as it may be."""
    found = []
    for one in psutil.process_iter(["cmdline", "status"]):
        words = one.info["cmdline"] or []
        if any(word.endswith("render_child") for word in words) and str(pid) in words:
            found.append(one.pid)
    return found


def wait_for_no_children_of(pid: int) -> None:
    until_s = time.monotonic() + 10
    while (left := render_children_of(pid)) and time.monotonic() < until_s:
        time.sleep(0.02)
    assert [] == left


@pytest.mark.timeout(900)  # a busy machine takes its time for a hundred preparations
def test_killed_at_any_point_it_leaves_nothing_wrong_and_the_next_try_is_the_same(
    store: Store, preparer: Preparer
) -> None:
    """Some of them had been prepared and approved before; what they drop is a point as well."""
    first, second = (preparer.prepare("undisturbed") for _ in range(2))
    fingerprint = first["fingerprint"]
    points = points_of([tuple(call) for call in second["calls"]])
    survived: list[str] = []
    for number, point in enumerate(points):
        log.info("seed %s, kill %s: %s", SEED, number, point)
        name = f"d{number}"
        if not number % AGAIN_EVERY or not is_reached(point, first["calls"]):
            preparer.prepare(name)
            say_send(store, find_delivery(store, name), fingerprint=fingerprint)
        died = preparer.die(name, at=point)
        assert -signal.SIGKILL == died.get("exit_code"), point
        if check_what_is_left(store, find_delivery(store, name), fingerprint=fingerprint):
            survived.append(point.label)
        wait_for_no_children_of(died["pid"])

        assert fingerprint == preparer.prepare(name)["fingerprint"], point
        check_whole(store, find_delivery(store, name), fingerprint=fingerprint)

    assert POINTS == len(points)
    assert {"begin", "numbers", "exclusions", "texts", "publishing"} == {p.step for p in points}
    # Before its first commit a try has changed nothing; behind the last one it is done.
    assert 0 < len(survived) < POINTS / 2, survived
    check_tables(store, ["undisturbed", *(f"d{number}" for number in range(POINTS))])


def check_what_is_left(store: Store, delivery: Delivery, *, fingerprint: str) -> bool:
    """Either a whole preparation, the former or the new one, or none that can be approved."""
    if delivery.state in {DeliveryState.READY, DeliveryState.APPROVED}:
        check_whole(store, delivery, fingerprint=fingerprint)
        return True
    check_not_approvable(store, delivery, fingerprint=fingerprint)
    return False


def check_tables(store: Store, names: Sequence[str]) -> None:
    """Every delivery has the tables of its last preparation, and nobody has any other."""
    kept = [find_delivery(store, name).preparation for name in names]

    assert sorted(f"smsflow_{kind}_p{number}" for kind in PARTITIONED for number in kept) == sorted(
        partitions_of(store)
    )
