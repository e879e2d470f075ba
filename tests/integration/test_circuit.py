"""A gateway that does not answer is left alone, tried now and then, and used again at once."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smsflow_provider.core.delivery.circuit import (
    FIRST_OPEN_S,
    LONGEST_OPEN_S,
    OPENS_AFTER,
    Circuit,
    Sign,
    sign_of,
)
from smsflow_provider.core.errors import StoreUnreachableError
from smsflow_provider.core.model import OutcomeKind
from smsflow_provider.core.store.connection import Store
from smsflow_provider.core.store.deliveries import Delivery, read_log
from tests.governed import lines_of, make_going


@dataclass
class Worker:
    """One worker's circuit, with a clock that the test turns."""

    store: Store
    delivery: Delivery | None = None
    now: float = 1000.0
    circuit: Circuit = field(init=False)

    def __post_init__(self) -> None:
        self.circuit = Circuit(
            self.store,
            "sms_gateway",
            delivery=self.delivery,
            clock=lambda: self.now,
            jitter=lambda: 0.5,
        )
        self.circuit.sync()

    @property
    def room(self) -> int | None:
        return self.circuit.room(self.now)

    def note(self, kind: OutcomeKind, *, code: str = "", is_own: bool = False) -> None:
        self.circuit.note(kind, code=code, is_own=is_own, now=self.now)

    def fail(self, times: int = OPENS_AFTER, code: str = "timeout") -> None:
        for _ in range(times):
            self.note(OutcomeKind.UNKNOWN, code=code)

    def sync(self) -> int | None:
        """Ask for room, so that a probe is wanted, and exchange with the others."""
        self.circuit.room(self.now)
        self.circuit.sync()
        return self.room


def let_pass(store: Store, seconds: float) -> None:
    """Let the store's clock go on."""
    with store.transaction() as connection:
        connection.execute(
            "UPDATE smsflow_circuits SET open_until = open_until - %s * interval '1 second'",
            (seconds,),
        )


def left_s(store: Store) -> float:
    with store.transaction() as connection:
        row = connection.execute(
            "SELECT extract(epoch FROM open_until - clock_timestamp())::float8 AS left_s"
            " FROM smsflow_circuits"
        ).fetchone()
    assert row is not None
    return float(row["left_s"])


@pytest.mark.parametrize(
    ("kind", "code", "is_own", "sign"),
    [
        (OutcomeKind.UNKNOWN, "http_502", False, Sign.FAILS),
        (OutcomeKind.UNKNOWN, "timeout", False, Sign.FAILS),
        (OutcomeKind.NOT_SENT, "connect_refused", False, Sign.FAILS),
        (OutcomeKind.NOT_SENT, "dns", False, Sign.FAILS),
        (OutcomeKind.NOT_SENT, "http_429", False, Sign.ANSWERS),
        (OutcomeKind.NOT_SENT, "timeout", True, Sign.ANSWERS),
        (OutcomeKind.NOT_SENT, "20429", False, Sign.ANSWERS),
        (OutcomeKind.NOT_SENT, "held_back", False, Sign.NOTHING),
        (OutcomeKind.NOT_SENT, "too_late", False, Sign.NOTHING),
        (OutcomeKind.FAILED, "invalid_number", False, Sign.ANSWERS),
        (OutcomeKind.ACCEPTED, "", False, Sign.ANSWERS),
        (OutcomeKind.CANCELLED, "opted_out", False, Sign.NOTHING),
        (OutcomeKind.EXPIRED, "validity_over", False, Sign.NOTHING),
    ],
)
def test_doubt_and_no_connection_are_failures_and_any_answer_is_none(
    kind: OutcomeKind, code: str, is_own: object, sign: Sign
) -> None:
    assert sign is sign_of(kind, code=code, is_own=bool(is_own))


def test_it_opens_after_five_failures_in_a_row_at_once(store: Store) -> None:
    worker = Worker(store)
    worker.fail(OPENS_AFTER - 1)
    assert worker.room is None

    worker.fail(1)

    assert 0 == worker.room


@pytest.mark.parametrize("kind", [OutcomeKind.ACCEPTED, OutcomeKind.FAILED, OutcomeKind.NOT_SENT])
def test_an_answer_in_between_begins_the_row_anew(store: Store, kind: OutcomeKind) -> None:
    worker = Worker(store)
    worker.fail(OPENS_AFTER - 1)
    worker.note(kind, code="http_429")
    worker.fail(OPENS_AFTER - 1)

    assert worker.room is None


def test_it_opens_for_all_workers_and_for_this_gateway_only(store: Store) -> None:
    first, second = Worker(store), Worker(store)
    other = Circuit(store, "sms_other")
    first.fail()
    first.circuit.sync()

    assert second.room is None
    assert 0 == second.sync()
    other.sync()
    assert other.room(0.0) is None
    assert FIRST_OPEN_S - 5 < left_s(store) <= FIRST_OPEN_S


def test_workers_that_open_it_together_open_it_once(store: Store) -> None:
    workers = [Worker(store) for _ in range(3)]
    for worker in workers:
        worker.fail()
    for worker in workers:
        worker.circuit.sync()

    with store.transaction() as connection:
        row = connection.execute("SELECT failures FROM smsflow_circuits").fetchone()
    assert {"failures": 1} == row
    assert left_s(store) <= FIRST_OPEN_S


def test_after_a_while_one_worker_tries_one_message(store: Store) -> None:
    workers = [Worker(store) for _ in range(3)]
    workers[0].fail()
    rooms = [worker.sync() for worker in workers]
    assert [0, 0, 0] == rooms

    let_pass(store, FIRST_OPEN_S + 1)

    assert [0, 0, 1] == sorted(worker.sync() or 0 for worker in workers)
    assert [0, 0, 1] == sorted(worker.sync() or 0 for worker in workers)


def test_a_probe_that_is_answered_closes_it_for_all(store: Store) -> None:
    first, second = Worker(store), Worker(store)
    first.fail()
    first.sync()
    second.sync()
    let_pass(store, FIRST_OPEN_S + 1)
    assert 1 == first.sync()

    first.note(OutcomeKind.ACCEPTED)

    assert first.room is None
    first.circuit.sync()
    assert second.sync() is None
    second.fail(OPENS_AFTER - 1)
    assert second.room is None


def test_each_probe_that_fails_opens_it_for_twice_as_long_up_to_ten_minutes(store: Store) -> None:
    worker = Worker(store)
    worker.fail()
    worker.circuit.sync()
    found = [round(left_s(store))]
    for _ in range(7):
        let_pass(store, LONGEST_OPEN_S + 1)
        assert 1 == worker.sync()
        worker.fail(1)
        assert 0 == worker.room
        worker.circuit.sync()
        found.append(round(left_s(store)))

    assert [30, 60, 120, 240, 480, 600, 600, 600] == found


def test_closed_again_it_opens_for_the_first_time_span(store: Store) -> None:
    worker = Worker(store)
    worker.fail()
    worker.circuit.sync()
    let_pass(store, FIRST_OPEN_S + 1)
    worker.sync()
    worker.note(OutcomeKind.ACCEPTED)
    worker.circuit.sync()

    worker.fail()
    worker.circuit.sync()

    assert 25 < left_s(store) <= FIRST_OPEN_S


def test_what_left_before_it_opened_neither_closes_it_nor_opens_it_for_longer(
    store: Store,
) -> None:
    worker = Worker(store)
    worker.fail(3 * OPENS_AFTER)
    worker.note(OutcomeKind.ACCEPTED)
    worker.circuit.sync()

    assert 0 == worker.room
    assert left_s(store) <= FIRST_OPEN_S


def test_a_worker_with_nothing_to_send_takes_no_probe_from_others(store: Store) -> None:
    busy, idle = Worker(store), Worker(store)
    busy.fail()
    busy.circuit.sync()
    idle.circuit.sync()
    let_pass(store, FIRST_OPEN_S + 1)

    idle.circuit.sync()

    assert 1 == busy.sync()


def test_a_worker_that_dies_with_the_probe_holds_the_others_up_for_a_minute(store: Store) -> None:
    lost, other = Worker(store), Worker(store)
    lost.fail()
    lost.circuit.sync()
    let_pass(store, FIRST_OPEN_S + 1)
    assert 1 == lost.sync()
    assert 0 == other.sync()

    let_pass(store, 61)

    assert 1 == other.sync()
    lost.now += 61
    assert 0 == lost.sync()


def test_a_circuit_that_was_left_open_is_tried_by_one_message(store: Store) -> None:
    former = Worker(store)
    former.fail()
    former.circuit.sync()
    former.circuit.close()
    let_pass(store, 86_400)

    worker = Worker(store)

    assert 0 == worker.room
    assert 1 == worker.sync()


def test_what_a_store_that_is_gone_was_not_told_it_is_told_later(store: Store) -> None:
    worker = Worker(store)
    worker.fail()
    with store.transaction() as connection:
        connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
    with pytest.raises(StoreUnreachableError):
        worker.circuit.sync()
    assert 0 == worker.room

    worker.circuit.sync()

    assert 0 == worker.room
    assert 0 < left_s(store)


def test_on_the_schema_of_the_former_version_each_worker_is_for_itself(store: Store) -> None:
    with store.transaction() as connection:
        connection.execute("DROP TABLE smsflow_circuits")
    worker = Worker(store)
    worker.fail()
    assert 0 == worker.sync()
    worker.now += FIRST_OPEN_S + 1
    assert 1 == worker.sync()
    worker.note(OutcomeKind.ACCEPTED)

    assert worker.sync() is None


def test_the_log_of_a_delivery_says_once_when_it_opens_and_when_it_closes(store: Store) -> None:
    delivery = make_going(store, count=2)
    workers = [Worker(store, delivery) for _ in range(3)]
    workers[0].fail(code="connect_refused")
    for _ in range(2):
        for worker in workers:
            worker.sync()
    let_pass(store, FIRST_OPEN_S + 1)
    workers[1].sync()
    workers[1].fail(1)
    workers[1].sync()
    let_pass(store, LONGEST_OPEN_S)
    workers[1].sync()
    workers[1].note(OutcomeKind.ACCEPTED)
    for worker in [workers[1], *workers]:
        worker.sync()

    opened = lines_of(store, delivery, "circuit_opened")
    closed = lines_of(store, delivery, "circuit_closed")
    assert [("sms_gateway", "connect_refused")] == [(e["gateway"], e["code"]) for e in opened]
    assert ["sms_gateway"] == [each["gateway"] for each in closed]
    assert [
        "The gateway sms_gateway does not answer: only one message is tried now and then",
        "The gateway sms_gateway answers again",
    ] == [row["problem"] for row in read_log(store, delivery) if "circuit" in row["event"]]


_OUTCOMES = st.lists(
    st.sampled_from([OutcomeKind.ACCEPTED, OutcomeKind.UNKNOWN, OutcomeKind.FAILED]), max_size=60
)


@given(outcomes=_OUTCOMES)
def test_it_opens_exactly_when_five_failures_follow_each_other(
    outcomes: list[OutcomeKind],
) -> None:
    circuit = Circuit(Store(""), "g", clock=lambda: 0.0)
    row, has_opened = 0, False
    for kind in outcomes:
        row = row + 1 if kind is OutcomeKind.UNKNOWN else 0
        has_opened = has_opened or row == OPENS_AFTER
        circuit.note(kind, code="", is_own=False, now=0.0)

    assert (0 if has_opened else None) == circuit.room(0.0)
