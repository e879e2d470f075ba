"""Preparing again, twice at once, half-way and in vain: nothing of it may be left behind."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from smsflow_provider.core.errors import AudienceError, IllegalMoveError, SupersededError
from smsflow_provider.core.preparation.prepare import is_begun, prepare
from smsflow_provider.core.states import DeliveryState
from smsflow_provider.core.store.approvals import find_approval
from smsflow_provider.core.store.connection import Store
from smsflow_provider.core.store.deliveries import Delivery, find_delivery, read_log
from smsflow_provider.core.store.prepared import drop_replaced
from tests.core.preparation.preparing import (
    FrameRows,
    make_draft,
    make_preparation,
    messages_of,
    partitions_of,
    person,
    rows_of,
    run_prepare,
)
from tests.prepared_delivery import approve


def _log_of(store: Store, delivery: Delivery) -> list[tuple[str, str]]:
    return [(row["level"], row["event"]) for row in read_log(store, delivery)]


def test_preparing_again_replaces_everything_and_voids_the_approval(store: Store) -> None:
    first = run_prepare(store, [person(1), person(2)])
    approve(store)

    second = run_prepare(store, [person(2), person(3), person(4, phone=None)])

    assert (DeliveryState.READY, 3, 2) == (second.state, second.targeted, second.to_deliver)
    assert first.preparation < second.preparation
    assert find_approval(store, second) is None
    assert [] == messages_of(store, first)
    number = f"_p{second.preparation}"
    assert 5 == len(partitions_of(store))
    assert all(name.endswith(number) for name in partitions_of(store))
    assert ["Hi Name2", "Hi Name3"] == [row["body"] for row in messages_of(store, second)]


def test_a_failed_preparation_replaces_too(store: Store) -> None:
    first = run_prepare(store, [person(1)])

    failed = run_prepare(store, [person(1, name=None)])
    third = run_prepare(store, [person(1)])

    assert DeliveryState.PREPARATION_FAILED is failed.state
    assert [] == messages_of(store, first)
    assert (DeliveryState.READY, 5) == (third.state, len(partitions_of(store)))


@pytest.mark.parametrize("state", ["sending", "paused", "finished", "stopped"])
def test_a_delivery_that_has_begun_is_not_prepared_again(store: Store, state: str) -> None:
    delivery = run_prepare(store, [person(1)])
    with store.transaction() as connection:
        connection.execute("ALTER TABLE smsflow_deliveries DISABLE TRIGGER USER")
        connection.execute("UPDATE smsflow_deliveries SET state = %s", (state,))

    with pytest.raises(IllegalMoveError, match="not prepared again") as caught:
        run_prepare(store, [person(2)])

    assert state == caught.value.facts["state"]
    assert ["Hi Name1"] == [row["body"] for row in messages_of(store, delivery)]
    assert (state != "stopped") == is_begun(find_delivery(store, "d1"))


class _Held(FrameRows):
    """Rows of which the second pass stops after the first until it is let go."""

    def __init__(self, people: list[dict[str, Any]]) -> None:
        super().__init__(rows_of(people)._frame, size=1)
        self.is_reading = threading.Event()
        self.let_go = threading.Event()

    def frames(self, columns: Sequence[str] | None = None) -> Iterator[pl.DataFrame]:
        first, *rest = super().frames(columns)
        yield first
        if columns is not None and len(columns) > 1:
            self.is_reading.set()
            assert self.let_go.wait(30)
        yield from rest


class _Broken(FrameRows):
    """Rows whose second pass fails after the first."""

    def __init__(self, error: Exception) -> None:
        super().__init__(rows_of([person(1), person(2)])._frame, size=1)
        self._error = error

    def frames(self, columns: Sequence[str] | None = None) -> Iterator[pl.DataFrame]:
        first, *rest = super().frames(columns)
        yield first
        if columns is not None:
            raise self._error
        yield from rest


def _prepare_aside(store: Store, preparation: Any) -> tuple[threading.Thread, list[Exception]]:
    errors: list[Exception] = []

    def run() -> None:
        try:
            prepare(store, "d1", preparation, actor="older")
        except Exception as error:  # noqa: BLE001  the test looks at it
            errors.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    return thread, errors


@pytest.mark.parametrize("is_bad", [False, True], ids=["with good rows", "with an error"])
def test_of_two_preparations_at_once_the_older_one_leaves_nothing(
    store: Store, *, is_bad: bool
) -> None:
    make_draft(store)
    held = _Held([person(1), person(2, name=None if is_bad else "Zoé")])
    older, errors = _prepare_aside(store, make_preparation(held))
    assert held.is_reading.wait(30)

    newer = run_prepare(store, [person(7)])
    held.let_go.set()
    older.join(30)

    assert [SupersededError] == [type(error) for error in errors]
    found = find_delivery(store, "d1")
    assert (DeliveryState.READY, newer.fingerprint) == (found.state, found.fingerprint)
    assert ["Hi Name7"] == [row["body"] for row in messages_of(store, found)]
    assert 5 == len(partitions_of(store))
    assert [("info", "prepared")] == _log_of(store, found)
    assert 1 == _count(store, "SELECT count(*) AS n FROM smsflow_log")


def test_an_audience_that_turns_out_to_be_another_leaves_nothing_but_the_reason(
    store: Store,
) -> None:
    error = AudienceError("the audience's file has changed since it was built", uri="file:///a")
    make_draft(store)
    with pytest.raises(AudienceError, match="has changed"):
        prepare(store, "d1", make_preparation(_Broken(error)), actor="tester")

    delivery = find_delivery(store, "d1")
    assert DeliveryState.PREPARATION_FAILED is delivery.state
    assert [] == partitions_of(store)
    (line,) = read_log(store, delivery)
    assert ("error", "audience_refused", {"uri": "file:///a"}) == (
        line["level"],
        line["event"],
        line["facts"],
    )


def test_a_recipient_id_the_store_cannot_keep_is_named_by_its_row(store: Store) -> None:
    with pytest.raises(AudienceError, match="NUL character") as caught:
        run_prepare(store, [person(1), person(2, recipient_id="a\0b"), person(3)], size=2)

    assert {"rows": [2]} == caught.value.facts
    assert [] == partitions_of(store)


def test_a_breakdown_in_the_middle_leaves_the_next_try_a_clean_start(store: Store) -> None:
    rows = _Broken(OSError("the disk is gone"))
    make_draft(store)
    with pytest.raises(OSError, match="disk"):
        prepare(store, "d1", make_preparation(rows), actor="tester")

    assert DeliveryState.PREPARING is find_delivery(store, "d1").state
    assert [] == partitions_of(store)
    assert DeliveryState.READY is run_prepare(store, [person(1)]).state


def test_a_preparation_killed_half_way_leaves_nothing_and_the_next_one_works(
    store: Store, store_dsn: str, repository: Path
) -> None:
    make_draft(store)
    module = "tests.core.preparation.crash_preparation"
    process = subprocess.Popen(
        [sys.executable, "-m", module, store_dsn], cwd=repository, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    line = process.stdout.readline()
    process.send_signal(signal.SIGKILL)
    process.wait(30)
    process.stdout.close()

    assert {"targeted": 4000, "step": "texts", "numbers": 4000, "texts": 3000} == json.loads(line)
    delivery = find_delivery(store, "d1")
    assert (DeliveryState.PREPARING, None, 0) == (
        delivery.state,
        delivery.fingerprint,
        delivery.to_deliver,
    )
    _until_gone(store)
    assert 0 == _count(store, "SELECT count(*) AS n FROM smsflow_log")
    again = run_prepare(store, [person(1)])
    assert (DeliveryState.READY, 1, 5) == (
        again.state,
        again.to_deliver,
        len(partitions_of(store)),
    )


def _until_gone(store: Store) -> None:
    """The server notices a killed client when it next writes to it."""
    deadline = time.monotonic() + 30
    while partitions_of(store):
        assert time.monotonic() < deadline
        time.sleep(0.05)


def _count(store: Store, query: str) -> int:
    with store.transaction() as connection:
        row = connection.execute(query.encode()).fetchone()
    return int(row["n"]) if row else 0


def test_dropping_gives_up_while_the_table_is_in_use_and_works_later(store: Store) -> None:
    run_prepare(store, [person(1)])
    with store.transaction() as reader:
        reader.execute("SELECT count(*) FROM smsflow_messages")
        began = time.monotonic()
        again = run_prepare(store, [person(2)])
        took_s = time.monotonic() - began

    assert DeliveryState.READY is again.state
    assert 1.0 <= took_s < 5.0
    assert 10 == len(partitions_of(store))
    assert 1 == drop_replaced(store)
    assert 5 == len(partitions_of(store))
    assert 0 == drop_replaced(store)


def test_dropping_leaves_the_current_preparation_of_every_delivery(store: Store) -> None:
    for delivery_id in ("d1", "d2"):
        run_prepare(store, [person(1)], delivery_id=delivery_id)

    assert 0 == drop_replaced(store)
    assert ["Hi Name1"] == [row["body"] for row in messages_of(store, find_delivery(store, "d2"))]


class _OtherTheSecondTime(FrameRows):
    """An audience whose file somebody replaces between the two readings."""

    def __init__(self, first: pl.DataFrame, then: pl.DataFrame) -> None:
        super().__init__(first, size=2)
        self._then = then

    def frames(self, columns: Sequence[str] | None = None) -> Iterator[pl.DataFrame]:
        yield from super().frames(columns)
        self._frame = self._then


@pytest.mark.parametrize("rows", [[1, 0, 2, 3], [0, 1, 2], [0, 1, 2, 3, 3], [0, 0, 2, 3], []])
def test_an_audience_that_changes_between_its_readings_gives_nobody_the_text_of_another(
    store: Store, rows: list[int]
) -> None:
    first = pl.DataFrame([person(number) for number in range(1, 5)])
    make_draft(store)
    preparation = make_preparation(_OtherTheSecondTime(first, first[rows]))

    with pytest.raises(AudienceError, match="between its two readings"):
        prepare(store, "d1", preparation, actor="tester")

    assert DeliveryState.PREPARATION_FAILED is find_delivery(store, "d1").state
    assert [] == partitions_of(store)
