"""One switch for everything: off, nothing leaves; on, nothing goes on by itself."""

from __future__ import annotations

import contextlib
import threading

import pytest

from smsflow_provider.core.delivery.control import resume, stop
from smsflow_provider.core.delivery.switch import (
    REASON_LIMIT,
    check_may_begin,
    find_switch,
    switch_off,
    switch_on,
)
from smsflow_provider.core.errors import IllegalMoveError
from smsflow_provider.core.states import DeliveryState
from smsflow_provider.core.store.connection import Store
from smsflow_provider.core.store.deliveries import find_delivery, read_delivery
from smsflow_provider.core.store.switch import hold_switch, is_off, pause_by_switch, read_switch
from tests.core.delivery.receiving import until_waiting
from tests.governed import lines_of, look, make_going, move
from tests.prepared_delivery import approve, make_prepared


def test_off_pauses_all_that_is_being_sent_and_nothing_else(store: Store) -> None:
    for name in ("d1", "d2", "d3"):
        make_going(store, count=2, delivery_id=name)
    move(store, find_delivery(store, "d3"), "finished")
    make_prepared(store, count=2, delivery_id="d4")
    approve(store, "d4")

    switch, paused = switch_off(store, actor="ann", reason="wrong price")

    assert (True, "wrong price", "ann", ["d1", "d2"]) == (
        switch.is_off,
        switch.reason,
        switch.by,
        paused,
    )
    found = [find_delivery(store, name) for name in ("d1", "d2", "d3", "d4")]
    assert ["paused", "paused", "finished", "approved"] == [each.state.value for each in found]
    assert ["switch", "switch", "", ""] == [each.pause_reason for each in found]
    facts = {"by": "ann", "switched_by": "ann", "reason": "wrong price"}
    assert [facts] == lines_of(store, found[0], "switched_off")


def test_nothing_can_be_resumed_while_it_is_off_and_all_can_be_stopped(store: Store) -> None:
    make_going(store, count=2)
    switch_off(store, actor="ann")

    with pytest.raises(IllegalMoveError, match="everything is switched off") as refused:
        resume(store, "d1", actor="bob")

    assert "ann" == refused.value.facts["by"]
    assert DeliveryState.PAUSED is find_delivery(store, "d1").state
    assert DeliveryState.STOPPED is stop(store, "d1", actor="bob").state


def test_switched_on_nothing_goes_on_by_itself(store: Store) -> None:
    for name in ("d1", "d2"):
        make_going(store, count=2, delivery_id=name)
    switch_off(store, actor="ann")

    switch = switch_on(store, actor="bob", reason="mended")

    assert (False, "mended", "bob") == (switch.is_off, switch.reason, switch.by)
    assert DeliveryState.PAUSED is find_delivery(store, "d1").state
    assert DeliveryState.SENDING is resume(store, "d2", actor="bob").state
    assert DeliveryState.PAUSED is find_delivery(store, "d1").state


def test_of_two_who_switch_off_the_first_is_named(store: Store) -> None:
    switch_off(store, actor="ann", reason="first")
    make_going(store, count=2)

    switch, paused = switch_off(store, actor="bob", reason="second")

    assert ("ann", "first", ["d1"]) == (switch.by, switch.reason, paused)


def test_switching_on_twice_changes_nothing(store: Store) -> None:
    before = find_switch(store)

    assert before == switch_on(store, actor="bob")
    assert (False, "", None) == (before.is_off, before.by, before.at)


def test_a_worker_that_finds_it_off_pauses_what_slipped_through(store: Store) -> None:
    delivery = make_going(store, count=2)
    with store.transaction() as connection:
        connection.execute("UPDATE smsflow_switch SET is_off = true")

    found = look(store, delivery)

    assert ("paused", "switch") == (found.state.value, found.pause_reason)


def test_a_beginning_under_way_is_waited_for_and_paused(store: Store) -> None:
    make_prepared(store, count=2)
    delivery = approve(store)
    done: list[list[str]] = []
    with store.transaction() as connection:
        assert not hold_switch(connection).is_off
        switching = threading.Thread(
            target=lambda: done.append(switch_off(store, actor="ann")[1]),
        )
        switching.start()
        until_waiting(store)
        connection.execute(
            "UPDATE smsflow_deliveries SET state = 'sending' WHERE no = %s", (delivery.no,)
        )
    switching.join(timeout=30)

    assert [["d1"]] == done
    assert "switch" == find_delivery(store, "d1").pause_reason


def test_a_beginning_that_comes_later_finds_it_off_and_pauses_at_once(store: Store) -> None:
    delivery = make_going(store, count=2)
    with store.transaction() as connection:
        connection.execute("UPDATE smsflow_switch SET is_off = true, switched_by = 'ann'")
    with store.transaction() as connection:
        switch = hold_switch(connection)
        assert switch.is_off
        begun = read_delivery(connection, delivery.id, lock=True)
        pause_by_switch(connection, begun, switch, actor="worker")

    assert "switch" == find_delivery(store, "d1").pause_reason


def test_what_begins_and_ends_in_one_act_is_refused_while_it_is_off(store: Store) -> None:
    check_may_begin(store)
    switch_off(store, actor="ann")

    with pytest.raises(IllegalMoveError, match="switched off"):
        check_may_begin(store)


def test_a_resume_and_a_switch_at_once_leave_nothing_running(store: Store) -> None:
    make_going(store, count=2)
    for _ in range(20):
        switch_off(store, actor="ann")
        switch_on(store, actor="ann")
        together = threading.Barrier(2)

        def resume_now(both: threading.Barrier = together) -> None:
            both.wait()
            with contextlib.suppress(IllegalMoveError):
                resume(store, "d1", actor="bob")

        resuming = threading.Thread(target=resume_now)
        resuming.start()
        together.wait()
        switch_off(store, actor="ann")
        resuming.join(timeout=30)

        assert DeliveryState.PAUSED is find_delivery(store, "d1").state
        switch_on(store, actor="ann")


def test_a_long_reason_is_cut_and_odd_characters_are_dropped(store: Store) -> None:
    switch, _ = switch_off(store, actor="ann", reason="a\0\ud83d" + "x" * 1000)

    assert REASON_LIMIT == len(switch.reason)
    assert switch.reason.startswith("axx")


def test_a_store_of_the_former_version_has_no_switch_and_is_on(store: Store) -> None:
    with store.transaction() as connection:
        connection.execute("DROP TABLE smsflow_switch")
    with store.transaction() as connection:
        assert not is_off(connection)
        assert not hold_switch(connection).is_off
        assert not read_switch(connection).is_off
