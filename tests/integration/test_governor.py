"""A delivery that goes wrong pauses by itself, says why, and goes on only when a person says so."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from smsflow_provider.core.delivery.control import pause, resume
from smsflow_provider.core.delivery.governor import pause_for_cap
from smsflow_provider.core.errors import SupersededError
from smsflow_provider.core.states import DeliveryState
from smsflow_provider.core.store.connection import Store
from smsflow_provider.core.store.deliveries import Delivery, find_delivery, move_delivery
from tests.governed import count, governor_of, lines_of, look, make_going, mark, move
from tests.prepared_delivery import make_prepared

RULE = {"pause_when": {"failed": "25%", "after": 100}}


@pytest.mark.parametrize("bad", ["failed", "unknown"])
def test_a_delivery_with_too_many_failures_pauses_and_says_why(store: Store, bad: str) -> None:
    delivery = make_going(store, sending=RULE)
    count(store, delivery, accepted=74, **{bad: 26})

    found = look(store, delivery)

    assert (DeliveryState.PAUSED, "failures") == (found.state, found.pause_reason)
    assert "worker" == found.moved_by
    assert [{"by": "worker", "of": 100, "failed": 26, "limit": 0.25}] == lines_of(
        store, delivery, "too_many_failures"
    )


def test_receipts_that_say_not_delivered_count_too(store: Store) -> None:
    delivery = make_going(store, sending=RULE)
    count(store, delivery, accepted=100, undelivered=26)

    assert DeliveryState.PAUSED is look(store, delivery).state


@pytest.mark.parametrize(
    ("accepted", "failed"),
    [(75, 25), (73, 26), (0, 0), (1, 98)],
    ids=["the limit itself", "too few to tell", "nothing yet", "one too few"],
)
def test_a_share_below_its_limit_or_of_too_few_pauses_nothing(
    store: Store, accepted: int, failed: int
) -> None:
    delivery = make_going(store, sending=RULE)
    count(store, delivery, accepted=accepted, failed=failed)

    assert DeliveryState.SENDING is look(store, delivery).state


def test_messages_that_were_not_handed_over_dilute_nothing(store: Store) -> None:
    delivery = make_going(store, sending=RULE)
    count(store, delivery, accepted=70, failed=30, cancelled=500)

    assert DeliveryState.PAUSED is look(store, delivery).state


def test_the_rule_can_be_switched_off(store: Store) -> None:
    delivery = make_going(store, sending={"pause_when": {"failed": None, "after": 1}})
    count(store, delivery, failed=500)

    assert DeliveryState.SENDING is look(store, delivery).state


def test_a_delivery_without_settings_pauses_at_a_quarter_of_500(store: Store) -> None:
    delivery = make_going(store)
    count(store, delivery, accepted=370, failed=129)
    before = look(store, delivery).state
    count(store, delivery, failed=1)

    assert (DeliveryState.SENDING, DeliveryState.PAUSED) == (before, look(store, delivery).state)


def test_who_resumes_accepts_what_was_seen_and_new_failures_count_again(store: Store) -> None:
    delivery = make_going(store, sending=RULE)
    count(store, delivery, accepted=50, failed=50)
    look(store, delivery)

    resume(store, "d1", actor="ann")

    assert DeliveryState.SENDING is look(store, delivery).state
    count(store, delivery, accepted=75, failed=24)
    assert DeliveryState.SENDING is look(store, delivery).state
    count(store, delivery, failed=6)
    again = look(store, delivery)
    assert (DeliveryState.PAUSED, "failures") == (again.state, again.pause_reason)
    assert 105 == lines_of(store, delivery, "too_many_failures")[-1]["of"]


def test_who_resumes_after_an_ordinary_pause_accepts_nothing(store: Store) -> None:
    delivery = make_going(store, sending=RULE)
    count(store, delivery, accepted=50, failed=49)
    pause(store, "d1", actor="ann")
    count(store, delivery, failed=1)

    resume(store, "d1", actor="ann")

    assert DeliveryState.PAUSED is look(store, delivery).state


def test_a_delivery_with_nothing_left_is_not_paused_so_close_to_its_end(store: Store) -> None:
    delivery = make_going(store, count=200, sending=RULE)
    count(store, delivery, accepted=100, failed=100)

    assert DeliveryState.SENDING is look(store, delivery).state


@pytest.mark.parametrize("state", ["paused", "stopped", "finished"])
def test_a_delivery_that_is_not_being_sent_is_left_alone(store: Store, state: str) -> None:
    delivery = make_going(store, sending=RULE)
    count(store, delivery, failed=200)
    move(store, delivery, state)

    assert (state, "") == (look(store, delivery).state, find_delivery(store, "d1").pause_reason)


def test_many_workers_that_look_at_once_pause_it_once(store: Store) -> None:
    delivery = make_going(store, sending=RULE)
    count(store, delivery, failed=200)
    governors = [governor_of(store, delivery) for _ in range(8)]
    together = threading.Barrier(8)

    def look_together(number: int) -> None:
        together.wait()
        governors[number].look_now()
        governors[number].close()

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(look_together, range(8)))

    assert 1 == len(lines_of(store, delivery, "too_many_failures"))


def test_a_look_that_loses_against_the_end_does_nothing(store: Store) -> None:
    """The end holds the delivery while a worker wants to pause it."""
    delivery = make_going(store, sending=RULE)
    count(store, delivery, failed=200)
    governor = governor_of(store, delivery)
    with store.transaction() as connection:
        connection.execute("SELECT 1 FROM smsflow_deliveries FOR UPDATE")
        looking = threading.Thread(target=governor.look_now)
        looking.start()
        looking.join(timeout=0.3)
        move_delivery(connection, delivery, DeliveryState.FINISHED, actor="worker")
    looking.join(timeout=30)
    governor.close()

    assert DeliveryState.FINISHED is find_delivery(store, "d1").state
    assert [] == lines_of(store, delivery, "too_many_failures")


def test_a_delivery_that_was_prepared_again_tells_its_former_worker(store: Store) -> None:
    delivery = make_prepared(store, count=3)
    governor = governor_of(store, delivery)
    make_prepared(store, count=3)

    with pytest.raises(SupersededError):
        governor.look_now()
    governor.close()


def test_a_look_after_the_connection_was_lost_opens_another(store: Store) -> None:
    delivery = make_going(store, sending=RULE)
    governor = governor_of(store, delivery)
    governor.look_now()
    with store.transaction() as connection:
        connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
    count(store, delivery, failed=200)
    with pytest.raises(Exception, match="lost"):
        governor.look_now()
    governor.look_now()
    governor.close()

    assert DeliveryState.PAUSED is find_delivery(store, "d1").state


def test_a_worker_does_not_wait_for_a_look(store: Store) -> None:
    delivery = make_going(store, sending=RULE)
    count(store, delivery, failed=200)
    governor = governor_of(store, delivery)
    with store.transaction() as connection:
        connection.execute("SELECT 1 FROM smsflow_deliveries FOR UPDATE")
        begun = time.monotonic()
        for _ in range(3):
            governor.look()
        assert time.monotonic() - begun < 1
        assert DeliveryState.SENDING is find_delivery(store, "d1").state
    governor.close()

    assert DeliveryState.PAUSED is find_delivery(store, "d1").state
    assert 1 == len(lines_of(store, delivery, "too_many_failures"))


def test_a_look_that_failed_is_told_by_the_next_one(store: Store) -> None:
    delivery = make_prepared(store, count=3)
    governor = governor_of(store, delivery)
    make_prepared(store, count=3)
    governor.look()
    governor.close()

    with pytest.raises(SupersededError):
        governor.look()


OPT_OUTS = {"pause_when": {"failed": None, "opted_out": "2%", "after": 50}}


def opt_out(store: Store, *positions: int, scope: str = "") -> None:
    with store.transaction() as connection:
        for position in positions:
            connection.execute(
                "INSERT INTO smsflow_opt_outs (phone, scope) VALUES (%s, %s)",
                (33600000000 + position, scope),
            )


def make_accepted(store: Store, upto: int = 100) -> Delivery:
    delivery = make_going(store, sending=OPT_OUTS)
    mark(store, delivery, *range(1, upto + 1))
    count(store, delivery, accepted=upto)
    return delivery


def test_too_many_opt_outs_pause_a_delivery(store: Store) -> None:
    delivery = make_accepted(store)
    opt_out(store, 1, 2, 3)

    found = look(store, delivery)

    assert (DeliveryState.PAUSED, "opt_outs") == (found.state, found.pause_reason)
    assert [{"by": "worker", "of": 100, "opted_out": 3, "limit": 0.02}] == lines_of(
        store, delivery, "too_many_opt_outs"
    )


def test_an_opt_out_counts_by_person_and_only_of_those_who_had_the_message(store: Store) -> None:
    delivery = make_accepted(store)
    opt_out(store, 1, 2)
    opt_out(store, 1, 2, scope="sender:ACME")
    opt_out(store, *range(101, 200))

    assert DeliveryState.SENDING is look(store, delivery).state


def test_an_opt_out_from_before_the_send_does_not_count(store: Store) -> None:
    opt_out(store, *range(1, 50))
    delivery = make_accepted(store)

    assert DeliveryState.SENDING is look(store, delivery).state


def test_who_resumes_accepts_the_opt_outs_of_those_who_had_the_message_by_then(
    store: Store,
) -> None:
    delivery = make_accepted(store)
    opt_out(store, 1, 2, 3)
    look(store, delivery)
    resume(store, "d1", actor="ann")
    mark(store, delivery, *range(101, 201))
    count(store, delivery, accepted=100)

    opt_out(store, 10, 11, 12, 101, 102)
    assert DeliveryState.SENDING is look(store, delivery).state
    opt_out(store, 103)
    assert DeliveryState.PAUSED is look(store, delivery).state


def test_opt_outs_are_counted_every_ten_seconds_not_with_each_look(store: Store) -> None:
    delivery = make_accepted(store)
    times = iter([0.0, 9.0, 11.0, 11.0])
    governor = governor_of(store, delivery, clock=lambda: next(times))
    governor.look_now()
    opt_out(store, 1, 2, 3)
    governor.look_now()
    before = find_delivery(store, "d1").state
    governor.look_now()
    governor.close()

    assert (DeliveryState.SENDING, DeliveryState.PAUSED) == (
        before,
        find_delivery(store, "d1").state,
    )


def test_a_cap_that_is_reached_pauses_once_and_says_why(store: Store) -> None:
    delivery = make_going(store)

    told = [pause_for_cap(store, "d1", limit=1000, actor="worker") for _ in range(2)]

    assert [True, False] == told
    assert "daily_cap" == find_delivery(store, "d1").pause_reason
    assert [{"by": "worker", "parts_per_day": 1000}] == lines_of(store, delivery, "daily_cap")
